"""Follow one body through frames: where fits of neighbours disagree, the likeliest path is kept.

Two frames of a motion are alike, but their fits may have bent a limb to opposite sides in depth.
Every frame is fitted again from what its neighbours found, and Viterbi's algorithm chooses one of
its fits for each frame: little energy, little movement.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from .energy import FitEnergy, State, join
from .kinematics import Pose
from .levenberg import minimise
from .search import FINE

STRIDES = (1, 2, 4, 8, 16)
"""How many frames away the neighbours are whose fits are tried."""
ROUNDS = 2
APART_M = 0.12
"""Fits with no joint further apart, from the pelvis, are the same in depth."""
MOVE_M = 0.06
"""Usual movement of a joint from frame to frame, from the pelvis."""
LEAP = 40.0
"""Energy that a joint's movement costs at most."""


class _Pool(NamedTuple):
    """Fits of all frames, in no order."""

    state: State
    owner: Int[ndarray, " fits"]
    """Frame that each is of."""


def follow(energy: FitEnergy, pose: Pose) -> Pose:
    """Choose poses that go well together.

    Args:
        energy: of every frame, in order.
        pose: a fit of every frame.
    """
    frames = len(pose.betas)
    pool = _Pool(energy.state(pose, FINE.weights), np.arange(frames))
    path = np.arange(frames)
    for _ in range(ROUNDS):
        grown = _try_neighbours(energy, pool, path)
        if grown is None:
            break
        pool = grown
        path = _cheapest(pool, frames)
    return pool.state.pose.take(path)


def _try_neighbours(energy: FitEnergy, pool: _Pool, path: Int[ndarray, " frames"]) -> _Pool | None:
    """Fit frames from the poses of neighbours that differ; None where all agree."""
    places = _places(pool.state)[path]
    frames = np.arange(len(path))
    target, source = [], []
    for stride in STRIDES:
        for shift in (-stride, stride):
            here = frames[(frames + shift >= 0) & (frames + shift < len(frames))]
            apart = _distance(places[here], places[here + shift]).max(-1) > APART_M
            target.append(here[apart])
            source.append(here[apart] + shift)
    owner, start = np.concatenate(target), np.concatenate(source)
    if not len(owner):
        return None
    begun = pool.state.pose.take(path[start])
    begun.transl = pool.state.pose.transl[path[owner]]
    tried = minimise(energy.take(owner), begun, FINE)
    return _Pool(join([pool.state, tried]), np.concatenate([pool.owner, owner]))


def _cheapest(pool: _Pool, frames: int) -> Int[ndarray, " frames"]:
    """Run Viterbi's algorithm; returns which fit of the pool each frame takes."""
    places = _places(pool.state)
    rows = [np.flatnonzero(pool.owner == frame) for frame in range(frames)]
    cost, came = pool.state.energy[rows[0]], []
    for before, here in pairwise(rows):
        moved = _distance(places[before][:, None], places[here][None]) / MOVE_M
        leap = (moved**2 / (1.0 + moved**2 / LEAP)).sum(-1)
        total = cost[:, None] + leap
        came.append(total.argmin(0))
        cost = total.min(0) + pool.state.energy[here]
    chosen = [int(cost.argmin())]
    for back in reversed(came):
        chosen.append(int(back[chosen[-1]]))
    return np.array([mine[i] for mine, i in zip(rows, reversed(chosen), strict=True)])


def _places(state: State) -> Float[ndarray, "fits joints 3"]:
    """List the joints, from the pelvis."""
    return state.posed.joints - state.posed.joints[:, :1]


def _distance(one: ndarray, two: ndarray) -> ndarray:
    return np.linalg.norm(one - two, axis=-1)
