"""Hands are kept in front: how far forward each arm ends, seen from where it hangs.

Joint by joint, an arm behind the back costs hardly more than one in front of the chest, and a
image hardly tells them apart; but people keep their hands where they see them. The measure is
`(p_tip - p_root)_z / length` in the frame that the arm hangs on, with a Gaussian made by hand.
"""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..conventions import JOINT_COUNT
from ..geometry.so3 import cross_matrix
from .kinematics import Skeleton
from .limb_flips import LIMBS

ARMS = tuple(limb for limb in LIMBS if limb.name.endswith("arm"))

FORWARD_MEAN, FORWARD_DEVIATION = 0.27, 0.35
"""Shares of the arm's length; forward is positive."""


class ReachPrior:
    """Score how far forward the wrists are."""

    def __init__(self, skeleton: Skeleton) -> None:
        self._root = np.array([limb.root for limb in ARMS])
        self._middle = np.array([limb.middle for limb in ARMS])
        self._upper = skeleton.bones[self._middle]
        self._lower = skeleton.bones[[limb.tip for limb in ARMS]]
        self._length = np.linalg.norm(self._upper, axis=1) + np.linalg.norm(self._lower, axis=1)
        column = np.full(JOINT_COUNT, -1)
        column[skeleton.active] = 3 * np.arange(len(skeleton.active))
        self._columns = [
            np.concatenate([column[joint] + np.arange(3) for joint in (limb.root, limb.middle)])
            for limb in ARMS
        ]
        self._free = [np.repeat(column[[limb.root, limb.middle]] >= 0, 3) for limb in ARMS]

    def residuals(
        self, rotations: Float[ndarray, "batch joints 3 3"]
    ) -> Float[ndarray, "batch arms"]:
        """Return the deviations from the means, in sigmas."""
        forward = (rotations[:, self._root, 2] * self._whole(rotations)).sum(-1)
        return (forward / self._length - FORWARD_MEAN) / FORWARD_DEVIATION

    def energy(
        self, rotations: Float[ndarray, "batch joints 3 3"], weight: float
    ) -> Float[ndarray, " batch"]:
        """Sum the squared residuals."""
        return weight * (self.residuals(rotations) ** 2).sum(1)

    def add_terms(
        self,
        matrix: Float[ndarray, "batch unknowns unknowns"],
        gradient: Float[ndarray, "batch unknowns"],
        rotations: Float[ndarray, "batch joints 3 3"],
        weight: float,
    ) -> None:
        """Add the Gauss-Newton terms of the turns of both joints of every arm."""
        residual, jacobian = self.residuals(rotations), self._jacobian(rotations)
        for arm, (columns, free) in enumerate(zip(self._columns, self._free, strict=True)):
            slope, columns = jacobian[:, arm, free], columns[free]
            gradient[:, columns] += weight * residual[:, arm, None] * slope
            matrix[:, columns[:, None], columns] += weight * slope[:, :, None] * slope[:, None]

    def _whole(
        self, rotations: Float[ndarray, "batch joints 3 3"]
    ) -> Float[ndarray, "batch arms 3"]:
        """Reach from root to tip in the root joint's own frame, metres."""
        return self._upper + (rotations[:, self._middle] @ self._lower[..., None])[..., 0]

    def _jacobian(
        self, rotations: Float[ndarray, "batch joints 3 3"]
    ) -> Float[ndarray, "batch arms 6"]:
        """Differentiate the residuals by right turns of the root and of the middle joint."""
        forward = rotations[:, self._root, 2:]  # z row: the frame it hangs on, seen from the root
        middle = rotations[:, self._middle]
        by_root = -forward @ cross_matrix(self._whole(rotations))
        by_middle = -forward @ middle @ cross_matrix(self._lower)
        scale = (self._length * FORWARD_DEVIATION)[:, None]
        return np.concatenate([by_root, by_middle], axis=-1)[:, :, 0] / scale
