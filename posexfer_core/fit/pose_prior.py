"""How joints like to turn: linked Gaussians, clusters of legs and soft limits, on axis-angle.

The numbers are round figures after textbook ranges of motion, turned into SMPL's axes (at rest
the arms point sideways, x is the subject's left, y up, z forward). Hips and knees have clusters
around them that our own random poses gave. No motion data is in any of them.
"""

from typing import NamedTuple

import numpy as np
from einops import rearrange
from jaxtyping import Float, Int
from numpy import ndarray

from ..body.joints import JOINT_NAMES
from ..geometry.so3 import log_jacobian, log_map
from .leg_clusters import LEG_TURNS, LEGS, LegClusters, Nearest

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


LINKS: tuple[tuple[str, str, tuple[float, float, float]], ...] = (
    # joint, joint ("other": of the other side), correlation of their turns about x, y and z, with
    # the signs of the left side
    ("hip", "knee", (-0.65, 0.0, 0.0)),
    ("hip", "other knee", (-0.45, 0.0, 0.0)),
    ("hip", "other hip", (0.4, 0.0, 0.0)),
    ("knee", "other knee", (0.5, 0.0, 0.0)),
    ("collar", "shoulder", (0.0, 0.15, 0.0)),
    ("shoulder", "other shoulder", (0.15, 0.0, 0.2)),
    ("elbow", "other elbow", (0.0, 0.2, 0.0)),
)
"""What goes together: a raised thigh and a bent knee, both knees, both arms."""


class PriorTerms(NamedTuple):
    """Energy of a batch of poses with its gradient and Gauss-Newton blocks."""

    energy: Float[ndarray, " batch"]
    gradient: Float[ndarray, "batch joints 3"]
    curvature: Float[ndarray, "batch pairs 3 3"]
    """Of the pairs of joints in `PosePrior.pairs`; all others are zero."""


class PosePrior:
    """Score poses by how far each joint turns, and which turn together; the root is free.

    `E = r^T C^-1 r` with the deviations `r` from the habits in sigmas, correlated by `C`, and a
    stiff spring beyond the limits. Of the legs, that is but the widest of the clusters.
    """

    def __init__(self) -> None:
        rows = [_joint_habit(name) for name in JOINT_NAMES[1:]]
        self.mean, self.deviation, self.lower, self.upper = np.moveaxis(np.array(rows), 1, 0)
        spread = self.deviation.ravel()
        covariance = _correlations() * np.outer(spread, spread)
        wide = covariance[np.ix_(LEG_TURNS, LEG_TURNS)]
        self._clusters = LegClusters.with_wide(self.mean.ravel()[LEG_TURNS], wide)
        self._precision = np.linalg.inv(covariance)
        self._precision[LEG_TURNS] = self._precision[:, LEG_TURNS] = 0.0
        blocks = self._precision.reshape(len(rows), 3, len(rows), 3).swapaxes(1, 2)
        bends = np.isin(np.arange(len(rows)), np.array(LEGS) - 1)
        self._linked = np.nonzero((np.abs(blocks) > 1e-9).any((2, 3)) | np.outer(bends, bends))
        self._blocks = blocks[self._linked]
        self._same = np.flatnonzero(self._linked[0] == self._linked[1])
        self._legs = np.flatnonzero(bends[self._linked[0]] & bends[self._linked[1]])

    @property
    def pairs(self) -> tuple[Int[ndarray, " pairs"], Int[ndarray, " pairs"]]:
        """Number the joints of each block of the curvature, by row and by column."""
        return self._linked[0] + 1, self._linked[1] + 1

    def mean_pose(self) -> Float[ndarray, "joints 3"]:
        """Axis-angle of the likeliest pose, the root at zero."""
        return np.concatenate([np.zeros((1, 3)), self.mean])

    def energy(
        self, rotations: Float[ndarray, "batch joints 3 3"], weight: float
    ) -> Float[ndarray, " batch"]:
        """Sum the squared residuals; `weight` scales the Gaussians, not the limits."""
        bend = log_map(rotations[:, 1:])
        energy, _, _ = self._habits(bend)
        return weight * energy + (self._beyond(bend) ** 2).sum((1, 2))

    def terms(self, rotations: Float[ndarray, "batch joints 3 3"], weight: float) -> PriorTerms:
        """Linearise about `rotations` for steps `R exp(d)` taken on the right."""
        bend = log_map(rotations[:, 1:])
        beyond = self._beyond(bend)
        energy, pull, near = self._habits(bend)
        jacobian = log_jacobian(bend)
        transposed = np.swapaxes(jacobian, -1, -2)
        gradient = np.zeros((*rotations.shape[:2], 3))
        slope = weight * pull + LIMIT_STIFFNESS * beyond
        gradient[:, 1:] = (transposed @ slope[..., None])[..., 0]
        first, second = self._linked
        stiffness = np.repeat(weight * self._blocks[None], len(bend), axis=0)
        stiffness[:, self._legs] = weight * rearrange(
            near.precision, "batch (one x) (other y) -> batch (one other) x y", x=3, y=3
        )
        axes = np.arange(3)
        stiffness[:, self._same[:, None], axes, axes] += LIMIT_STIFFNESS**2 * (beyond != 0.0)
        curvature = transposed[:, first] @ stiffness @ jacobian[:, second]
        return PriorTerms(weight * energy + (beyond**2).sum((1, 2)), gradient, curvature)

    def _habits(
        self, bend: Float[ndarray, "batch bends 3"]
    ) -> tuple[Float[ndarray, " batch"], Float[ndarray, "batch bends 3"], Nearest]:
        """Give the energy without the limits, half its gradient, and what holds the legs."""
        flat = bend.reshape(len(bend), self.mean.size)
        away = flat - self.mean.ravel()
        pull = away @ self._precision
        near = self._clusters.nearest(flat[:, LEG_TURNS])
        energy = (away * pull).sum(1) + near.energy
        pull[:, LEG_TURNS] += near.pull
        return energy, pull.reshape(bend.shape), near

    def _beyond(self, bend: Float[ndarray, "batch bends 3"]) -> Float[ndarray, "batch bends 3"]:
        """Measure the excess over the limits, weighted."""
        excess = np.maximum(bend - self.upper, 0.0) + np.minimum(bend - self.lower, 0.0)
        return LIMIT_STIFFNESS * excess


def _correlations() -> Float[ndarray, "turns turns"]:
    """Write the links of both sides as one matrix over all turns of all joints but the root."""
    matrix = np.eye(3 * len(JOINT_NAMES) - 3)
    for side, other in (("l_", "r_"), ("r_", "l_")):
        for first, second, shares in LINKS:
            across = second.startswith("other ")
            row = 3 * _bend(first, side)
            column = 3 * _bend(second.removeprefix("other "), other if across else side)
            signs = (1.0, -1.0, -1.0) if across else (1.0, 1.0, 1.0)
            block = np.diag(np.multiply(shares, signs))
            matrix[row : row + 3, column : column + 3] = block
            matrix[column : column + 3, row : row + 3] = block
    return matrix


def _bend(joint: str, side: str) -> int:
    """Number a joint from the first below the root; `side` is for joints that come in pairs."""
    return JOINT_NAMES.index(joint if joint in JOINT_NAMES else side + joint) - 1


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
