"""Find the body that explains the keypoints: many rough starts, few good ends.

Turn the mean body all ways round, settle each roughly, keep the best, settle those, then try to
bend each limb the other way in depth and keep what lowers the energy.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from .energy import FitEnergy, State, Weights, join
from .initialisation import yawed_poses
from .kinematics import Pose, stack
from .levenberg_marquardt import Stage, minimise
from .limb_flips import limb_twins

FREE = Weights(pose=0.7, shape=0.3)
"""Poses and shapes freer than people's are, for tools mark joints elsewhere: a trunk that is marked
short else leans, to look so."""
RIGID = Stage(steps=6, weights=Weights(pose=8.0, outlier_sigmas=25.0), rigid=True)
ROUGH = Stage(steps=8, weights=Weights(pose=8.0, outlier_sigmas=25.0))
MIDDLE = Stage(steps=16, weights=Weights(pose=3.0, outlier_sigmas=12.0))
FINE, TWIN = Stage(steps=16, weights=FREE), Stage(steps=10, weights=FREE)
"""From stiff and forgiving to supple and strict: misplaced starts must not look like outliers."""

ALIKE_M = 0.02
"""Mean distance of joints below which two bodies settle in the same pose."""
GAIN = 0.005
"""Share of the energy that a flipped limb must save."""


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """How wide to search."""

    yaws: int = 6
    """Directions that the body first faces, evenly around; 0 where a start is given."""
    kept: int = 2
    """Starts that are followed to the end."""
    flip_limbs: bool = True
    """Try each limb bent the other way in depth."""
    lift: bool = True
    """Lean on what a network says of depth, where no estimator has."""


@dataclass
class Proposals:
    """Bodies that another estimator proposes."""

    pose: Pose
    owner: Int[ndarray, " proposals"]
    """Row of the person that each is of."""


@dataclass
class Found:
    """What a search ended with."""

    pose: Pose
    """One body for each person."""
    energies: list[Float[ndarray, "_"]]
    """For each person, of every hypothesis after its last step, best first."""


def search(energy: FitEnergy, plan: SearchPlan, proposals: Proposals | None = None) -> Found:
    """Fit a batch of people, one row of `energy` each.

    Args:
        energy: of every person.
        plan: how wide to search.
        proposals: followed to the end beside the best of the plan's own starts.
    """
    people = len(energy.targets.focal_px)
    starts, owners = [], []
    if plan.yaws:
        starts.append(_turned(energy, plan, people))
        owners.append(np.repeat(np.arange(people), min(plan.kept, plan.yaws)))
    if proposals is not None:
        starts.append(minimise(energy.take(proposals.owner), proposals.pose, RIGID).pose)
        owners.append(proposals.owner)
    owner = np.concatenate(owners)
    state = _descend(energy.take(owner), stack(starts), (MIDDLE, FINE))
    if plan.flip_limbs:
        best = [_ranked(state, owner, person)[0] for person in range(people)]
        flipped, of_whom = _flip_limbs(energy, state.take(np.array(best)))
        state, owner = join([state, flipped]), np.concatenate([owner, of_whom])
    ranked = [_ranked(state, owner, person) for person in range(people)]
    best = np.array([rows[0] for rows in ranked])
    return Found(state.pose.take(best), [state.energy[rows] for rows in ranked])


def _turned(energy: FitEnergy, plan: SearchPlan, people: int) -> Pose:
    """Turn the mean body all ways round, settle each roughly, keep everyone's best."""
    yaws = np.linspace(0.0, 2.0 * np.pi, plan.yaws, endpoint=False)
    turned = energy.take(np.repeat(np.arange(people), plan.yaws))
    pose = yawed_poses(energy.skeleton, energy.prior, turned.targets, np.tile(yaws, people))
    state = _descend(turned, pose, (RIGID, ROUGH))
    bodies = np.arange(people * plan.yaws).reshape(people, plan.yaws)
    kept = [
        mine[_best_unlike(state.energy[mine], state.posed.joints[mine], plan.kept)]
        for mine in bodies
    ]
    return state.pose.take(np.concatenate(kept))


def _best_unlike(
    energy: Float[ndarray, " bodies"], joints: Float[ndarray, "bodies 24 3"], count: int
) -> Int[ndarray, " kept"]:
    """Choose the best bodies of one person; those that are like a better one come last."""
    order = np.argsort(energy)
    unlike: list[int] = []
    for body in order:
        apart = np.linalg.norm(joints[unlike] - joints[body], axis=-1).mean(-1)
        if (apart > ALIKE_M).all():
            unlike.append(body)
    return np.array([*unlike, *np.setdiff1d(order, unlike, assume_unique=True)])[:count]


def _flip_limbs(energy: FitEnergy, reached: State) -> tuple[State, Int[ndarray, " hypotheses"]]:
    """Settle all twins of everyone together, join the limbs that gained, settle again.

    Returns:
        The new ends of those people who gained, and whose each is.
    """
    everyone, pose = np.arange(len(reached.energy)), reached.pose
    twins = limb_twins(energy.skeleton, pose, reached.posed)
    trials = energy.take(np.tile(everyone, len(twins)))
    tried = minimise(trials, stack([twin for _, twin in twins]), TWIN)
    energies = tried.energy.reshape(len(twins), -1)
    joined, changed = pose.take(everyone), np.zeros(len(everyone), dtype=bool)
    for limb in {limb.name: limb for limb, _ in twins}.values():
        mine = np.array([i for i, (other, _) in enumerate(twins) if other is limb])
        winner = mine[energies[mine].argmin(0)]
        gains = energies[winner, everyone] < reached.energy * (1.0 - GAIN)
        source = (winner * len(everyone) + everyone)[gains]
        for joint in (limb.root, limb.middle):
            joined.rotations[gains, joint] = tried.pose.rotations[source, joint]
        changed |= gains
    gained = np.flatnonzero(changed)
    champion = (energies.argmin(0) * len(everyone) + everyone)[gained]
    final = stack([joined.take(gained), tried.pose.take(champion)])
    owner = np.tile(gained, 2)
    return minimise(energy.take(owner), final, FINE), owner


def _ranked(state: State, owner: Int[ndarray, " batch"], person: int) -> Int[ndarray, " mine"]:
    """List the rows of one person, best first."""
    rows = np.flatnonzero(owner == person)
    return rows[np.argsort(state.energy[rows])]


def _descend(energy: FitEnergy, pose: Pose, stages: tuple[Stage, ...]) -> State:
    """Go through stages, at least one."""
    state = minimise(energy, pose, stages[0])
    for stage in stages[1:]:
        state = minimise(energy, state.pose, stage)
    return state
