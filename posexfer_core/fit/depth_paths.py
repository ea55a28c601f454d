"""Follow limbs through frames: which way each points in depth is decided for all frames together.

A limb that some frames have bent to the wrong side in depth stays there when a motion is smoothed,
for there is a hill between the two. So each frame's limb is bent the other ways too, and Viterbi's
algorithm chooses one of them for each frame: little energy, little movement.
"""

from itertools import pairwise

import numpy as np
from einops import rearrange
from jaxtyping import Float, Int
from numpy import ndarray

from .energy import FitEnergy, State, join
from .kinematics import Pose, stack
from .levenberg_marquardt import minimise
from .limb_flips import FLIPS, LIMBS, Limb, flipped_limb
from .search import FINE

MOVE_M = 0.06
"""Usual movement of a joint from frame to frame, from the pelvis."""
LEAP = 40.0
"""Energy that a joint's movement costs at most."""


def follow_limbs(energy: FitEnergy, pose: Pose) -> Pose:
    """Bend limbs the other way in depth in those frames where the whole motion gains by it.

    Args:
        energy: of every frame, in order.
        pose: of every frame, settled.
    """
    for limb in LIMBS:
        pose = _follow(energy, pose, limb)
    return pose


def _follow(energy: FitEnergy, pose: Pose, limb: Limb) -> Pose:
    """Decide for one limb."""
    frames = np.arange(len(pose.betas))
    state = energy.state(pose, FINE.weights)
    twins = [flipped_limb(energy.skeleton, pose, state.posed, limb, flip) for flip in FLIPS]
    tried = minimise(energy.take(np.tile(frames, len(twins))), stack(twins), FINE)
    fits = join([state, tried])
    choices = rearrange(
        np.arange(len(fits.energy)), "(choices frames) -> choices frames", frames=len(frames)
    )
    return fits.pose.take(cheapest_path(fits, choices))


def cheapest_path(fits: State, choices: Int[ndarray, "choices frames"]) -> Int[ndarray, " frames"]:
    """Run Viterbi's algorithm.

    Args:
        fits: of all frames, in any order.
        choices: rows of `fits` among which each frame chooses.

    Returns:
        The row that each frame takes.
    """
    places = fits.posed.joints - fits.posed.joints[:, :1]
    frames = choices.T
    cost, came = fits.energy[frames[0]], []
    for before, here in pairwise(frames):
        total = cost[:, None] + _leap(places[before], places[here])
        came.append(total.argmin(0))
        cost = total.min(0) + fits.energy[here]
    chosen = [int(cost.argmin())]
    for back in reversed(came):
        chosen.append(int(back[chosen[-1]]))
    return frames[np.arange(len(frames)), chosen[::-1]]


def _leap(
    before: Float[ndarray, "befores joints 3"], here: Float[ndarray, "heres joints 3"]
) -> Float[ndarray, "befores heres"]:
    """Price the movements from each place to each."""
    moved = np.linalg.norm(before[:, None] - here, axis=-1) / MOVE_M
    return (moved**2 / (1.0 + moved**2 / LEAP)).sum(-1)
