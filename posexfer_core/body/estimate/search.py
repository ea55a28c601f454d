"""Find the body that explains the keypoints: many rough starts, few good ends.

Turn the mean body all ways round, settle each roughly, keep the best, settle those, then try to
bend each limb the other way in depth and keep what lowers the energy.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from .energy import FitEnergy, State, Targets, Weights
from .kinematics import Pose, Skeleton, stack
from .levenberg import Stage, minimise
from .limbs import limb_twins
from .prior import PosePrior
from .starts import turned_starts

RIGID = Stage(steps=6, weights=Weights(pose=8.0, outlier_sigmas=25.0), rigid=True)
ROUGH = Stage(steps=8, weights=Weights(pose=8.0, outlier_sigmas=25.0))
MIDDLE = Stage(steps=16, weights=Weights(pose=3.0, outlier_sigmas=12.0))
FINE = Stage(steps=16, weights=Weights())
TWIN = Stage(steps=10, weights=Weights())
"""From stiff and forgiving to supple and strict: misplaced starts must not look like outliers."""


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """How wide to search."""

    yaws: int = 6
    """Directions that the body first faces, evenly around; 0 where a start is given."""
    kept: int = 2
    """Starts that are followed to the end."""
    flip_limbs: bool = True
    """Try each limb bent the other way in depth."""


@dataclass
class Found:
    """What a search over one person ended with."""

    pose: Pose
    """One body."""
    energies: Float[ndarray, " hypotheses"]
    """Of every start after its last step, best first."""
    iterations: int


def search(
    skeleton: Skeleton,
    prior: PosePrior,
    targets: Targets,
    plan: SearchPlan,
    start: Pose | None = None,
) -> Found:
    """Fit one person; `targets` holds a batch of one.

    Args:
        skeleton: of the body.
        prior: what is usual.
        targets: the keypoints.
        plan: how wide to search.
        start: bodies that an estimator proposes; each is followed to the end beside the best of
            the plan's own starts.
    """
    starts, iterations = [], 0
    if plan.yaws:
        pose, iterations = _turned(skeleton, prior, targets, plan)
        starts.append(pose)
    if start is not None:
        pose, steps = _settled(skeleton, prior, targets, start)
        starts.append(pose)
        iterations += steps
    pose = stack(starts)
    energy = FitEnergy(skeleton, prior, _repeat(targets, len(pose.betas)))
    for stage in (MIDDLE, FINE):
        state, steps = minimise(energy, pose, stage)
        pose, iterations = state.pose, iterations + steps
    if plan.flip_limbs:
        state, steps = _flip_limbs(skeleton, prior, targets, state)
        iterations += steps
    order = np.argsort(state.energy)
    return Found(state.pose.take(order[:1]), np.sort(state.energy), iterations)


def _turned(
    skeleton: Skeleton, prior: PosePrior, targets: Targets, plan: SearchPlan
) -> tuple[Pose, int]:
    """Turn the mean body all ways round, settle each roughly, keep the best."""
    yaws = np.linspace(0.0, 2.0 * np.pi, plan.yaws, endpoint=False)
    energy = FitEnergy(skeleton, prior, _repeat(targets, plan.yaws))
    pose = turned_starts(skeleton, prior, energy.targets, yaws)
    iterations = 0
    for stage in (RIGID, ROUGH):
        state, steps = minimise(energy, pose, stage)
        pose, iterations = state.pose, iterations + steps
    return pose.take(np.argsort(state.energy)[: plan.kept]), iterations


def _settled(
    skeleton: Skeleton, prior: PosePrior, targets: Targets, start: Pose
) -> tuple[Pose, int]:
    """Turn and shift proposed bodies as a whole until they stand where the keypoints are."""
    energy = FitEnergy(skeleton, prior, _repeat(targets, len(start.betas)))
    state, steps = minimise(energy, start, RIGID)
    return state.pose, steps


def _flip_limbs(
    skeleton: Skeleton, prior: PosePrior, targets: Targets, state: State
) -> tuple[State, int]:
    """Settle all twins of the best body together, join the limbs that gained, settle again."""
    best = np.argsort(state.energy)[:1]
    pose = state.pose.take(best)
    posed = skeleton.place(pose)
    twins = limb_twins(skeleton, pose, posed)
    energy = FitEnergy(skeleton, prior, _repeat(targets, len(twins)))
    tried, steps = minimise(energy, stack([twin for _, twin in twins]), TWIN)
    joined = pose.take(np.array([0]))
    changed = False
    for limb in {limb.name: limb for limb, _ in twins}.values():
        mine = [i for i, (other, _) in enumerate(twins) if other is limb]
        winner = mine[int(np.argmin(tried.energy[mine]))]
        if tried.energy[winner] < state.energy[best[0]] * 0.995:
            joints = [limb.root, limb.middle]
            joined.rotations[0, joints] = tried.pose.rotations[winner, joints]
            changed = True
    if not changed:
        return state, steps
    champion = int(np.argmin(tried.energy))
    final = stack([state.pose, joined, tried.pose.take(np.array([champion]))])
    energy = FitEnergy(skeleton, prior, _repeat(targets, len(final.betas)))
    state, more = minimise(energy, final, FINE)
    return state, steps + more


def _repeat(targets: Targets, count: int) -> Targets:
    return targets.take(np.zeros(count, dtype=int))
