"""What a good fit is: keypoints near where they were seen, joints and shape near what is usual.

`E = sum_k gm(|w_k (project(X_k) - x_k)|^2) + pose prior + shape prior` with Geman-McClure's
`gm(s) = s / (1 + s / rho^2)`, so that a keypoint far off stops pulling (SMPLify, ECCV 2016).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from .kinematics import BETAS, Pose, Posed, Skeleton
from .prior import PosePrior
from .reach import ReachPrior
from .so3 import exp_map

NEAREST = 0.1
"""Metres; nothing is projected from nearer."""


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
    residual: Float[ndarray, "batch points 2"]
    """Weighted, before the robust kernel."""
    trust: Float[ndarray, "batch points"]
    """Geman-McClure's factor: 1 for inliers, towards 0 for outliers."""
    energy: Float[ndarray, " batch"]

    def put(self, index: Bool[ndarray, " batch"], other: "State") -> None:
        """Overwrite some bodies by those of `other`."""
        self.pose.put(index, other.pose.take(index))
        for name in ("world", "joints", "points"):
            getattr(self.posed, name)[index] = getattr(other.posed, name)[index]
        for mine, theirs in zip(self[2:], other[2:], strict=True):
            mine[index] = theirs[index]


class FitEnergy:
    """The energy of a batch of bodies, its gradient and its Gauss-Newton matrix."""

    def __init__(self, skeleton: Skeleton, prior: PosePrior, targets: Targets) -> None:
        self.skeleton, self.prior, self.targets = skeleton, prior, targets
        self.reach = ReachPrior(skeleton)

    def project(self, points: Float[ndarray, "batch points 3"]) -> Float[ndarray, "batch points 2"]:
        """Project into the picture, pixels."""
        depth = np.maximum(points[..., 2:], NEAREST)
        focal = self.targets.focal_px[:, None, None]
        return focal * points[..., :2] / depth + self.targets.center[:, None]

    def state(self, pose: Pose, weights: Weights) -> State:
        """Place the bodies and measure their energy; infinite where a keypoint is behind."""
        posed = self.skeleton.place(pose)
        error = self.project(posed.points) - self.targets.pixels
        residual = error * self.targets.weight[..., None]
        squared = (residual**2).sum(-1)
        trust = 1.0 / (1.0 + squared / weights.outlier_sigmas**2)
        energy = (squared * trust).sum(1) + self.prior.energy(pose.rotations, weights.pose)
        energy += self.reach.energy(pose.rotations, weights.pose)
        energy += weights.shape * (pose.betas**2).sum(1)
        energy[posed.points[..., 2].min(1) < NEAREST] = np.inf
        return State(pose, posed, residual, trust, energy)

    def linearise(
        self, state: State, weights: Weights
    ) -> tuple[Float[ndarray, "batch unknowns unknowns"], Float[ndarray, "batch unknowns"]]:
        """Return the Gauss-Newton matrix and half the gradient of the energy."""
        batch = len(state.energy)
        scale = self.targets.weight * state.trust
        jacobian = self.skeleton.jacobian(state.posed, self._camera_rows(state.posed, scale))
        jacobian = jacobian.reshape(batch, -1, self.skeleton.unknowns)
        residual = (state.residual * state.trust[..., None]).reshape(batch, -1, 1)
        transposed = jacobian.swapaxes(1, 2)
        matrix, gradient = transposed @ jacobian, (transposed @ residual)[..., 0]
        self._add_pose_prior(matrix, gradient, state.pose, weights.pose)
        self.reach.add_terms(matrix, gradient, state.pose.rotations, weights.pose)
        betas = np.arange(self.skeleton.unknowns - BETAS, self.skeleton.unknowns)
        matrix[:, betas, betas] += weights.shape
        gradient[:, betas] += weights.shape * state.pose.betas
        return matrix, gradient

    def step(self, pose: Pose, step: Float[ndarray, "batch unknowns"]) -> Pose:
        """Move every unknown: turns on the right, the rest by addition."""
        active = self.skeleton.active
        turns = step[:, : 3 * len(active)].reshape(len(step), -1, 3)
        rotations = pose.rotations.copy()
        rotations[:, active] = rotations[:, active] @ exp_map(turns)
        shift, growth = step[:, -BETAS - 3 : -BETAS], step[:, -BETAS:]
        return Pose(rotations, pose.betas + growth, pose.transl + shift)

    def _camera_rows(
        self, posed: Posed, scale: Float[ndarray, "batch points"]
    ) -> Float[ndarray, "batch points 2 3"]:
        """Differentiate the weighted pixels by the point in the camera frame."""
        x, y, z = np.moveaxis(posed.points, -1, 0)
        z = np.maximum(z, NEAREST)
        gain = scale * self.targets.focal_px[:, None] / z
        rows = np.zeros((*z.shape, 2, 3))
        rows[..., 0, 0] = rows[..., 1, 1] = gain
        rows[..., 0, 2], rows[..., 1, 2] = -gain * x / z, -gain * y / z
        return rows

    def _add_pose_prior(
        self, matrix: ndarray, gradient: ndarray, pose: Pose, weight: float
    ) -> None:
        terms = self.prior.terms(pose.rotations, weight)
        active = self.skeleton.active
        gradient[:, : 3 * len(active)] += terms.gradient[:, active].reshape(len(gradient), -1)
        columns = np.arange(3 * len(active)).reshape(-1, 3)
        matrix[:, columns[:, :, None], columns[:, None, :]] += terms.curvature[:, active]
