"""What was seen of a batch of bodies: pixels of their keypoints, or their places in space."""

from dataclasses import dataclass
from math import prod

import numpy as np
from jaxtyping import Float
from numpy import ndarray

NEAREST = 0.1
"""Metres; nothing is projected from nearer."""
NOTHING = 1e-9
"""Weight of places that nobody knows."""


@dataclass
class Targets:
    """Keypoints that each body of a batch should show, and the camera that shows them."""

    pixels: Float[ndarray, "batch points 2"]
    weight: Float[ndarray, "batch points"]
    """Per pixel: root of the confidence over the standard deviation; 0 where nothing was seen."""
    focal_px: Float[ndarray, " batch"]
    center: Float[ndarray, "batch 2"]

    def take(self, index: ndarray) -> "Targets":
        """Pick the targets of some bodies."""
        return Targets(
            self.pixels[index], self.weight[index], self.focal_px[index], self.center[index]
        )

    def forget(self, rows: ndarray) -> None:
        """Count what was seen of some bodies as not seen."""
        self.weight[rows] = 0.0

    def padded(self, more: int) -> "Targets":
        """Add points that were not seen."""
        pixels, weight = _padded(self.pixels, more), _padded(self.weight, more)
        return Targets(pixels, weight, self.focal_px, self.center)

    def project(self, points: Float[ndarray, "batch points 3"]) -> Float[ndarray, "batch points 2"]:
        """Project into the image, pixels."""
        depth = np.maximum(points[..., 2:], NEAREST)
        return self.focal_px[:, None, None] * points[..., :2] / depth + self.center[:, None]

    def residual(
        self, points: Float[ndarray, "batch points 3"]
    ) -> Float[ndarray, "batch points 2"]:
        """Measure how far the keypoints are off, in standard deviations."""
        return (self.project(points) - self.pixels) * self.weight[..., None]

    def rows(self, points: Float[ndarray, "batch points 3"]) -> Float[ndarray, "batch points 2 3"]:
        """Differentiate `residual` by the point in the camera frame."""
        x, y, z = np.moveaxis(points, -1, 0)
        z = np.maximum(z, NEAREST)
        gain = self.weight * self.focal_px[:, None] / z
        rows = np.zeros((*z.shape, 2, 3))
        rows[..., 0, 0] = rows[..., 1, 1] = gain
        rows[..., 0, 2], rows[..., 1, 2] = -gain * x / z, -gain * y / z
        return rows


@dataclass
class Places:
    """Where the keypoints of each body lie in space, up to a shift that nobody measured."""

    xyz: Float[ndarray, "batch points 3"]
    """Metres, axes of the camera frame, any origin: estimators are sure of little in depth."""
    weight: Float[ndarray, "batch points"]
    """Per metre: root of the confidence over the standard deviation; 0 where nothing is known."""

    def take(self, index: ndarray) -> "Places":
        """Pick the places of some bodies."""
        return Places(self.xyz[index], self.weight[index])

    def forget(self, rows: ndarray) -> None:
        """Count what is known of some bodies as nothing, but not as zero by zero."""
        self.weight[rows] = NOTHING

    def padded(self, more: int) -> "Places":
        """Add points of which nothing is known."""
        return Places(_padded(self.xyz, more), _padded(self.weight, more))

    def residual(
        self, points: Float[ndarray, "batch points 3"]
    ) -> Float[ndarray, "batch points 3"]:
        """Measure how far the points are off once the best shift is taken out."""
        apart = points - self.xyz
        return (apart - self._mean(apart)) * self.weight[..., None]

    def jacobian(
        self, points_jacobian: Float[ndarray, "batch points 3 unknowns"]
    ) -> Float[ndarray, "batch points 3 unknowns"]:
        """Differentiate `residual`, given the derivative of the points."""
        mean = self._mean(points_jacobian)
        return (points_jacobian - mean) * self.weight[..., None, None]

    def _mean(self, values: ndarray) -> ndarray:
        """Average over the points, each by its squared weight."""
        share = self.weight**2 / (self.weight**2).sum(1, keepdims=True)
        mean = share[:, None] @ values.reshape(*share.shape, prod(values.shape[2:]))
        return mean.reshape(len(share), 1, *values.shape[2:])


def _padded(values: ndarray, more: int) -> ndarray:
    """Add zeros for more points."""
    return np.pad(values, [(0, more if axis == 1 else 0) for axis in range(values.ndim)])
