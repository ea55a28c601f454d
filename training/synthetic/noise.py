"""Smooth noise in space: a small periodic volume, looked up between its corners."""

from functools import cache

import numpy as np

try:
    import numba
except ImportError:  # an optional dependency: numpy gives the same numbers, slower
    numba = None

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
    if _look_up is None:
        return _look_up_with_numpy(scaled, _volume())
    out = np.empty(len(scaled), np.float32)
    _look_up(np.ascontiguousarray(scaled), _volume(), out)
    return out


def _look_up_with_numpy(scaled: Array, volume: Array) -> Array:
    cell = np.floor(scaled).astype(np.int64)
    t = scaled - cell.astype(np.float32)
    t = t * t * (np.float32(3.0) - np.float32(2.0) * t)
    x, y, z = (cell % CELLS).T
    x1, y1, z1 = (x + 1) % CELLS, (y + 1) % CELLS, (z + 1) % CELLS
    tx, ty, tz = t.T

    def along_x(row: Array, layer: Array) -> Array:
        start = volume[x, row, layer]
        return start + tx * (volume[x1, row, layer] - start)

    near, far = along_x(y, z), along_x(y, z1)
    near = near + ty * (along_x(y1, z) - near)
    far = far + ty * (along_x(y1, z1) - far)
    return near + tz * (far - near)


def _loop(scaled: Array, volume: Array, out: Array) -> None:
    """Do what `_look_up_with_numpy` does, in one pass for numba to compile."""
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


_look_up = numba.njit(cache=True, error_model="numpy")(_loop) if numba is not None else None


@cache
def _volume() -> Array:
    """Fill the volume; the same in every run."""
    return np.random.default_rng(20).uniform(-1.0, 1.0, (CELLS,) * 3).astype(np.float32)
