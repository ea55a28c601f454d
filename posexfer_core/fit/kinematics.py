"""Forward kinematics of a batch of bodies and its exact Jacobian, in float64 numpy.

A step turns joint `a` by `R_a exp(d)`; a point `X` that hangs on it moves by
`(G_a e_i) x (X - P_a)` per radian about the joint's own axis `e_i`, where `G_a` is the joint's
world rotation and `P_a` its position. Points do not move with joints that they do not hang on.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..body.joints import ANCESTORS, LEVELS, PARENT_INDEX
from ..conventions import BETA_COUNT, JOINT_COUNT
from ..keypoints.keypoint_placement import RestBody
from .batch import Batch


@dataclass
class Pose(Batch):
    """Unknowns of a batch of bodies."""

    rotations: Float[ndarray, "batch 24 3 3"]
    """Relative to the parent; the root's to the camera frame."""
    betas: Float[ndarray, "batch 10"]
    transl: Float[ndarray, "batch 3"]
    """Metres, camera frame."""


@dataclass
class Posed(Batch):
    """Bodies in the camera frame, metres."""

    world: Float[ndarray, "batch 24 3 3"]
    """Rotation of each joint from the rest frame."""
    joints: Float[ndarray, "batch 24 3"]
    points: Float[ndarray, "batch points 3"]
    """The keypoints."""


def bone_offsets(joints: Float[ndarray, "24 3 *betas"]) -> Float[ndarray, "24 3 *betas"]:
    """Subtract each joint's parent; the root keeps its offset from the origin."""
    bones = joints.copy()
    bones[1:] -= joints[PARENT_INDEX[1:]]
    return bones


def place_joints(
    pose: Pose, bones: Float[ndarray, "24 3"], bone_shape: Float[ndarray, "24 3 10"]
) -> tuple[Float[ndarray, "batch 24 3 3"], Float[ndarray, "batch 24 3"]]:
    """Compose the kinematic tree: `G_j = G_parent R_j`, `P_j = P_parent + G_parent bone_j`.

    Args:
        pose: the bodies.
        bones: `bone_offsets` at zero betas, metres.
        bone_shape: their change with the betas.

    Returns:
        World rotation and position of each joint.
    """
    bones = bones + np.tensordot(pose.betas, bone_shape, axes=(1, 2))
    world = np.empty_like(pose.rotations)
    world[:, 0] = pose.rotations[:, 0]
    for level in LEVELS:
        world[:, level] = world[:, PARENT_INDEX[level]] @ pose.rotations[:, level]
    turned = bones + pose.transl[:, None]
    turned[:, 1:] = (world[:, PARENT_INDEX[1:]] @ bones[:, 1:, :, None])[..., 0]
    return world, ANCESTORS.astype(float) @ turned


def joint_shape_jacobian(
    world: Float[ndarray, "batch 24 3 3"], bone_shape: Float[ndarray, "24 3 10"]
) -> Float[ndarray, "batch 24 3 10"]:
    """Differentiate the joints' positions by the betas: every bone down to a joint grows."""
    growth = np.empty((len(world), JOINT_COUNT, 3, BETA_COUNT))
    growth[:, 0] = bone_shape[0]
    growth[:, 1:] = world[:, PARENT_INDEX[1:]] @ bone_shape[1:]
    summed = ANCESTORS.astype(float) @ growth.reshape(len(world), JOINT_COUNT, -1)
    return summed.reshape(growth.shape)


class Skeleton:
    """Joints and keypoints of one body model.

    The unknowns of a Jacobian are, in this order, three turns for each of `self.active` (the
    joints that move at least one keypoint), three of translation, ten betas.
    """

    def __init__(self, rest: RestBody) -> None:
        self.bones, self.bone_shape = bone_offsets(rest.joints), bone_offsets(rest.joint_shape)
        self.joint = rest.points.joint
        self.offset = rest.points.position - rest.joints[self.joint]
        self.offset_shape = rest.points.shape - rest.joint_shape[self.joint]
        moved = ANCESTORS[self.joint]
        on_joint = np.flatnonzero(np.abs(self.offset).max(-1) < 1e-9)
        moved[on_joint, self.joint[on_joint]] = False  # turning about a point does not move it
        self.active = np.flatnonzero(moved.any(0) | (np.arange(JOINT_COUNT) == 0))
        self._point, self._slot = np.nonzero(moved[:, self.active])

    @property
    def unknowns(self) -> int:
        """Count the columns of a Jacobian."""
        return 3 * len(self.active) + 3 + BETA_COUNT

    def place(self, pose: Pose) -> Posed:
        """Place joints and keypoints, camera frame."""
        world, joints = place_joints(pose, self.bones, self.bone_shape)
        offset = self.offset + np.tensordot(pose.betas, self.offset_shape, axes=(1, 2))
        points = joints[:, self.joint] + (world[:, self.joint] @ offset[..., None])[..., 0]
        return Posed(world, joints, points)

    def jacobian(
        self, posed: Posed, rows: Float[ndarray, "batch points measures 3"]
    ) -> Float[ndarray, "batch points measures unknowns"]:
        """Differentiate `rows @ points`: `row . (g x d) = g . (d x row)` for turns.

        Args:
            posed: where to differentiate.
            rows: change of each measure with the position of its point, such as the two rows of
                a camera's Jacobian, in pixels per metre.
        """
        batch, points, measures, _ = rows.shape
        joint = self.active[self._slot]
        lever = posed.points[:, self._point] - posed.joints[:, joint]
        torque = _cross(lever[:, :, None], rows[:, self._point]) @ posed.world[:, joint]
        turns = np.zeros((batch, points, measures, len(self.active), 3))
        turns[:, self._point, :, self._slot] = torque.swapaxes(0, 1)
        turns = turns.reshape(batch, points, measures, -1)
        shape = joint_shape_jacobian(posed.world, self.bone_shape)[:, self.joint]
        shape = shape + posed.world[:, self.joint] @ self.offset_shape
        return np.concatenate([turns, rows, rows @ shape], axis=-1)


def _cross(a: ndarray, b: ndarray) -> ndarray:
    """Compute `np.cross` of 3-vectors, several times faster."""
    out = np.empty(np.broadcast_shapes(a.shape, b.shape))
    out[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    out[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    out[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return out
