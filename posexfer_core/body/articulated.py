"""A body whose fingers and face move: SMPL-H and SMPL-X, with all of their joints.

To everything else it is SMPL's 24 joints; while hands and face rest both give the same body.
"""

from collections.abc import Sequence

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor

from ..geometry.rotations import axis_angle_to_matrix
from .hands_face import FACE, HandsFace
from .joints import BODY_JOINTS, HAND_JOINTS
from .model import BodyGeometry, BodyModel, joint_transforms, pose_offsets, skin

HANDS = slice(22, 24)
"""SMPL's joints of the hands, which here turn each finger about its own knuckle."""
BONES_OF_A_FINGER = 3
MIDDLE_KNUCKLE = 3
"""Which of a hand's finger joints is SMPL's one joint of the hand."""


class ArticulatedBody(BodyModel):
    """A `BodyModel` of 24 joints with the arrays that pose fingers and face.

    `all_regressors` (J, V), `all_weights` (V, J), `all_posedirs` (V, 3, 9 (J - 1)) and
    `expression_directions` (V, 3, 10) are buffers; J is 52 (SMPL-H: body, fingers) or 55 (SMPL-X:
    body, jaw, eyes, fingers).
    """

    all_regressors: Tensor
    all_weights: Tensor
    all_posedirs: Tensor
    expression_directions: Tensor

    def add_joints(
        self,
        *,
        parents: Sequence[int],
        regressors: Float[Tensor, "joints vertices"],
        weights: Float[Tensor, "vertices joints"],
        posedirs: Float[Tensor, "vertices 3 features"],
        expressions: Float[Tensor, "vertices 3 10"],
        face: Float[Tensor, "51 vertices"] | None,
    ) -> "ArticulatedBody":
        """Add the joints of the body's own family, and its face's points."""
        self.detail_regressors["fingers"] = regressors[-2 * HAND_JOINTS :]
        if face is not None:
            self.detail_regressors["face"] = face
        self.all_parents = tuple(parents)
        self.register_buffer("all_regressors", regressors, persistent=False)
        self.register_buffer("all_weights", weights, persistent=False)
        self.register_buffer("all_posedirs", posedirs, persistent=False)
        self.register_buffer("expression_directions", expressions, persistent=False)
        return self

    def posed(
        self,
        rotations: Float[Tensor, "batch 24 3 3"],
        betas: Float[Tensor, "batch 10"],
        transl: Float[Tensor, "batch 3"],
        hands_face: HandsFace | None = None,
    ) -> BodyGeometry:
        """Pose body, fingers and face."""
        if hands_face is None:
            return self(rotations, betas, transl)
        every = self._all_rotations(rotations, hands_face)
        expression = rearrange(hands_face.expression, "frames persons e -> (frames persons) e")
        vertices, _ = self.rest(betas)
        vertices = vertices + einsum(
            self.expression_directions, expression, "v xyz e, b e -> b v xyz"
        )
        joints = einsum(self.all_regressors, vertices, "j v, b v xyz -> b j xyz")
        vertices = vertices + pose_offsets(self.all_posedirs, every)
        transforms, places = joint_transforms(every, joints, self.all_parents)
        vertices = skin(self.all_weights, transforms, vertices)
        first = len(self.all_parents) - 2 * HAND_JOINTS
        knuckles = [first + MIDDLE_KNUCKLE, first + HAND_JOINTS + MIDDLE_KNUCKLE]
        kept = torch.cat([places[:, :BODY_JOINTS], places[:, knuckles]], dim=1)
        return BodyGeometry(vertices=vertices + transl[:, None], joints=kept + transl[:, None])

    def _all_rotations(
        self, rotations: Float[Tensor, "batch 24 3 3"], hands_face: HandsFace
    ) -> Float[Tensor, "batch joints 3 3"]:
        """Order the rotations of body, face and fingers as the body's family does."""
        fingers = axis_angle_to_matrix(
            rearrange(
                hands_face.fingers,
                "f p (hand finger bone) xyz -> (f p) hand finger bone xyz",
                hand=2,
                bone=BONES_OF_A_FINGER,
            )
        )
        hands = rotations[:, HANDS, None]
        fingers = torch.cat(
            [(hands @ fingers[..., 0, :, :])[..., None, :, :], fingers[..., 1:, :, :]], -3
        )
        parts = [rotations[:, :BODY_JOINTS], rearrange(fingers, "b h f n r c -> b (h f n) r c")]
        if len(self.all_parents) == BODY_JOINTS + FACE + 2 * HAND_JOINTS:
            face = axis_angle_to_matrix(hands_face.face)
            parts.insert(1, rearrange(face, "f p joint r c -> (f p) joint r c"))
        return torch.cat(parts, dim=1)
