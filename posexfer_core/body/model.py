"""The posable body: SMPL's 24 joints and its skinning equations, on any mesh rigged that way.

Rest frame: metres, y up, facing +z, +x is the person's left; a T-pose near the origin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from einops import einsum, rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..conventions import BETA_COUNT
from .hands_face import HandsFace
from .joints import PARENTS

ASSET = Path(__file__).parent / "assets" / "body.npz"


@dataclass(frozen=True, kw_only=True)
class BodyGeometry:
    """Where a posed body is, metres, in the frame of its root rotation and translation."""

    vertices: Float[Tensor, "batch vertices 3"]
    joints: Float[Tensor, "batch 24 3"]


class BodyModel(nn.Module):
    """A mesh that shape numbers and 24 joint rotations move (SMPL, SIGGRAPH Asia 2015, eq. 2-10).

    `v_template` (V, 3), `shapedirs` (V, 3, 10), `posedirs` (V, 3, 207) or None,
    `joint_regressor` (24, V), `skin_weights` (V, 24), `faces` (F, 3) and `parents` (24,) are
    buffers that are not saved with the weights of a network. So are `canonical`, every vertex's
    place on the rest body: 0 at the pelvis, 1 at half the body's height, the same for every
    pose and shape; and `parts`, the joint that moves each vertex most. Bodies made of meshes are
    given theirs (`register.transfer_rig`).
    """

    v_template: Tensor
    shapedirs: Tensor
    posedirs: Tensor | None
    joint_regressor: Tensor
    skin_weights: Tensor
    faces: Tensor
    parents: Tensor
    canonical: Tensor
    parts: Tensor
    detail_regressors: dict[str, Tensor]
    """What SMPL-H and SMPL-X show of more: (points, vertices) that turn vertices into "fingers",
    as `HandsFace` orders them, and "face", the 51 inner points of the iBUG 68."""

    def __init__(
        self,
        *,
        v_template: Float[Tensor, "vertices 3"],
        faces: Int[Tensor, "faces 3"],
        shapedirs: Float[Tensor, "vertices 3 10"],
        posedirs: Float[Tensor, "vertices 3 207"] | None,
        joint_regressor: Float[Tensor, "24 vertices"],
        skin_weights: Float[Tensor, "vertices 24"],
        keypoint_vertices: Mapping[str, int],
        beta_space: str,
        canonical: Float[Tensor, "vertices 3"] | None = None,
    ) -> None:
        super().__init__()
        self.beta_space = beta_space
        self.keypoint_vertices = dict(keypoint_vertices)
        self.detail_regressors = {}
        if canonical is None:
            canonical = canonical_places(v_template, joint_regressor)
        buffers = {
            "v_template": v_template,
            "faces": faces.long(),
            "shapedirs": shapedirs,
            "posedirs": posedirs,
            "joint_regressor": joint_regressor,
            "skin_weights": skin_weights,
            "parents": torch.tensor(PARENTS),
            "canonical": canonical,
            "parts": skin_weights.argmax(dim=1),
        }
        for name, tensor in buffers.items():
            self.register_buffer(name, tensor, persistent=False)

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, np.ndarray],
        *,
        keypoint_vertices: Mapping[str, int],
        beta_space: str,
    ) -> "BodyModel":
        """Build a body from arrays under the names of SMPL files; `posedirs` may be left out."""
        shapedirs = np.zeros((*arrays["v_template"].shape, BETA_COUNT), np.float32)
        found = arrays["shapedirs"][..., :BETA_COUNT]
        shapedirs[..., : found.shape[-1]] = found
        posedirs = arrays.get("posedirs")
        return cls(
            v_template=_float_tensor(arrays["v_template"]),
            faces=torch.from_numpy(np.array(arrays["f"], np.int64)),
            shapedirs=torch.from_numpy(shapedirs),
            posedirs=None if posedirs is None else _float_tensor(posedirs),
            joint_regressor=_float_tensor(arrays["J_regressor"]),
            skin_weights=_float_tensor(arrays["weights"]),
            keypoint_vertices=keypoint_vertices,
            beta_space=beta_space,
        )

    @classmethod
    def bundled(cls) -> "BodyModel":
        """Build the licence-free body that ships with the package (`training.bundled_body`).

        The file is read once; every call returns a body of its own, free to be moved.
        """
        arrays = dict(_bundled_arrays())
        keypoint_vertices = {str(name): int(vertex) for name, vertex in arrays.pop("vertex_ids")}
        return cls.from_arrays(arrays, keypoint_vertices=keypoint_vertices, beta_space="posexfer")

    def rest(
        self, betas: Float[Tensor, "batch 10"]
    ) -> tuple[Float[Tensor, "batch vertices 3"], Float[Tensor, "batch 24 3"]]:
        """Shape the T-pose: `v = v_template + S beta`, `j = joint_regressor v` (eq. 8 and 10).

        Returns:
            Vertices and joints, metres, rest frame.
        """
        offsets = einsum(
            self.shapedirs, betas, "vertices xyz shape, batch shape -> batch vertices xyz"
        )
        vertices = self.v_template + offsets
        joints = einsum(
            self.joint_regressor,
            vertices,
            "joints vertices, batch vertices xyz -> batch joints xyz",
        )
        return vertices, joints

    def forward(
        self,
        rotations: Float[Tensor, "batch 24 3 3"],
        betas: Float[Tensor, "batch 10"],
        transl: Float[Tensor, "batch 3"],
    ) -> BodyGeometry:
        """Pose the shaped body by linear blend skinning; the root turns about the pelvis.

        Args:
            rotations: of each joint relative to its parent; the root's relative to the world.
            betas: standard deviations along this body's own shape directions.
            transl: metres, added last.
        """
        vertices, joints = self.rest(betas)
        vertices = vertices + self._pose_offsets(rotations)
        transforms, world_joints = joint_transforms(rotations, joints)
        vertices = skin(self.skin_weights, transforms, vertices)
        transl = rearrange(transl, "batch xyz -> batch 1 xyz")
        return BodyGeometry(vertices=vertices + transl, joints=world_joints + transl)

    def posed(
        self,
        rotations: Float[Tensor, "batch 24 3 3"],
        betas: Float[Tensor, "batch 10"],
        transl: Float[Tensor, "batch 3"],
        hands_face: HandsFace | None = None,
    ) -> BodyGeometry:
        """Pose the body; this one has neither fingers nor a face to move (`ArticulatedBody` has).

        Args:
            rotations: as in `forward`.
            betas: as in `forward`.
            transl: as in `forward`.
            hands_face: of as many frames and persons as the batch has entries, frames outermost.
        """
        return self(rotations, betas, transl)

    def _pose_offsets(
        self, rotations: Float[Tensor, "batch 24 3 3"]
    ) -> Float[Tensor, "batch vertices 3"] | Float[Tensor, ""]:
        """Correct the rest vertices for the pose: `P vec(R - I)` over joints 1 to 23 (eq. 9)."""
        if self.posedirs is None:
            return rotations.new_zeros(())
        return pose_offsets(self.posedirs, rotations)

    def nearest_keypoints(self, canonical: Float[Tensor, "vertices 3"]) -> dict[str, int]:
        """Name the vertices of another mesh that are nearest to this body's keypoints."""
        wanted = self.canonical[list(self.keypoint_vertices.values())].to(canonical)
        nearest = torch.cdist(wanted, canonical).argmin(dim=1).tolist()
        return dict(zip(self.keypoint_vertices, nearest, strict=True))


