"""Signed distances of the solids that a body is blended from, and their sum on a grid.

Negative inside. Distances to ellipsoids and lofts are the first-order ones, `k0 (k0 - 1) / k1`
with `k0 = |q / r|` and `k1 = |q / r^2|`: exact on the surface, close to it nearby.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

FAR_M = 1.0
MARGIN_M = 0.06
"""A solid is evaluated this far beyond its bounds, so that its blend fades out inside them."""
FLOOR_M = 0.004
"""Soles are cut flat at this height."""


class Solid(ABC):
    """Something with an inside."""

    @abstractmethod
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the two corners of a box around it."""

    @abstractmethod
    def distance(self, points: np.ndarray) -> np.ndarray:
        """Measure `(..., 3)` points; negative inside."""


@dataclass(frozen=True)
class Part:
    """A solid of the left half of the body."""

    solid: Solid
    joint: str
    """The joint that carries it."""
    blend_m: float
    """How wide the fillet is where it meets what came before."""


class Ellipsoid(Solid):
    """An ellipsoid, tilted about x."""

    def __init__(
        self, center: Sequence[float], radii: Sequence[float], tilt_rad: float = 0.0
    ) -> None:
        self.center, self.radii = np.array(center), np.array(radii)
        cosine, sine = np.cos(tilt_rad), np.sin(tilt_rad)
        self.axes = np.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]])

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the two corners of a box around it."""
        reach = 1.2 * self.radii.max() + 0.03
        return self.center - reach, self.center + reach

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Measure `(..., 3)` points; negative inside."""
        return _scaled_distance((points - self.center) @ self.axes, self.radii)


class RoundCone(Solid):
    """A ball that rolls from `start` to `end` while its radius changes."""

    def __init__(
        self, start: Sequence[float], end: Sequence[float], start_radius: float, end_radius: float
    ) -> None:
        self.start, self.end = np.array(start), np.array(end)
        self.start_radius, self.end_radius = start_radius, end_radius

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the two corners of a box around it."""
        reach = max(self.start_radius, self.end_radius) + 0.03
        return np.minimum(self.start, self.end) - reach, np.maximum(self.start, self.end) + reach

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Measure `(..., 3)` points; negative inside."""
        axis = self.end - self.start
        along = np.clip(((points - self.start) @ axis) / (axis @ axis), 0.0, 1.0)
        nearest = self.start + along[..., None] * axis
        radius = self.start_radius + (self.end_radius - self.start_radius) * along
        return np.linalg.norm(points - nearest, axis=-1) - radius


class Loft(Solid):
    """An elliptical tube along a bone; its cross-section is given at stations.

    A station is a fraction of the way from `start` to `end`. `u` is the direction `across`, made
    square to the bone, and `v` completes the frame; between stations radii and shifts follow
    monotone cubics, and both ends are capped with half ellipsoids.
    """

    def __init__(
        self,
        start: Sequence[float],
        end: Sequence[float],
        *,
        across: Sequence[float],
        stations: Sequence[float],
        radii_u: Sequence[float],
        radii_v: Sequence[float],
        shifts_u: Sequence[float] | None = None,
        shifts_v: Sequence[float] | None = None,
        cap: float = 0.5,
    ) -> None:
        self.start, self.end = np.array(start, float), np.array(end, float)
        self.length = float(np.linalg.norm(self.end - self.start))
        self.axis = (self.end - self.start) / self.length
        square = np.array(across, float) - self.axis * (self.axis @ np.array(across, float))
        self.u = square / np.linalg.norm(square)
        self.v = np.cross(self.axis, self.u)
        self.first, self.last, self.cap = stations[0], stations[-1], cap
        zeros = [0.0] * len(stations)
        curves = (radii_u, radii_v, shifts_u or zeros, shifts_v or zeros)
        self.section = PchipInterpolator(stations, np.array(curves).T)
        self.reach = 1.3 * max(*radii_u, *radii_v) + 0.03

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the two corners of a box around it."""
        ends = self.start + self.axis * self.length * np.array([[self.first], [self.last]])
        return ends.min(axis=0) - self.reach, ends.max(axis=0) + self.reach

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Measure `(..., 3)` points; negative inside."""
        offset = points - self.start
        station = (offset @ self.axis) / self.length
        inside = np.clip(station, self.first, self.last)
        radius_u, radius_v, shift_u, shift_v = np.moveaxis(self.section(inside), -1, 0)
        beyond = (station - inside) * self.length
        local = np.stack([offset @ self.u - shift_u, offset @ self.v - shift_v, beyond], axis=-1)
        cap = self.cap * np.minimum(radius_u, radius_v)
        return _scaled_distance(local, np.stack([radius_u, radius_v, cap], axis=-1))


@dataclass(frozen=True)
class Grid:
    """Samples of a field at `origin + cell_m * index`."""

    values: np.ndarray
    origin: np.ndarray
    cell_m: float


def sample_body(
    parts: Sequence[Part], low: Sequence[float], high: Sequence[float], cell_m: float
) -> Grid:
    """Blend the parts of the left half, in their order, and mirror them; `low[0]` must be 0."""
    counts = np.ceil((np.array(high) - low) / cell_m).astype(int) + 1
    axes = [start + cell_m * np.arange(count) for start, count in zip(low, counts, strict=True)]
    half = np.full(counts, FAR_M)
    for part in parts:
        corners = part.solid.bounds()
        spans = [
            slice(*np.searchsorted(axis, (first - MARGIN_M, last + MARGIN_M)))
            for axis, first, last in zip(axes, *corners, strict=True)
        ]
        window = tuple(spans)
        points = np.stack(
            np.meshgrid(
                *[axis[span] for axis, span in zip(axes, spans, strict=True)], indexing="ij"
            ),
            axis=-1,
        )
        half[window] = smooth_minimum(half[window], part.solid.distance(points), part.blend_m)
    half = np.maximum(half, FLOOR_M - axes[1][None, :, None])
    origin = np.array([-axes[0][-1], low[1], low[2]])
    return Grid(np.concatenate([half[:0:-1], half]), origin, cell_m)


def smooth_minimum(first: np.ndarray, second: np.ndarray, width: float) -> np.ndarray:
    """Take the lesser of two distances, rounded where they are within `width` of each other.

    `h = clamp(1/2 + (b - a) / 2k)`, `b (1 - h) + a h - k h (1 - h)`: union with a fillet.
    """
    share = np.clip(0.5 + 0.5 * (second - first) / width, 0.0, 1.0)
    return second * (1 - share) + first * share - width * share * (1 - share)


def _scaled_distance(offset: np.ndarray, radii: np.ndarray) -> np.ndarray:
    once = np.linalg.norm(offset / radii, axis=-1)
    twice = np.linalg.norm(offset / radii**2, axis=-1) + 1e-9
    return once * (once - 1) / twice
