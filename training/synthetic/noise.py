"""Smooth noise in space: a small periodic volume, looked up between its corners."""

from functools import cache

import numpy as np

from posexfer_core.geometry.compiled import compiled

Array = np.ndarray
CELLS = 32
SHIFT_CELLS = 1024.0
"""Keeps cell numbers positive; a multiple of `CELLS`."""


def value_noise(places: Array, per_metre: float) -> Array:
    """Look smooth noise up, -1 to 1, with about `per_metre` bumps a metre.

    Corners of a grid hold random numbers; in between they are blended by `3t^2 - 2t^3`.

    Args:
        places: (points, 3), metres.
        per_metre: cells of the grid along one metre.

    Returns:
        (points,) float32.
    """
    scaled = places.astype(np.float32) * np.float32(per_metre) + np.float32(SHIFT_CELLS)
    out = np.empty(len(scaled), np.float32)
    _look_up(np.ascontiguousarray(scaled), _volume(), out)
    return out


@compiled
def _look_up(scaled: Array, volume: Array, out: Array) -> None:
    """Blend the volume at places in cells of the grid."""
    three, two = np.float32(3.0), np.float32(2.0)
    for point in range(scaled.shape[0]):
        px, py, pz = scaled[point, 0], scaled[point, 1], scaled[point, 2]
        fx, fy, fz = np.floor(px), np.floor(py), np.floor(pz)
        tx, ty, tz = px - fx, py - fy, pz - fz
        tx = tx * tx * (three - two * tx)
        ty = ty * ty * (three - two * ty)
        tz = tz * tz * (three - two * tz)
        x, y, z = int(fx) % CELLS, int(fy) % CELLS, int(fz) % CELLS
        x1, y1, z1 = (x + 1) % CELLS, (y + 1) % CELLS, (z + 1) % CELLS
        a = volume[x, y, z] + tx * (volume[x1, y, z] - volume[x, y, z])
        b = volume[x, y1, z] + tx * (volume[x1, y1, z] - volume[x, y1, z])
        c = volume[x, y, z1] + tx * (volume[x1, y, z1] - volume[x, y, z1])
        d = volume[x, y1, z1] + tx * (volume[x1, y1, z1] - volume[x, y1, z1])
        near, far = a + ty * (b - a), c + ty * (d - c)
        out[point] = near + tz * (far - near)


@cache
def _volume() -> Array:
    """Fill the volume; the same in every run."""
    return np.random.default_rng(20).uniform(-1.0, 1.0, (CELLS,) * 3).astype(np.float32)
