"""Points on the skin of a batch of bodies, and how they move: blend skinning in float64 numpy.

A skin point is `x = sum_j w_j (G_j (p - J_j) + P_j)`. A turn of joint `a` about its own axis `e`
moves it by `(G_a e) x L_a` per radian, `L_a = sum_{j on a} w_j (p_j - P_a)`, where `p_j` is where
joint `j` alone would take the point and the sum runs over the joints that hang on `a`.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from ..body.joints import ANCESTORS
from ..body.model import BodyModel
from ..conventions import BETA_COUNT, JOINT_COUNT
from ..fit.kinematics import Pose, bone_offsets, joint_shape_jacobian, place_joints
from ..geometry.normals import vertex_normals
from ..geometry.so3 import cross_matrix

UNKNOWNS = 3 * JOINT_COUNT + 3 + BETA_COUNT
"""Three turns for each joint, the translation, the betas."""


@dataclass(frozen=True, kw_only=True)
class PosedSkin:
    """Where a batch of bodies has its joints and some skin points, metres."""

    world: Float[ndarray, "batch 24 3 3"]
    joints: Float[ndarray, "batch 24 3"]
    points: Float[ndarray, "batch points 3"]
    normals: Float[ndarray, "batch points 3"]
    parts: Float[ndarray, "batch points 24 3"]
    """Each joint's share of each point: `w_j p_j`."""


class SkinRig:
    """Some skin points of one body model; they follow shape and pose, not pose corrections."""

    def __init__(self, body: BodyModel, vertices: Int[ndarray, " points"]) -> None:
        template, shape, regressor, weights = (
            tensor.detach().cpu().double().numpy()
            for tensor in (body.v_template, body.shapedirs, body.joint_regressor, body.skin_weights)
        )
        self.rest_joints = regressor @ template
        self.joint_shape = np.tensordot(regressor, shape, axes=1)
        self.bones = bone_offsets(self.rest_joints)
        self.bone_shape = bone_offsets(self.joint_shape)
        self.rest, self.shape = template[vertices], shape[vertices]
        self.weights = weights[vertices]
        normals = vertex_normals(body.v_template[None].detach().cpu(), body.faces.cpu())[0]
        self.rest_normals = normals.double().numpy()[vertices]

    def place(self, pose: Pose) -> PosedSkin:
        """Place the joints, then blend."""
        world, joints = place_joints(pose, self.bones, self.bone_shape)
        rest = self.rest_joints + np.tensordot(pose.betas, self.joint_shape, axes=(1, 2))
        shift = joints - (world @ rest[..., None])[..., 0]
        points = self.rest + np.tensordot(pose.betas, self.shape, axes=(1, 2))
        turned = np.einsum("bjxy,bny->bnjx", world, points, optimize=True)
        parts = self.weights[:, :, None] * (turned + shift[:, None])
        normals = np.einsum(
            "nj,bjxy,ny->bnx", self.weights, world, self.rest_normals, optimize=True
        )
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
        return PosedSkin(
            world=world, joints=joints, points=parts.sum(2), normals=normals, parts=parts
        )

    def jacobian(self, skin: PosedSkin) -> Float[ndarray, "batch points 3 unknowns"]:
        """Differentiate the points by the unknowns; turns are taken on the right."""
        batch, points = skin.points.shape[:2]
        hangs = ANCESTORS.T.astype(float)
        lever = np.einsum("aj,bnjx->banx", hangs, skin.parts, optimize=True)
        lever -= (self.weights @ hangs.T).T[:, :, None] * skin.joints[:, :, None]
        torque = -cross_matrix(lever).reshape(
            batch, JOINT_COUNT, 3 * points, 3
        )  # L x e_x, e_y, e_z
        turns = (torque @ skin.world).swapaxes(1, 2).reshape(batch, points, 3, -1)
        shift = np.broadcast_to(np.eye(3), (batch, points, 3, 3))
        return np.concatenate([turns, shift, self._shape_jacobian(skin)], axis=-1)

    def _shape_jacobian(self, skin: PosedSkin) -> Float[ndarray, "batch points 3 10"]:
        """Differentiate the points by the betas: bones grow, and the skin on them."""
        chains = joint_shape_jacobian(skin.world, self.bone_shape)
        chains -= skin.world @ self.joint_shape
        blended = np.einsum("nj,bjxy->bnxy", self.weights, skin.world, optimize=True)
        return blended @ self.shape + np.einsum(
            "nj,bjxs->bnxs", self.weights, chains, optimize=True
        )
