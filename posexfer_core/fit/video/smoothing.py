"""Fit all frames of a motion at once, with a robust penalty on accelerations.

`E = sum_t E_t + sum_tj gm(|a_tj|^2 / sigma^2)`: `E_t` is the energy of a single fit, keypoints
weighted by their confidence; `a_tj = log(R_t' R_t+1) - log(R_t-1' R_t)` is the angular acceleration
of a joint, and the pelvis has a linear one too. The shape is one for all frames. Gauss-Newton
steps move all frames together, so that what one image leaves open (depth, above all) is decided by
its neighbours.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from einops import rearrange, repeat
from jaxtyping import Float
from numpy import ndarray

from ...conventions import BETA_COUNT
from ...geometry.so3 import log_map
from ..energy import FitEnergy, State
from ..kinematics import Pose
from ..search import FINE
from .banded_solver import Banded

SHAPE_SIGMA = 1e-3
"""Change of the betas from frame to frame: none, in effect."""


@dataclass(frozen=True, kw_only=True)
class Smoothing:
    """How much a motion may accelerate."""

    turn_rad: float = 0.02
    """Usual angular acceleration of a joint, radians per frame squared."""
    shift_m: float = 0.01
    """Usual acceleration of the pelvis, metres per frame squared."""
    outlier_sigmas: float = 20.0
    """Geman-McClure's `rho`, in usual accelerations."""
    steps: int = 30
    tolerance: float = 1e-4
    """Stop once the energy falls by no more than this share."""

    @classmethod
    def of_strength(cls, strength: float) -> "Smoothing":
        """Divide the usual accelerations: 1 is the default, 2 halves them."""
        usual = cls()
        return cls(turn_rad=usual.turn_rad / strength, shift_m=usual.shift_m / strength)


class Accelerations(NamedTuple):
    """Accelerations of a motion, in usual accelerations."""

    residual: Float[ndarray, "inner unknowns"]
    robust: Float[ndarray, "inner unknowns"]
    """Root of Geman-McClure's weight: 1 for inliers, towards 0 for outliers."""
    growth: Float[ndarray, "steps 10"]
    """Changes of the betas, in `SHAPE_SIGMA`."""
    energy: float


def smooth_motion(energy: FitEnergy, pose: Pose, smoothing: Smoothing) -> Pose:
    """Minimise the energy of all frames and of their accelerations.

    Args:
        energy: of every frame, in order.
        pose: of every frame, each near a good fit of its own.
        smoothing: how much the motion may accelerate.
    """
    state = energy.state(pose, FINE.weights)
    accelerations = _accelerations(energy, pose, smoothing)
    damping, total = 1e-3, float(state.energy.sum()) + accelerations.energy
    for _ in range(smoothing.steps):
        step = _step(energy, state, accelerations, smoothing, damping)
        moved = energy.step(state.pose, step)
        trial = energy.state(moved, FINE.weights)
        trial_accelerations = _accelerations(energy, moved, smoothing)
        reached = float(trial.energy.sum()) + trial_accelerations.energy
        if reached >= total:
            damping *= 10.0
            continue
        converged = total - reached < smoothing.tolerance * total
        state, accelerations, total = trial, trial_accelerations, reached
        damping *= 0.3
        if converged:
            break
    betas = np.broadcast_to(state.pose.betas.mean(0), state.pose.betas.shape).copy()
    return Pose(state.pose.rotations, betas, state.pose.transl)


def median_of_three(pose: Pose) -> Pose:
    """Take each rotation from that of three successive frames which is nearest to the other two.

    A limb that single frames have on the wrong side in depth is an outlier to `smooth_motion`,
    which would leave it there.
    """
    frames, joints = pose.rotations.shape[:2]
    if frames < 3:
        return pose
    three = np.clip(np.arange(frames) - 1, 0, frames - 3)[:, None] + np.arange(3)
    turns = pose.rotations[three]
    apart = np.linalg.norm(turns[:, :, None] - turns[:, None], axis=(-2, -1)).sum(2)
    nearest = np.take_along_axis(three, apart.argmin(1), axis=1)
    return Pose(pose.rotations[nearest, np.arange(joints)], pose.betas, pose.transl)


def _accelerations(energy: FitEnergy, pose: Pose, smoothing: Smoothing) -> Accelerations:
    """Measure the accelerations of the active joints and the pelvis."""
    active = energy.skeleton.active
    turns = pose.rotations[:, active]
    speed = log_map(turns[:-1].swapaxes(-1, -2) @ turns[1:]) / smoothing.turn_rad
    drift = np.diff(pose.transl, axis=0)[:, None] / smoothing.shift_m
    residual = np.diff(np.concatenate([speed, drift], axis=1), axis=0)
    square = (residual**2).sum(-1, keepdims=True)
    robust = 1.0 / (1.0 + square / smoothing.outlier_sigmas**2)
    growth = np.diff(pose.betas, axis=0) / SHAPE_SIGMA
    return Accelerations(
        rearrange(residual, "inner joints axes -> inner (joints axes)"),
        repeat(robust, "inner joints 1 -> inner (joints axes)", axes=3),
        growth,
        float((square * robust).sum() + (growth**2).sum()),
    )


def _step(
    energy: FitEnergy,
    state: State,
    accelerations: Accelerations,
    smoothing: Smoothing,
    damping: float,
) -> Float[ndarray, "frames unknowns"]:
    """Solve the damped Gauss-Newton system of all frames."""
    matrix, gradient = energy.linearise(state, FINE.weights)
    index = np.arange(matrix.shape[-1])
    matrix[:, index, index] *= 1.0 + damping
    matrix[:, index, index] += 1e-9
    system = Banded.of_blocks(matrix)
    _add_accelerations(system, gradient, accelerations, smoothing)
    _add_growth(system, gradient, accelerations.growth)
    return -system.solve(gradient)


def _add_accelerations(
    system: Banded, gradient: ndarray, accelerations: Accelerations, smoothing: Smoothing
) -> None:
    """Add the terms of second differences: `1, -2, 1` in every row."""
    scale = np.full(gradient.shape[1] - BETA_COUNT, 1.0 / smoothing.turn_rad)
    scale[-3:] = 1.0 / smoothing.shift_m
    moving, inner = np.arange(len(scale)), len(accelerations.residual)
    stiffness = (accelerations.robust * scale) ** 2
    slope = accelerations.robust**2 * accelerations.residual * scale
    for offset, factor in enumerate((1.0, -2.0, 1.0)):
        rows = slice(offset, offset + inner)
        system.diagonal[rows, moving, moving] += factor**2 * stiffness
        gradient[rows, moving] += factor * slope
    for offset in (0, 1):
        system.next[offset : offset + inner, moving] -= 2.0 * stiffness
    system.second[:, moving] += stiffness


def _add_growth(system: Banded, gradient: ndarray, growth: Float[ndarray, "steps 10"]) -> None:
    """Add the terms of the betas' first differences: `-1, 1` in every row."""
    shape, steps = np.arange(gradient.shape[1] - BETA_COUNT, gradient.shape[1]), len(growth)
    for offset, factor in enumerate((-1.0, 1.0)):
        rows = slice(offset, offset + steps)
        system.diagonal[rows, shape, shape] += 1.0 / SHAPE_SIGMA**2
        gradient[rows, shape] += factor * growth / SHAPE_SIGMA
    system.next[:, shape] -= 1.0 / SHAPE_SIGMA**2
