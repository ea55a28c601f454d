"""The order in which each tool lists its keypoints, in one set of names."""


def _names(listing: str) -> tuple[str, ...]:
    return tuple(listing.split())


COCO17 = _names(
    "nose l_eye r_eye l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist "
    "l_hip r_hip l_knee r_knee l_ankle r_ankle"
)
"""COCO person keypoints."""

FEET6 = _names("l_big_toe l_small_toe l_heel r_big_toe r_small_toe r_heel")
"""Foot keypoints of COCO-WholeBody, of BODY_25's tail, and of ComfyUI's `foot_keypoints_2d`."""

HAND21 = ("",) * 9 + ("knuckle",) + ("",) * 11
"""Hand keypoints; only the knuckle of the middle finger says where a palm points."""

WHOLEBODY133 = (
    COCO17
    + FEET6
    + ("",) * 68
    + tuple(f"l_{name}" if name else "" for name in HAND21)
    + tuple(f"r_{name}" if name else "" for name in HAND21)
)
"""COCO-WholeBody: body, feet, face, left hand, right hand."""

OPENPOSE18 = _names(
    "nose neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist r_hip r_knee r_ankle "
    "l_hip l_knee l_ankle r_eye l_eye r_ear l_ear"
)
"""OpenPose's COCO model, and ComfyUI's `POSE_KEYPOINT`."""

BODY25 = _names(
    "nose neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist mid_hip r_hip r_knee r_ankle "
    "l_hip l_knee l_ankle r_eye l_eye r_ear l_ear l_big_toe l_small_toe l_heel "
    "r_big_toe r_small_toe r_heel"
)
"""OpenPose's default model."""

LAYOUTS: dict[int, tuple[str, ...]] = {
    len(names): names for names in (COCO17, OPENPOSE18, COCO17 + FEET6, BODY25, WHOLEBODY133)
}
"""Layout by the number of its points, which is different for each; "" marks points not used."""
