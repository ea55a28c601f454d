"""Levenberg-Marquardt on a batch of bodies at once, each with its own damping."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from .energy import FitEnergy, State, Weights
from .kinematics import BETAS, Pose


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A run of steps under one balance of terms."""

    steps: int
    weights: Weights
    rigid: bool = False
    """Move only the root and the translation."""
    tolerance: float = 1e-4
    """Stop once no body's energy falls by more than this share."""


def minimise(energy: FitEnergy, pose: Pose, stage: Stage) -> tuple[State, int]:
    """Walk every body of the batch downhill; a body never ends with more energy than it had.

    Returns:
        The last state, and how many steps were tried.
    """
    state = energy.state(pose.take(np.arange(len(pose.betas))), stage.weights)
    damping = np.full(len(state.energy), 1e-2)
    columns = _free_columns(energy, stage)
    taken = 0
    while taken < stage.steps:
        taken += 1
        matrix, gradient = energy.linearise(state, stage.weights)
        step = np.zeros_like(gradient)
        step[:, columns] = _damped_step(
            matrix[:, columns[:, None], columns], gradient[:, columns], damping
        )
        trial = energy.state(energy.step(state.pose, step), stage.weights)
        better = trial.energy < state.energy
        gain = np.where(better, state.energy - trial.energy, 0.0)
        settled = better & (gain < stage.tolerance * state.energy)
        state.put(better, trial)
        damping = np.where(better, damping * 0.3, damping * 5.0)
        if np.all(settled | (damping > 1e6)):
            break
    return state, taken


def _free_columns(energy: FitEnergy, stage: Stage) -> ndarray:
    unknowns = energy.skeleton.unknowns
    if not stage.rigid:
        return np.arange(unknowns)
    transl = unknowns - BETAS - 3
    return np.array([0, 1, 2, transl, transl + 1, transl + 2])


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
