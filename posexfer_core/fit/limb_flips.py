"""Limbs flipped in depth: the other poses of an arm or leg with nearly the same image.

An image fixes how far a bone leans from the image plane, but not to which side. The minimiser does
not cross from one pose to the other, so each is tried.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy import ndarray

from ..body.joints import LIMB_CHAINS, PARENTS, LimbName
from ..geometry.so3 import exp_map
from .kinematics import Pose, Posed, Skeleton


@dataclass(frozen=True)
class Limb:
    """Two bones with a hinge between them."""

    root: int
    middle: int
    tip: int
    hinge: tuple[float, float, float]
    """Axis about which the middle joint bends by a positive angle, rest frame."""


HINGES: dict[LimbName, tuple[float, float, float]] = {
    "left_arm": (0.0, -1.0, 0.0),
    "right_arm": (0.0, 1.0, 0.0),
    "left_leg": (1.0, 0.0, 0.0),
    "right_leg": (1.0, 0.0, 0.0),
}
LIMBS = {name: Limb(*LIMB_CHAINS[name][:3], hinge) for name, hinge in HINGES.items()}
FLIPS = ((True, False), (False, True), (True, True))
"""Which bones of a limb are mirrored: upper, lower, both."""


def flipped_limb(skeleton: Skeleton, pose: Pose, posed: Posed, limb: Limb, flip: tuple) -> Pose:
    """Mirror one or both bones of a limb along the line of sight.

    The elbow or knee stays a hinge that bends one way; the twist goes into the shoulder or hip.
    """
    sight = posed.joints[:, limb.root] / np.linalg.norm(
        posed.joints[:, limb.root], axis=-1, keepdims=True
    )
    upper = posed.joints[:, limb.middle] - posed.joints[:, limb.root]
    lower = posed.joints[:, limb.tip] - posed.joints[:, limb.middle]
    upper, lower = (
        _mirrored(bone, sight) if turn else bone
        for bone, turn in zip((upper, lower), flip, strict=True)
    )
    hinge = np.array(limb.hinge)
    rest_upper = _unit(skeleton.bones[limb.middle])
    rest_hinge = _unit(hinge - rest_upper * (hinge @ rest_upper))
    upper, lower = _unit(upper), _unit(lower)
    bend = np.cross(upper, lower)  # near zero for a straight limb, which keeps its old hinge
    bend += 0.05 * (posed.world[:, limb.root] @ rest_hinge)
    bend = _unit(bend - upper * (bend * upper).sum(-1, keepdims=True))
    world = _frame(upper, bend) @ _frame(rest_upper, rest_hinge).T
    sine = (np.cross(upper, lower) * bend).sum(-1)
    angle = np.arctan2(sine, (upper * lower).sum(-1))
    flipped = pose.take(np.arange(len(pose.betas)))
    flipped.rotations[:, limb.root] = posed.world[:, PARENTS[limb.root]].swapaxes(-1, -2) @ world
    flipped.rotations[:, limb.middle] = exp_map(angle[:, None] * rest_hinge)
    return flipped


def flipped_limbs(skeleton: Skeleton, pose: Pose, posed: Posed) -> list[tuple[Limb, Pose]]:
    """Make every flip of every limb; each entry holds the whole batch."""
    return [
        (limb, flipped_limb(skeleton, pose, posed, limb, flip))
        for limb, flip in product(LIMBS.values(), FLIPS)
    ]


def _mirrored(bone: ndarray, sight: ndarray) -> ndarray:
    return bone - 2.0 * sight * (bone * sight).sum(-1, keepdims=True)


def _unit(vectors: ndarray) -> ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _frame(first: ndarray, second: ndarray) -> ndarray:
    """Stack two orthogonal unit vectors and their cross product as columns."""
    return np.stack([first, second, np.cross(first, second)], axis=-1)