def canonical_places(
    v_template: Float[Tensor, "vertices 3"], joint_regressor: Float[Tensor, "joints vertices"]
) -> Float[Tensor, "vertices 3"]:
    """Place vertices on the rest body: 0 at the pelvis, 1 at half the body's height."""
    half_height = (v_template[:, 1].max() - v_template[:, 1].min()) / 2
    return (v_template - joint_regressor[0] @ v_template) / half_height


def pose_offsets(
    posedirs: Float[Tensor, "vertices 3 features"], rotations: Float[Tensor, "batch joints 3 3"]
) -> Float[Tensor, "batch vertices 3"]:
    """Correct rest vertices for the pose: `P vec(R - I)` over all joints but the root (eq. 9)."""
    change = rotations[:, 1:] - torch.eye(3, dtype=rotations.dtype, device=rotations.device)
    feature = rearrange(change, "batch joints row column -> batch (joints row column)")
    return einsum(posedirs, feature, "v xyz feature, batch feature -> batch v xyz")


def skin(
    weights: Float[Tensor, "vertices joints"],
    transforms: Float[Tensor, "batch joints 3 4"],
    vertices: Float[Tensor, "batch vertices 3"],
) -> Float[Tensor, "batch vertices 3"]:
    """Blend the joints' transforms for every vertex and apply them to the rest vertices (eq. 2)."""
    blended = einsum(weights, transforms, "v j, b j out column -> b v out column")
    turned = einsum(blended[..., :3], vertices, "b v out xyz, b v xyz -> b v out")
    return turned + blended[..., 3]


