"""What a good fit is: keypoints near where they were seen, joints and shape near what is usual.

`E = sum_k gm(|w_k (project(X_k) - x_k)|^2) + pose prior + shape prior` with Geman-McClure's
`gm(s) = s / (1 + s / rho^2)`, so that a keypoint far off stops pulling (SMPLify, ECCV 2016). To
this comes what is known of the points' places in space, and what misses of the face say.
"""

from copy import copy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..conventions import BETA_COUNT, JOINT_COUNT
from ..geometry.so3 import exp_map
from .data_terms import NEAREST, Places, Targets
from .hidden_face import HiddenFace
from .kinematics import Pose, Posed, Skeleton, stack
from .pose_prior import PosePrior
from .reach import ReachPrior

POSED = ("world", "joints", "points")


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Balance of the terms."""

    pose: float = 1.0
    """Of the joints' Gaussians; limits keep their stiffness."""
    shape: float = 1.0
    """Of the squared betas."""
    outlier_sigmas: float = 7.0
    """Geman-McClure's `rho`: residuals beyond it count less and less."""


class State(NamedTuple):
    """A batch of bodies with all that the next step needs."""

    pose: Pose
    posed: Posed
    residual: Float[ndarray, "batch points measures"]
    """Weighted, before the robust kernel: two of the image, then three of space if known."""
    trust: Float[ndarray, "batch points measures"]
    """Geman-McClure's factor: 1 for inliers, towards 0 for outliers."""
    energy: Float[ndarray, " batch"]

    def take(self, index: ndarray) -> "State":
        """Copy some of the bodies."""
        posed = Posed(*(getattr(self.posed, name)[index] for name in POSED))
        return State(self.pose.take(index), posed, *(each[index] for each in self[2:]))

    def put(self, index: ndarray, other: "State") -> None:
        """Overwrite some bodies by those of `other`."""
        self.pose.put(index, other.pose)
        for name in POSED:
            getattr(self.posed, name)[index] = getattr(other.posed, name)
        for mine, theirs in zip(self[2:], other[2:], strict=True):
            mine[index] = theirs


def join(states: list[State]) -> State:
    """Put batches one behind the other."""
    posed = Posed(
        *(np.concatenate([getattr(state.posed, name) for state in states]) for name in POSED)
    )
    rest = (np.concatenate(parts) for parts in zip(*(state[2:] for state in states), strict=True))
    return State(stack([state.pose for state in states]), posed, *rest)


