"""The order in which each tool lists keypoints and 3D joints, in one set of names.

Names are such as "nose" or "l_big_toe"; "" marks points that are not used.
"""

from ..body.joints import JOINT_NAMES, OPENPOSE18


def _names(listing: str) -> tuple[str, ...]:
    return tuple(listing.split())


COCO17 = _names(
    "nose l_eye r_eye l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist "
    "l_hip r_hip l_knee r_knee l_ankle r_ankle"
)
"""COCO person keypoints."""

FEET6 = _names("l_big_toe l_small_toe l_heel r_big_toe r_small_toe r_heel")
"""Foot keypoints of COCO-WholeBody, of BODY_25's tail, and of ComfyUI's `foot_keypoints_2d`."""

HANDS21 = {side: ("",) * 9 + (f"{side}_knuckle",) + ("",) * 11 for side in ("l", "r")}
"""Hand keypoints; of use is the middle finger's knuckle, which gives the direction of the palm."""

WHOLEBODY133 = COCO17 + FEET6 + ("",) * 68 + HANDS21["l"] + HANDS21["r"]
"""COCO-WholeBody: body, feet, face, left hand, right hand."""

BODY25 = (*OPENPOSE18[:8], "mid_hip", *OPENPOSE18[8:], *FEET6)
"""OpenPose's default model."""

HALPE26 = (
    *COCO17,
    *("", "neck", "mid_hip"),
    *_names("l_big_toe r_big_toe l_small_toe r_small_toe l_heel r_heel"),
)
"""Halpe's body with feet, AlphaPose's and RTMPose's: after COCO's points the top of the head."""

HALPE136 = HALPE26 + ("",) * 68 + HANDS21["l"] + HANDS21["r"]
"""Halpe's whole body: body with feet, face, left hand, right hand."""

LAYOUTS: dict[int, tuple[str, ...]] = {
    len(names): names
    for names in (
        *(COCO17, OPENPOSE18, COCO17 + FEET6, BODY25, HALPE26),
        *(WHOLEBODY133, HALPE136),
    )
}
"""Number of keypoints, which is different for each layout → names."""

MEDIAPIPE_NAMES = _names(
    "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer "
    "left_ear right_ear mouth_left mouth_right left_shoulder right_shoulder left_elbow "
    "right_elbow left_wrist right_wrist left_pinky right_pinky left_index right_index left_thumb "
    "right_thumb left_hip right_hip left_knee right_knee left_ankle right_ankle left_heel "
    "right_heel left_foot_index right_foot_index"
)
"""MediaPipe's own names of its pose landmarks."""


def _renamed(name: str) -> str:
    for theirs, ours in (("left_", "l_"), ("right_", "r_"), ("foot_index", "big_toe")):
        name = name.replace(theirs, ours)
    return name if name in BODY25 else ""


MEDIAPIPE33 = tuple(map(_renamed, MEDIAPIPE_NAMES))
"""MediaPipe's pose landmarks."""

SMPL24 = tuple(f"{name}_joint" for name in JOINT_NAMES)
"""SMPL's own joints, such as NLF's."""

SMPL22 = SMPL24[:22]
"""Up to the wrists: HumanML3D's, and the front of SMPL-H's and SMPL-X's."""

_HAND70 = ("",) * 11
MHR70 = (
    *_names("nose l_eye r_eye l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow"),
    *_names("l_hip r_hip l_knee r_knee l_ankle r_ankle"),
    *FEET6,
    *(*_HAND70, "r_knuckle", *("",) * 8, "r_wrist"),
    *(*_HAND70, "l_knuckle", *("",) * 8, "l_wrist"),
    *("",) * 7,
)
"""SAM 3D Body's keypoints; each hand ends with its wrist."""

LAYOUTS_3D = {
    22: SMPL22,
    24: SMPL24,
    33: MEDIAPIPE33,
    45: SMPL24 + ("",) * 21,
    52: SMPL22 + ("",) * 30,
    55: SMPL22 + ("",) * 33,
    70: MHR70,
    144: SMPL22 + ("",) * 122,
}
"""Number of 3D joints → names; 45 are what smplx gives for SMPL, 52 for SMPL-H, 55 and 144 for
SMPL-X."""
