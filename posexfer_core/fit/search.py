"""Minimise the energy from several initial poses, coarse to fine, then with limbs flipped."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from .batch import stack
from .energy import FitEnergy, State, Weights
from .initialisation import yawed_poses
from .kinematics import Pose
from .levenberg_marquardt import Stage, minimise
from .limb_flips import flipped_limbs

RIGID = Stage(steps=6, weights=Weights(pose=8.0, outlier_sigmas=25.0), rigid=True)
ROUGH = Stage(steps=8, weights=Weights(pose=8.0, outlier_sigmas=25.0))
MIDDLE = Stage(steps=16, weights=Weights(pose=3.0, outlier_sigmas=12.0))
FINE, FLIPPED = Stage(steps=16, weights=Weights()), Stage(steps=10, weights=Weights())
"""From a stiff prior and a wide kernel to the true energy: from a distant initial pose most
keypoints look like outliers."""
MOVED_M = 0.2
"""Flips that move every joint by less are not tried: they end where they came from."""
GAIN = 0.005
"""Share of the energy that a flipped limb must save."""


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """How wide to search."""

    yaws: int = 3
    """Directions that the mean body first faces, evenly around; 0 where initial poses are given."""
    flip_limbs: bool = True
    """Try each limb flipped in depth."""
    lift: bool = True
    """Lift keypoints into space by the pose lifter, for people without 3D joints."""


IN_SPACE = SearchPlan(flip_limbs=False)
"""Where 3D joints are given: depth is known."""


@dataclass
class InitialPoses:
    """Poses from another estimator."""

    pose: Pose
    owner: Int[ndarray, " poses"]
    """Row of the person that each is of."""


def search(energy: FitEnergy, plan: SearchPlan, initial: InitialPoses | None = None) -> Pose:
    """Fit a batch of people, one row of `energy` each.

    Args:
        energy: of every person.
        plan: how wide to search.
        initial: minimised beside the best of the plan's own initial poses.
    """
    people = np.arange(len(energy.image.focal_px))
    poses, owner = [], []
    if plan.yaws:
        poses.append(_best_yaws(energy, plan.yaws))
        owner.append(people)
    if initial is not None:
        poses.append(minimise(energy.take(initial.owner), initial.pose, RIGID).pose)
        owner.append(initial.owner)
    owner = np.concatenate(owner)
    middle = minimise(energy.take(owner), stack(poses), MIDDLE)
    state = _best(minimise(energy.take(owner), middle.pose, FINE), owner)
    return (_flip_limbs(energy, state) if plan.flip_limbs else state).pose


def _best_yaws(energy: FitEnergy, yaws: int) -> Pose:
    """Minimise roughly from each yaw, keep everyone's best."""
    owner = np.repeat(np.arange(len(energy.image.focal_px)), yaws)
    turned = energy.take(owner)
    angles = 2.0 * np.pi / yaws * (np.arange(len(owner)) % yaws)
    pose = yawed_poses(energy.skeleton, energy.prior, turned.image, angles)
    rigid = minimise(turned, pose, RIGID)
    return _best(minimise(turned, rigid.pose, ROUGH), owner).pose


def _best(state: State, owner: Int[ndarray, " batch"]) -> State:
    """Pick the row of least energy for each person, in order."""
    order = np.lexsort((state.energy, owner))
    return state.take(order[np.unique(owner[order], return_index=True)[1]])


def _flip_limbs(energy: FitEnergy, state: State) -> State:
    """Minimise flips of everyone at once, combine the limbs that gained, minimise again."""
    flips = flipped_limbs(energy.skeleton, state.pose, state.posed)
    people = np.arange(len(state.energy))
    owner = np.tile(people, len(flips))
    poses = stack([pose for _, pose in flips])
    moved = energy.skeleton.place(poses).joints - state.posed.joints[owner]
    rows = np.flatnonzero(np.linalg.norm(moved, axis=-1).max(-1) > MOVED_M)
    tried = minimise(energy.take(owner[rows]), poses.take(rows), FLIPPED)
    poses.put(rows, tried.pose)
    energies = np.full(len(owner), np.inf)
    energies[rows] = tried.energy
    energies = energies.reshape(len(flips), -1)
    combined, gained = state.pose.take(people), np.zeros(len(people), dtype=bool)
    for limb in dict.fromkeys(limb for limb, _ in flips):
        mine = np.array([row for row, (other, _) in enumerate(flips) if other is limb])
        winner = mine[energies[mine].argmin(0)]
        gains = energies[winner, people] < state.energy * (1.0 - GAIN)
        source = (winner * len(people) + people)[gains]
        for joint in (limb.root, limb.middle):
            combined.rotations[gains, joint] = poses.rotations[source, joint]
        gained |= gains
    rows = np.flatnonzero(gained)
    best_single = (energies.argmin(0) * len(people) + people)[rows]
    final = stack([combined.take(rows), poses.take(best_single)])
    settled = minimise(energy.take(np.tile(rows, 2)), final, FINE)
    return _best(stack([state, settled]), np.concatenate([people, rows, rows]))
