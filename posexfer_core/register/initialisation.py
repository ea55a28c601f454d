"""Initial poses for ICP: standing bodies at four yaws, arms out, slanted and down."""

import itertools

import numpy as np
from numpy import ndarray

from ..body.joints import LIMB_CHAINS
from ..conventions import BETA_COUNT, JOINT_COUNT
from ..fit.kinematics import Pose
from ..geometry.point_clouds import OrientedPoints
from ..geometry.so3 import exp_map
from .icp import Fitted
from .skinned_points import SkinRig
from .surface import Up

UPRIGHT: dict[Up, ndarray] = {
    "y": np.eye(3),
    "z": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
    "-y": np.diag([1.0, -1.0, -1.0]),
    "x": np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    "-x": np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    "-z": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
}
"""Rotation of a standing body by the axis that points up."""
YAWS = np.arange(4) * (np.pi / 2.0)
ARM_DROPS = (0.0, 0.7, 1.25)
"""How far the arms hang from the T-pose, radians."""
LEFT_ARM, RIGHT_ARM = LIMB_CHAINS["left_arm"][0], LIMB_CHAINS["right_arm"][0]


def standing_starts(rig: SkinRig, mesh: OrientedPoints, up: Up) -> Fitted:
    """Stand bodies in the mesh, centred on it; with unknown `up`, one set for each axis."""
    ups: list[Up] = list(UPRIGHT) if up == "auto" else [up]
    kinds = list(itertools.product(ups, YAWS, ARM_DROPS))
    rotations = np.tile(np.eye(3), (len(kinds), JOINT_COUNT, 1, 1))
    for row, (axis, yaw, drop) in enumerate(kinds):
        rotations[row, 0] = UPRIGHT[axis] @ exp_map(np.array([0.0, yaw, 0.0]))
        rotations[row, LEFT_ARM] = exp_map(np.array([0.0, 0.0, -drop]))
        rotations[row, RIGHT_ARM] = exp_map(np.array([0.0, 0.0, drop]))
    pose = Pose(rotations, np.zeros((len(kinds), BETA_COUNT)), np.zeros((len(kinds), 3)))
    pose.transl = mesh.points.mean(0) - rig.place(pose).points.mean(1)
    return Fitted(pose, np.ones(len(kinds)))
