"""How far each joint of a fit can be trusted, from the keypoints that speak of it."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..model import JOINT_NAMES

WITNESSES: dict[str, tuple[tuple[str, ...], ...]] = {
    "pelvis": (("l_hip",), ("r_hip",)),
    "spine": (("l_hip",), ("r_hip",), ("l_shoulder",), ("r_shoulder",)),
    "neck": (("l_shoulder", "neck"), ("r_shoulder", "neck")),
    "head": (("nose", "l_eye", "r_eye"), ("l_ear", "r_ear", "nose")),
    "collar": (("l_shoulder",),),
    "shoulder": (("l_shoulder",),),
    "elbow": (("l_elbow",),),
    "wrist": (("l_wrist",),),
    "hand": (("l_wrist",), ("l_knuckle",)),
    "hip": (("l_hip",),),
    "knee": (("l_knee",),),
    "ankle": (("l_ankle",),),
    "foot": (("l_ankle",), ("l_big_toe", "l_small_toe")),
}
"""For each joint groups of keypoints: the best of a group speaks, the groups are averaged."""


def joint_confidence(trust: dict[str, float]) -> Float[ndarray, " 24"]:
    """Average what the keypoints around each joint are worth.

    Args:
        trust: confidence of each keypoint, 0 to 1, less where the fit left it as an outlier;
            keypoints that are not there count 0.
    """
    return np.array([_confidence(joint, trust) for joint in JOINT_NAMES])


def _confidence(joint: str, trust: dict[str, float]) -> float:
    side, _, part = joint.rpartition("_")
    part = "spine" if part.startswith("spine") else part
    groups = [
        max(trust.get(_on_side(name, side), 0.0) for name in group) for group in WITNESSES[part]
    ]
    return sum(groups) / len(groups)


def _on_side(name: str, side: str) -> str:
    return "r_" + name[2:] if side == "r" and name.startswith("l_") else name
