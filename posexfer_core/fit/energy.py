"""The energy that a fit minimises, its gradient and its Gauss-Newton matrix.

`E = sum_k gm(|w_k (project(X_k) - x_k)|^2) + gm(|v_k (X_k - Y_k)|^2) + pose prior + shape prior`:
keypoints `X` against their pixels `x` and 3D targets `Y`, with Geman-McClure's
`gm(s) = s / (1 + s / rho^2)`, which bounds the cost of outliers (SMPLify, ECCV 2016).
"""

from copy import copy
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..conventions import BETA_COUNT, JOINT_COUNT
from ..geometry.so3 import exp_map
from .batch import Batch
from .data_terms import NEAREST, Targets2D, Targets3D
from .kinematics import Pose, Posed, Skeleton
from .pose_prior import PosePrior


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Balance of the terms."""

    pose: float = 0.7
    """Of the joints' Gaussians; limits keep their stiffness."""
    shape: float = 0.3
    """Of the squared betas: below 1, for a trunk that is marked short would else have to lean."""
    outlier_sigmas: float = 7.0
    """Geman-McClure's `rho`."""


@dataclass
class State(Batch):
    """A batch of bodies with all that the next step needs."""

    pose: Pose
    posed: Posed
    residual: Float[ndarray, "batch points 5"]
    """Weighted, before the robust kernel: two of the image, then three of space."""
    robust: Float[ndarray, "batch points 5"]
    """Root of Geman-McClure's weight: 1 for inliers, towards 0 for outliers."""
    energy: Float[ndarray, " batch"]


class FitEnergy:
    """The energy of a batch of bodies."""

    def __init__(
        self, skeleton: Skeleton, prior: PosePrior, image: Targets2D, space: Targets3D
    ) -> None:
        self.skeleton, self.prior, self.image, self.space = skeleton, prior, image, space

    def take(self, index: ndarray) -> "FitEnergy":
        """Pick the energy of some bodies, or of one body many times."""
        picked = copy(self)
        picked.image, picked.space = self.image.take(index), self.space.take(index)
        return picked

    def with_skeleton(self, skeleton: Skeleton) -> "FitEnergy":
        """Exchange the skeleton for one with more points at its end, which nothing measures."""
        more = len(skeleton.joint) - len(self.skeleton.joint)
        return FitEnergy(skeleton, self.prior, self.image.padded(more), self.space.padded(more))

    def state(self, pose: Pose, weights: Weights) -> State:
        """Compute the energy; infinite where a seen keypoint is behind the camera."""
        posed = self.skeleton.place(pose)
        energy = self.prior.energy(pose.rotations, weights.pose)
        energy += weights.shape * (pose.betas**2).sum(1)
        residuals, factors = [], []
        for targets in (self.image, self.space):
            residual = targets.residual(posed.points)
            squared = (residual**2).sum(-1, keepdims=True)
            factor = 1.0 / (1.0 + squared / weights.outlier_sigmas**2)
            energy += (squared * factor).sum((1, 2))
            residuals.append(residual)
            factors.append(np.broadcast_to(factor, residual.shape))
        behind = (posed.points[..., 2] < NEAREST) & (self.image.weight > 0.0)
        energy[behind.any(1)] = np.inf
        return State(
            pose, posed, np.concatenate(residuals, -1), np.concatenate(factors, -1), energy
        )

    def linearise(
        self, state: State, weights: Weights
    ) -> tuple[Float[ndarray, "batch unknowns unknowns"], Float[ndarray, "batch unknowns"]]:
        """Return the Gauss-Newton matrix and half the gradient of the energy."""
        batch, points = state.posed.points.shape[:2]
        identity = np.broadcast_to(np.eye(3), (batch, points, 3, 3))
        moved = self.skeleton.jacobian(state.posed, identity)
        parts = [self.image.rows(state.posed.points) @ moved, self.space.jacobian(moved)]
        jacobian = np.concatenate(parts, axis=2) * state.robust[..., None]
        jacobian = jacobian.reshape(batch, -1, self.skeleton.unknowns)
        residual = (state.residual * state.robust).reshape(batch, -1, 1)
        transposed = jacobian.swapaxes(1, 2)
        matrix, gradient = transposed @ jacobian, (transposed @ residual)[..., 0]
        self._add_pose_prior(matrix, gradient, state.pose, weights.pose)
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

    def _add_pose_prior(
        self, matrix: ndarray, gradient: ndarray, pose: Pose, weight: float
    ) -> None:
        terms = self.prior.terms(pose.rotations, weight)
        active, (first, second) = self.skeleton.active, self.prior.pairs
        turns = 3 * len(active)
        gradient[:, :turns] += terms.gradient[:, active].reshape(len(gradient), turns)
        slot = np.full(JOINT_COUNT, -1)
        slot[active] = np.arange(len(active))
        both = (slot[first] >= 0) & (slot[second] >= 0)
        rows, columns = (3 * slot[side[both], None] + np.arange(3) for side in (first, second))
        matrix[:, rows[:, :, None], columns[:, None, :]] += terms.curvature[:, both]
