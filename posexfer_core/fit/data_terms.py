"""Residuals of keypoints, in the image and in space, and their derivatives."""

from dataclasses import dataclass
from math import prod

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from .batch import Batch

NEAREST = 0.1
"""Metres; projection clamps depth here."""
NEGLIGIBLE = 1e-9
"""Weight of 3D targets that are not known: the weighted mean needs more than zero."""


@dataclass
class Targets2D(Batch):
    """Keypoints of a batch of images, and the cameras."""

    pixels: Float[ndarray, "batch points 2"]
    weight: Float[ndarray, "batch points"]
    """Per pixel: root of the confidence over the standard deviation; 0 where not seen."""
    focal_px: Float[ndarray, " batch"]
    center: Float[ndarray, "batch 2"]

    def clear(self, rows: ndarray) -> None:
        """Mark the keypoints of some images as not seen."""
        self.weight[rows] = 0.0

    def padded(self, more: int) -> "Targets2D":
        """Append points that are not seen."""
        pixels, weight = _padded(self.pixels, more), _padded(self.weight, more)
        return Targets2D(pixels, weight, self.focal_px, self.center)

    def project(self, points: Float[ndarray, "batch points 3"]) -> Float[ndarray, "batch points 2"]:
        """Project into the image, pixels."""
        depth = np.maximum(points[..., 2:], NEAREST)
        return self.focal_px[:, None, None] * points[..., :2] / depth + self.center[:, None]

    def residual(
        self, points: Float[ndarray, "batch points 3"]
    ) -> Float[ndarray, "batch points 2"]:
        """Compute the reprojection errors, in standard deviations."""
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
class Targets3D(Batch):
    """Where keypoints lie in space, up to a translation."""

    xyz: Float[ndarray, "batch points 3"]
    """Metres, axes of the camera frame, any origin: estimators know little of absolute depth."""
    weight: Float[ndarray, "batch points"]
    """Per metre: root of the confidence over the standard deviation; `NEGLIGIBLE` if unknown."""

    def clear(self, rows: ndarray) -> None:
        """Mark the points of some bodies as unknown."""
        self.weight[rows] = NEGLIGIBLE

    def padded(self, more: int) -> "Targets3D":
        """Append points that are unknown."""
        return Targets3D(_padded(self.xyz, more), _padded(self.weight, more))

    def residual(
        self, points: Float[ndarray, "batch points 3"]
    ) -> Float[ndarray, "batch points 3"]:
        """Compute the distances after the best translation, in standard deviations."""
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
    """Append zeros for more points."""
    return np.pad(values, np.array([(0, more if axis == 1 else 0) for axis in range(values.ndim)]))
