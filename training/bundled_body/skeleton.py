"""Where the 24 joints of the bundled body rest, and how left turns into right.

Build frame: metres, y up with the floor at 0, facing +z, +x is the person's left. Positions
follow from the usual ratios of limb lengths for a height of 1.72 m.
"""

import numpy as np

from posexfer_core.body.joints import JOINT_NAMES, mirrored_name

LEFT_AND_MIDDLE = {
    "pelvis": (0.0, 0.945, 0.0),
    "l_hip": (0.080, 0.885, 0.0),
    "l_knee": (0.103, 0.490, 0.0),
    "l_ankle": (0.098, 0.082, -0.035),
    "l_foot": (0.118, 0.030, 0.090),
    "spine1": (0.0, 1.055, -0.010),
    "spine2": (0.0, 1.185, -0.012),
    "spine3": (0.0, 1.245, -0.005),
    "neck": (0.0, 1.455, -0.030),
    "head": (0.0, 1.535, 0.005),
    "l_collar": (0.075, 1.375, -0.022),
    "l_shoulder": (0.180, 1.405, -0.030),
    "l_elbow": (0.440, 1.395, -0.040),
    "l_wrist": (0.690, 1.395, -0.035),
    "l_hand": (0.775, 1.390, -0.035),
}

FLIP_X = np.array([-1.0, 1.0, 1.0])


def both_sides(left_and_middle: dict[str, np.ndarray], flip: np.ndarray) -> np.ndarray:
    """Stack one row for each joint; right rows are left rows times `flip`."""
    return np.stack(
        [
            left_and_middle[name]
            if name in left_and_middle
            else left_and_middle[mirrored_name(name)] * flip
            for name in JOINT_NAMES
        ]
    )


def joint(name: str) -> np.ndarray:
    """Give the rest position of a joint of the left side or the middle."""
    return np.array(LEFT_AND_MIDDLE[name])


REST_JOINTS = both_sides({name: joint(name) for name in LEFT_AND_MIDDLE}, FLIP_X)