def joint_transforms(
    rotations: Float[Tensor, "batch joints 3 3"],
    joints: Float[Tensor, "batch joints 3"],
    parents: Sequence[int] = PARENTS,
) -> tuple[Float[Tensor, "batch joints 3 4"], Float[Tensor, "batch joints 3"]]:
    """Give what each joint alone does to a point of the rest frame, `x -> R x + (g - R j)` (eq. 3).

    Args:
        rotations: as in `pose_joints`.
        joints: as in `pose_joints`.
        parents: as in `pose_joints`.

    Returns:
        `R | g - R j` of every joint, and the world positions of the joints `g`.
    """
    world_rotations, world_joints = pose_joints(rotations, joints, parents)
    shifts = world_joints - einsum(world_rotations, joints, "b j out xyz, b j xyz -> b j out")
    return torch.cat([world_rotations, shifts[..., None]], dim=-1), world_joints


def pose_joints(
    rotations: Float[Tensor, "batch joints 3 3"],
    joints: Float[Tensor, "batch joints 3"],
    parents: Sequence[int] = PARENTS,
) -> tuple[Float[Tensor, "batch joints 3 3"], Float[Tensor, "batch joints 3"]]:
    """Compose joint rotations along the kinematic tree (forward kinematics, SMPL eq. 4).

    `R_world[j] = R_world[parent] R[j]`, `g[j] = g[parent] + R_world[parent] (rest[j] -
    rest[parent])`; the pelvis stays where it rests.

    Args:
        rotations: relative to the parent.
        joints: at rest, metres.
        parents: what each joint hangs on, which comes before it; the first joint is the root.

    Returns:
        World rotations and world positions of the joints.
    """
    world_rotations, world_joints = [rotations[:, 0]], [joints[:, 0]]
    for joint, parent in enumerate(parents[1:], start=1):
        bone = joints[:, joint] - joints[:, parent]
        carried = einsum(world_rotations[parent], bone, "batch out xyz, batch xyz -> batch out")
        world_rotations.append(world_rotations[parent] @ rotations[:, joint])
        world_joints.append(world_joints[parent] + carried)
    return torch.stack(world_rotations, dim=1), torch.stack(world_joints, dim=1)


@cache
def _bundled_arrays() -> Mapping[str, np.ndarray]:
    with np.load(ASSET, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _float_tensor(array: np.ndarray) -> Tensor:
    """Copy into float32, so that no two bodies share memory."""
    return torch.from_numpy(np.array(array, np.float32))
