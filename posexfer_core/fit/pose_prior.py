"""Pose prior: correlated Gaussians and soft limits on the axis-angle of each joint.

The numbers are round figures after textbook ranges of motion, turned into SMPL's axes (at rest
the arms point sideways, x is the subject's left, y up, z forward). No motion data is in them.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from ..body.joints import JOINT_NAMES
from ..geometry.so3 import log_jacobian, log_map

LIMIT_STIFFNESS = 12.0
"""Residual per radian beyond a soft limit."""

UNLIMITED = ((-9.0, -9.0, -9.0), (9.0, 9.0, 9.0))

JOINT_PRIOR: dict[str, tuple[tuple[float, ...], ...]] = {
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


CORRELATIONS: tuple[tuple[str, str, tuple[float, float, float]], ...] = (
    # joint, joint ("other": of the other side), correlation of their rotations about x, y and z,
    # with the signs of the left side
    ("hip", "knee", (-0.65, 0.0, 0.0)),
    ("hip", "other knee", (-0.45, 0.0, 0.0)),
    ("hip", "other hip", (0.4, 0.0, 0.0)),
    ("knee", "other knee", (0.5, 0.0, 0.0)),
    ("collar", "shoulder", (0.0, 0.15, 0.0)),
    ("shoulder", "other shoulder", (0.15, 0.0, 0.2)),
    ("elbow", "other elbow", (0.0, 0.2, 0.0)),
)
"""A raised thigh with a bent knee, both knees, both arms."""


class PriorTerms(NamedTuple):
    """Derivatives of the energy of a batch of poses."""

    gradient: Float[ndarray, "batch joints 3"]
    """Half the gradient."""
    curvature: Float[ndarray, "batch pairs 3 3"]
    """Gauss-Newton blocks of the pairs of joints in `PosePrior.pairs`; all others are zero."""


class PosePrior:
    """Energy of the rotations of all joints but the root.

    `E = weight r^T C^-1 r + sum (stiffness * excess over the limits)^2` with the deviations `r`
    from the means in standard deviations and their correlations `C`.
    """

    def __init__(self) -> None:
        rows = [_joint_prior(name) for name in JOINT_NAMES[1:]]
        self.mean, self.deviation, self.lower, self.upper = np.moveaxis(np.array(rows), 1, 0)
        spread = self.deviation.ravel()
        self._precision = np.linalg.inv(_correlations() * np.outer(spread, spread))
        blocks = self._precision.reshape(len(rows), 3, len(rows), 3).swapaxes(1, 2)
        self._linked = np.nonzero((np.abs(blocks) > 1e-9).any((2, 3)))
        self._blocks = blocks[self._linked]
        self._same = np.flatnonzero(self._linked[0] == self._linked[1])

    @property
    def pairs(self) -> tuple[Int[ndarray, " pairs"], Int[ndarray, " pairs"]]:
        """Number the joints of each block of the curvature, by row and by column."""
        return self._linked[0] + 1, self._linked[1] + 1

    def mean_pose(self) -> Float[ndarray, "joints 3"]:
        """Return the axis-angle of the likeliest pose, the root at zero."""
        return np.concatenate([np.zeros((1, 3)), self.mean])

    def energy(
        self, rotations: Float[ndarray, "batch joints 3 3"], weight: float
    ) -> Float[ndarray, " batch"]:
        """Compute the energy; `weight` scales the Gaussians, not the limits."""
        turns = log_map(rotations[:, 1:])
        away, pull = self._deviation(turns)
        return weight * (away * pull).sum((1, 2)) + (self._excess(turns) ** 2).sum((1, 2))

    def beyond_limits(
        self, rotations: Float[ndarray, "batch joints 3 3"]
    ) -> Float[ndarray, "batch turns"]:
        """Return how far each joint but the root is beyond its limits, radians, by any axis."""
        return np.abs(self._excess(log_map(rotations[:, 1:]))).max(-1) / LIMIT_STIFFNESS

    def terms(self, rotations: Float[ndarray, "batch joints 3 3"], weight: float) -> PriorTerms:
        """Linearise about `rotations` for steps `R exp(d)` taken on the right."""
        turns = log_map(rotations[:, 1:])
        excess, (_, pull) = self._excess(turns), self._deviation(turns)
        jacobian = log_jacobian(turns)
        transposed = np.swapaxes(jacobian, -1, -2)
        gradient = np.zeros((*rotations.shape[:2], 3))
        slope = weight * pull + LIMIT_STIFFNESS * excess
        gradient[:, 1:] = (transposed @ slope[..., None])[..., 0]
        first, second = self._linked
        stiffness = np.repeat(weight * self._blocks[None], len(turns), axis=0)
        axes = np.arange(3)
        stiffness[:, self._same[:, None], axes, axes] += LIMIT_STIFFNESS**2 * (excess != 0.0)
        return PriorTerms(gradient, transposed[:, first] @ stiffness @ jacobian[:, second])

    def _deviation(
        self, turns: Float[ndarray, "batch turns 3"]
    ) -> tuple[Float[ndarray, "batch turns 3"], Float[ndarray, "batch turns 3"]]:
        """Return the deviations from the means, radians, and those times the precision."""
        away = turns - self.mean
        pull = away.reshape(len(turns), self.mean.size) @ self._precision
        return away, pull.reshape(turns.shape)

    def _excess(self, turns: Float[ndarray, "batch turns 3"]) -> Float[ndarray, "batch turns 3"]:
        """Measure the excess over the limits, times the stiffness."""
        over = np.maximum(turns - self.upper, 0.0) + np.minimum(turns - self.lower, 0.0)
        return LIMIT_STIFFNESS * over


def soft_limits() -> list[dict[str, list[float]] | None]:
    """Return lower and upper limits of the axis-angle of each joint, radians; None where free."""
    free = UNLIMITED[1][0]
    limits: list[dict[str, list[float]] | None] = [None]
    for name in JOINT_NAMES[1:]:
        _, _, lower, upper = _joint_prior(name)
        limited = max(upper) < free
        limits.append({"lower": [*lower], "upper": [*upper]} if limited else None)
    return limits


def _correlations() -> Float[ndarray, "turns turns"]:
    """Return the correlations of both sides as one matrix over the rotations of all joints."""
    matrix = np.eye(3 * len(JOINT_NAMES) - 3)
    for side, other in (("l_", "r_"), ("r_", "l_")):
        for first, second, shares in CORRELATIONS:
            across = second.startswith("other ")
            row = 3 * _number(first, side)
            column = 3 * _number(second.removeprefix("other "), other if across else side)
            signs = (1.0, -1.0, -1.0) if across else (1.0, 1.0, 1.0)
            block = np.diag(np.multiply(shares, signs))
            matrix[row : row + 3, column : column + 3] = block
            matrix[column : column + 3, row : row + 3] = block
    return matrix


def _number(joint: str, side: str) -> int:
    """Number a joint from the first below the root; `side` is that of paired joints."""
    return JOINT_NAMES.index(joint if joint in JOINT_NAMES else side + joint) - 1


def _joint_prior(joint: str) -> tuple[tuple[float, ...], ...]:
    """Look up one joint and mirror it for the right side, where y and z turn the other way."""
    side, _, part = joint.rpartition("_")
    mean, deviation, lower, upper = (*JOINT_PRIOR[part], *UNLIMITED)[:4]
    if side == "r":
        mean = (mean[0], -mean[1], -mean[2])
        lower, upper = (
            (lower[0], -upper[1], -upper[2]),
            (upper[0], -lower[1], -lower[2]),
        )
    return mean, deviation, lower, upper
