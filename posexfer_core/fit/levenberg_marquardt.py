"""Levenberg-Marquardt on a batch of bodies at once, each with its own damping."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..conventions import BETA_COUNT
from .batch import stack
from .energy import FitEnergy, State, Weights
from .kinematics import Pose

BLOCK = 48
"""Bodies minimised at once, so that their matrices stay in the processor's cache."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A run of steps under one balance of terms."""

    steps: int
    weights: Weights
    rigid: bool = False
    """Move only the root and the translation."""
    tolerance: float = 1e-4
    """Stop once no body's energy falls by more than this share."""


def minimise(energy: FitEnergy, pose: Pose, stage: Stage) -> State:
    """Minimise the energy of every body; none ends with more energy than it had."""
    rows = np.arange(len(pose.betas))
    blocks = [rows[start : start + BLOCK] for start in range(0, max(len(rows), 1), BLOCK)]
    return stack([_minimise(energy.take(block), pose.take(block), stage) for block in blocks])


def _minimise(energy: FitEnergy, pose: Pose, stage: Stage) -> State:
    """Step until every body has converged; those that have are no longer evaluated."""
    state = energy.state(pose, stage.weights)
    damping = np.full(len(state.energy), 1e-2)
    columns = np.arange(energy.skeleton.unknowns)
    if stage.rigid:
        transl = len(columns) - BETA_COUNT - 3
        columns = np.r_[0:3, transl : transl + 3]
    moving = np.arange(len(state.energy))
    for _ in range(stage.steps):
        if not len(moving):
            break
        some, here = energy.take(moving), state.take(moving)
        matrix, gradient = some.linearise(here, stage.weights)
        step = np.zeros_like(gradient)
        step[:, columns] = _damped_step(
            matrix[:, columns[:, None], columns], gradient[:, columns], damping[moving]
        )
        trial = some.state(some.step(here.pose, step), stage.weights)
        better = trial.energy < here.energy
        gain = np.where(better, here.energy - trial.energy, 0.0)
        converged = better & (gain < stage.tolerance * here.energy)
        state.put(moving[better], trial.take(np.flatnonzero(better)))
        damping[moving] *= np.where(better, 0.3, 5.0)
        moving = moving[~converged & (damping[moving] < 1e6)]
    return state


def _damped_step(
    matrix: Float[ndarray, "batch free free"],
    gradient: Float[ndarray, "batch free"],
    damping: Float[ndarray, " batch"],
) -> Float[ndarray, "batch free"]:
    """Solve `(A + damping diag(A)) step = -gradient`."""
    diagonal = np.arange(matrix.shape[-1])
    matrix[:, diagonal, diagonal] *= 1.0 + damping[:, None]
    matrix[:, diagonal, diagonal] += 1e-9
    return -np.linalg.solve(matrix, gradient[..., None])[..., 0]
