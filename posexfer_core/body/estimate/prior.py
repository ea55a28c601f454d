"""How far each joint likes to turn: Gaussians and soft limits on axis-angle, made by hand.

The numbers are round figures after textbook ranges of motion, turned into SMPL's axes (at rest
the arms point sideways, x is the subject's left, y up, z forward). No motion data is in them.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..model import JOINT_NAMES
from .so3 import log_jacobian, log_map

LIMIT_STIFFNESS = 12.0
"""Residual per radian beyond a soft limit."""

UNLIMITED = ((-9.0, -9.0, -9.0), (9.0, 9.0, 9.0))

HABITS: dict[str, tuple[tuple[float, ...], ...]] = {
    # joint, left side: mean, standard deviation, lower limit, upper limit; radians
    "hip": ((-0.4, 0.1, 0.05), (0.6, 0.25, 0.22), (-2.3, -0.9, -0.5), (0.5, 0.9, 1.0)),
    "knee": ((0.5, 0.0, 0.0), (0.6, 0.08, 0.08), (-0.05, -0.3, -0.3), (2.6, 0.3, 0.3)),
    "ankle": ((0.0, 0.1, 0.0), (0.3, 0.2, 0.15)),
    "foot": ((0.0, 0.0, 0.0), (0.15, 0.1, 0.1)),
    "spine1": ((0.05, 0.0, 0.0), (0.13, 0.1, 0.09)),
    "spine2": ((0.05, 0.0, 0.0), (0.13, 0.1, 0.09)),
    "spine3": ((0.0, 0.0, 0.0), (0.13, 0.1, 0.09)),
    "neck": ((0.0, 0.0, 0.0), (0.18, 0.2, 0.1)),
    "head": ((0.05, 0.0, 0.0), (0.18, 0.2, 0.1)),
    "collar": ((0.0, 0.0, 0.0), (0.07, 0.1, 0.1)),
    "shoulder": ((0.0, -0.25, -0.85), (0.5, 0.55, 0.6), (-2.0, -2.2, -1.9), (2.0, 1.4, 1.6)),
    "elbow": ((0.0, -0.8, 0.0), (0.2, 0.7, 0.15), (-0.8, -2.7, -0.6), (0.8, 0.05, 0.6)),
    "wrist": ((0.0, 0.0, 0.0), (0.25, 0.2, 0.2)),
    "hand": ((0.0, 0.0, 0.0), (0.05, 0.05, 0.05)),
}


class PriorTerms(NamedTuple):
    """Energy of a batch of poses with its gradient and Gauss-Newton blocks, per joint."""

    energy: Float[ndarray, " batch"]
    gradient: Float[ndarray, "batch joints 3"]
    curvature: Float[ndarray, "batch joints 3 3"]


class PosePrior:
    """Score poses joint by joint; the root is free."""

    def __init__(self) -> None:
        rows = [_joint_habit(name) for name in JOINT_NAMES[1:]]
        self.mean, self.deviation, self.lower, self.upper = np.moveaxis(np.array(rows), 1, 0)

    def mean_pose(self) -> Float[ndarray, "joints 3"]:
        """Axis-angle of the likeliest pose, the root at zero."""
        return np.concatenate([np.zeros((1, 3)), self.mean])

    def residuals(
        self, rotations: Float[ndarray, "batch joints 3 3"]
    ) -> tuple[Float[ndarray, "batch bends 3"], ...]:
        """Return axis-angle, deviations from the mean in sigmas, and excess over the limits."""
        bend = log_map(rotations[:, 1:])
        beyond = np.maximum(bend - self.upper, 0.0) + np.minimum(bend - self.lower, 0.0)
        return bend, (bend - self.mean) / self.deviation, LIMIT_STIFFNESS * beyond

    def energy(
        self, rotations: Float[ndarray, "batch joints 3 3"], weight: float
    ) -> Float[ndarray, " batch"]:
        """Sum the squared residuals; `weight` scales the Gaussians, not the limits."""
        _, habit, beyond = self.residuals(rotations)
        return (weight * habit**2 + beyond**2).sum((1, 2))

    def terms(self, rotations: Float[ndarray, "batch joints 3 3"], weight: float) -> PriorTerms:
        """Linearise about `rotations` for steps `R exp(d)` taken on the right."""
        bend, habit, beyond = self.residuals(rotations)
        slope = weight * habit / self.deviation + LIMIT_STIFFNESS * beyond
        stiffness = weight / self.deviation**2 + LIMIT_STIFFNESS**2 * (beyond != 0.0)
        jacobian = log_jacobian(bend)
        transposed = np.swapaxes(jacobian, -1, -2)
        gradient = np.zeros((*rotations.shape[:2], 3))
        gradient[:, 1:] = (transposed @ slope[..., None])[..., 0]
        curvature = np.zeros(rotations.shape)
        curvature[:, 1:] = transposed @ (stiffness[..., None] * jacobian)
        energy = (weight * habit**2 + beyond**2).sum((1, 2))
        return PriorTerms(energy, gradient, curvature)


def _joint_habit(joint: str) -> tuple[tuple[float, ...], ...]:
    """Look up one joint and mirror it for the right side, where y and z turn the other way."""
    side, _, part = joint.rpartition("_")
    mean, deviation, lower, upper = (*HABITS[part], *UNLIMITED)[:4]
    if side == "r":
        mean = (mean[0], -mean[1], -mean[2])
        lower, upper = (
            (lower[0], -upper[1], -upper[2]),
            (upper[0], -lower[1], -lower[2]),
        )
    return mean, deviation, lower, upper