class FitEnergy:
    """The energy of a batch of bodies, its gradient and its Gauss-Newton matrix."""

    def __init__(
        self,
        skeleton: Skeleton,
        prior: PosePrior,
        targets: Targets,
        places: Places | None = None,
        hidden: HiddenFace | None = None,
    ) -> None:
        self.skeleton, self.prior, self.targets, self.places = skeleton, prior, targets, places
        self.hidden = hidden
        self.reach = ReachPrior(skeleton)

    def take(self, index: ndarray) -> "FitEnergy":
        """Pick the energy of some bodies, or of one body many times."""
        picked = copy(self)
        picked.targets = self.targets.take(index)
        picked.places = self.places and self.places.take(index)
        picked.hidden = self.hidden and self.hidden.take(index)
        return picked

    def with_skeleton(self, skeleton: Skeleton) -> "FitEnergy":
        """Measure the same with a skeleton that has more points, of which nothing is known."""
        more = len(skeleton.joint) - len(self.skeleton.joint)
        places = self.places and self.places.padded(more)
        return FitEnergy(skeleton, self.prior, self.targets.padded(more), places, self.hidden)

    def state(self, pose: Pose, weights: Weights) -> State:
        """Place the bodies and measure their energy; infinite where a keypoint is behind."""
        posed = self.skeleton.place(pose)
        parts = [_robust(self.targets.residual(posed.points), weights)]
        if self.places is not None:
            parts.append(_robust(self.places.residual(posed.points), weights))
        residual, trust = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
        energy = self._prior_energy(pose, weights)
        for off, factor in parts:
            energy += ((off**2).sum(-1) * factor[..., 0]).sum(1)
        if self.hidden is not None:
            energy += self.hidden.energy(posed.world)
        behind = (posed.points[..., 2] < NEAREST) & (self.targets.weight > 0.0)
        energy[behind.any(1)] = np.inf
        return State(pose, posed, residual, trust, energy)

    def linearise(
        self, state: State, weights: Weights
    ) -> tuple[Float[ndarray, "batch unknowns unknowns"], Float[ndarray, "batch unknowns"]]:
        """Return the Gauss-Newton matrix and half the gradient of the energy."""
        batch = len(state.energy)
        jacobian = self._jacobian(state.posed) * state.trust[..., None]
        jacobian = jacobian.reshape(batch, -1, self.skeleton.unknowns)
        residual = (state.residual * state.trust).reshape(batch, -1, 1)
        transposed = jacobian.swapaxes(1, 2)
        matrix, gradient = transposed @ jacobian, (transposed @ residual)[..., 0]
        self._add_pose_prior(matrix, gradient, state.pose, weights.pose)
        self.reach.add_terms(matrix, gradient, state.pose.rotations, weights.pose)
        if self.hidden is not None:
            self.hidden.add_terms(matrix, gradient, state.posed.world, self.skeleton.active)
        betas = np.arange(self.skeleton.unknowns - BETA_COUNT, self.skeleton.unknowns)
        matrix[:, betas, betas] += weights.shape
        gradient[:, betas] += weights.shape * state.pose.betas
        return matrix, gradient

    def step(self, pose: Pose, step: Float[ndarray, "batch unknowns"]) -> Pose:
        """Move every unknown: turns on the right, the rest by addition."""
        active = self.skeleton.active
        turns = step[:, : 3 * len(active)].reshape(len(step), -1, 3)
        rotations = pose.rotations.copy()
        rotations[:, active] = rotations[:, active] @ exp_map(turns)
        shift, growth = step[:, -BETA_COUNT - 3 : -BETA_COUNT], step[:, -BETA_COUNT:]
        return Pose(rotations, pose.betas + growth, pose.transl + shift)

    def _jacobian(self, posed: Posed) -> Float[ndarray, "batch points measures unknowns"]:
        """Differentiate the weighted residuals."""
        rows = self.targets.rows(posed.points)
        if self.places is None:
            return self.skeleton.jacobian(posed, rows)
        identity = np.broadcast_to(np.eye(3), (*posed.points.shape, 3))
        points = self.skeleton.jacobian(posed, identity)
        return np.concatenate([rows @ points, self.places.jacobian(points)], axis=2)

    def _prior_energy(self, pose: Pose, weights: Weights) -> Float[ndarray, " batch"]:
        energy = self.prior.energy(pose.rotations, weights.pose)
        energy += self.reach.energy(pose.rotations, weights.pose)
        return energy + weights.shape * (pose.betas**2).sum(1)

    def _add_pose_prior(
        self, matrix: ndarray, gradient: ndarray, pose: Pose, weight: float
    ) -> None:
        terms = self.prior.terms(pose.rotations, weight)
        active, (first, second) = self.skeleton.active, self.prior.pairs
        gradient[:, : 3 * len(active)] += terms.gradient[:, active].reshape(
            len(gradient), 3 * len(active)
        )
        slot = np.full(JOINT_COUNT, -1)
        slot[active] = np.arange(len(active))
        both = (slot[first] >= 0) & (slot[second] >= 0)
        rows, columns = (3 * slot[side[both], None] + np.arange(3) for side in (first, second))
        matrix[:, rows[:, :, None], columns[:, None, :]] += terms.curvature[:, both]


def _robust(residual: ndarray, weights: Weights) -> tuple[ndarray, ndarray]:
    """Pair residuals with Geman-McClure's factor, the same for all numbers of one point."""
    factor = 1.0 / (1.0 + (residual**2).sum(-1, keepdims=True) / weights.outlier_sigmas**2)
    return residual, np.broadcast_to(factor, residual.shape)
