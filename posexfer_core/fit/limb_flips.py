"""Arms and legs as two bones and a hinge, and their twins bent the other way in depth.

An image fixes how far a bone leans from the image plane, but not to which side: each limb has
a twin with nearly the same image. Descent does not cross from one to the other, so both are
tried.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy import ndarray

from ..body.joints import JOINT_NAMES, PARENTS
from ..geometry.so3 import exp_map
from .kinematics import Pose, Posed, Skeleton


@dataclass(frozen=True)
class Limb:
    """Two bones with a hinge between them."""

    name: str
    root: int
    middle: int
    tip: int
    hinge: tuple[float, float, float]
    """Axis about which the middle joint bends by a positive angle, rest frame."""


def _limb(name: str, joints: tuple[str, str, str], hinge: tuple[float, float, float]) -> Limb:
    root, middle, tip = map(JOINT_NAMES.index, joints)
    return Limb(name, root, middle, tip, hinge)


LIMBS = (
    _limb("left_arm", ("l_shoulder", "l_elbow", "l_wrist"), (0.0, -1.0, 0.0)),
    _limb("right_arm", ("r_shoulder", "r_elbow", "r_wrist"), (0.0, 1.0, 0.0)),
    _limb("left_leg", ("l_hip", "l_knee", "l_ankle"), (1.0, 0.0, 0.0)),
    _limb("right_leg", ("r_hip", "r_knee", "r_ankle"), (1.0, 0.0, 0.0)),
)

FLIPS = ((True, False), (False, True), (True, True))
"""Which bones of a limb lean the other way: upper, lower, both."""


def flipped_limb(skeleton: Skeleton, pose: Pose, posed: Posed, limb: Limb, flip: tuple) -> Pose:
    """Mirror one or both bones of a limb along the line of sight and bend its hinge to fit.

    The elbow or knee stays a hinge that bends its one way; the twist goes into the shoulder or
    hip, for the prior to judge.
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
    twin = pose.take(np.arange(len(pose.betas)))
    twin.rotations[:, limb.root] = posed.world[:, PARENTS[limb.root]].swapaxes(-1, -2) @ world
    twin.rotations[:, limb.middle] = exp_map(angle[:, None] * rest_hinge)
    return twin


def limb_twins(skeleton: Skeleton, pose: Pose, posed: Posed) -> list[tuple[Limb, Pose]]:
    """Make every flip of every limb of every body; each entry holds the whole batch."""
    return [
        (limb, flipped_limb(skeleton, pose, posed, limb, flip))
        for limb, flip in product(LIMBS, FLIPS)
    ]


def _mirrored(bone: ndarray, sight: ndarray) -> ndarray:
    return bone - 2.0 * sight * (bone * sight).sum(-1, keepdims=True)


def _unit(vectors: ndarray) -> ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _frame(first: ndarray, second: ndarray) -> ndarray:
    """Stack two orthogonal unit vectors and their cross product as columns."""
    return np.stack([first, second, np.cross(first, second)], axis=-1)
