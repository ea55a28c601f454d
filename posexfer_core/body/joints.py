"""SMPL's kinematic tree: joints, parents, mirrored joints, limb chains; OpenPose's keypoints."""

from typing import Literal

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from ..conventions import JOINT_COUNT

JOINT_NAMES = (
    "pelvis",
    "l_hip",
    "r_hip",
    "spine1",
    "l_knee",
    "r_knee",
    "spine2",
    "l_ankle",
    "r_ankle",
    "spine3",
    "l_foot",
    "r_foot",
    "neck",
    "l_collar",
    "r_collar",
    "head",
    "l_shoulder",
    "r_shoulder",
    "l_elbow",
    "r_elbow",
    "l_wrist",
    "r_wrist",
    "l_hand",
    "r_hand",
)
"""SMPL's joints in SMPL's order; left is the person's left."""
BODY_JOINTS = 22
"""The first of them, which SMPL, SMPL-H and SMPL-X share in the same order: all but the hands."""
HAND_JOINTS = 15
"""Finger joints of a hand of SMPL-H and SMPL-X."""
JOINT_INDEX = {name: index for index, name in enumerate(JOINT_NAMES)}

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
"""The joint that each joint hangs on; the root, the pelvis, hangs on none."""
PARENT_INDEX = np.array(PARENTS)

LimbName = Literal["left_arm", "right_arm", "left_leg", "right_leg"]
LIMB_CHAINS: dict[LimbName, tuple[int, int, int, int]] = {
    "left_arm": (16, 18, 20, 22),
    "right_arm": (17, 19, 21, 23),
    "left_leg": (1, 4, 7, 10),
    "right_leg": (2, 5, 8, 11),
}
"""Root, middle, end and tip joint of each limb: shoulder, elbow, wrist, hand; hip to foot."""
TRUNK = (0, 3, 6, 9, 12, 13, 14, 15)
"""The joints of no limb."""
TRUNK_WITHOUT_HEAD = (0, 3, 6, 9, 13, 14)
"""Those of pelvis, spine and collars."""


OPENPOSE18 = (
    *("nose", "neck", "r_shoulder", "r_elbow", "r_wrist", "l_shoulder", "l_elbow", "l_wrist"),
    *("r_hip", "r_knee", "r_ankle", "l_hip", "l_knee", "l_ankle", "r_eye", "l_eye", "r_ear"),
    "l_ear",
)
"""The keypoints of OpenPose's COCO model, in its order; r and l are the person's own sides."""


def mirrored_name(name: str) -> str:
    """Name the joint or keypoint on the other side; `mirrored_name("l_hip") == "r_hip"`."""
    sides = {"l_": "r_", "r_": "l_"}
    return sides.get(name[:2], name[:2]) + name[2:]


MIRRORED_JOINTS = np.array([JOINT_INDEX[mirrored_name(name)] for name in JOINT_NAMES])
"""The joint on the other side, for each joint."""


def _ancestors() -> Bool[ndarray, "joints joints"]:
    """Mark `[j, a]` where joint `j` is `a` or hangs on it."""
    hangs = np.eye(JOINT_COUNT, dtype=bool)
    for joint in range(1, JOINT_COUNT):
        hangs[joint] |= hangs[PARENTS[joint]]
    return hangs


ANCESTORS = _ancestors()
DEPTH = ANCESTORS.sum(1) - 1
LEVELS = [np.flatnonzero(depth == DEPTH) for depth in range(1, DEPTH.max() + 1)]
"""Joints by their distance from the root, so that a whole level is turned at once."""
