"""A body with its skeleton and motion as a binary glTF 2.0 file, for 3D programs and viewers.

The mesh stands in its rest pose and is moved by 24 joints under SMPL's names, four for each
vertex; pose corrections of SMPL files do not fit into such a file. The frame is that of `glb`: y
up, metres, as the camera sees the person, who begins with the feet on the floor above the origin.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt
from numpy import ndarray

from ..body.joints import JOINT_NAMES, PARENTS
from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.view import BodyView
from ..geometry.normals import vertex_normals
from ..geometry.rotations import matrix_to_quaternion
from .gltf import ARRAY, GltfArrays, body_mesh, skin_material

INFLUENCES = 4
DEFAULT_RATE = 30.0
MESH_NODE, ROOT_NODE, FIRST_JOINT = 0, 1, 1
"""Numbers of nodes: the mesh, then the joints in SMPL's order, the pelvis first."""


def skinned_glb_bytes(params: HumanParams, body: BodyModel) -> bytes:
    """Write the first person, in the pose of the first frame, and the motion where there are more.

    Args:
        params: any number of frames, at their own rate or else 30 a second; the shape is that of
            the first.
        body: that the betas are of.
    """
    motion = _Motion.of(params, body)
    arrays = GltfArrays()
    joints = [FIRST_JOINT + joint for joint in range(len(JOINT_NAMES))]
    bind = np.tile(np.eye(4, dtype=np.float32), (len(joints), 1, 1))
    bind[:, 3, :3] = -motion.rest_joints  # matrices are written column by column
    document: dict[str, object] = {
        "scene": 0,
        "scenes": [{"nodes": [MESH_NODE, ROOT_NODE]}],
        "meshes": [_mesh(arrays, motion, body)],
        "materials": [skin_material()],
        "nodes": [{"name": "body", "mesh": 0, "skin": 0}, *_joint_nodes(motion)],
        "skins": [
            {"joints": joints, "skeleton": ROOT_NODE, "inverseBindMatrices": arrays.add(bind)}
        ],
    }
    if params.frames > 1:
        rate = params.frame_rate or DEFAULT_RATE
        document["animations"] = [_animation(arrays, motion, rate)]
    return arrays.glb(document)


@dataclass(frozen=True, kw_only=True)
class _Motion:
    """The skeleton in glTF's frame."""

    rest_vertices: Float[ndarray, "vertices 3"]
    rest_joints: Float[ndarray, "24 3"]
    quaternions: Float[ndarray, "frames 24 4"]
    """x, y, z, w; relative to the parent."""
    pelvis: Float[ndarray, "frames 3"]

    @classmethod
    def of(cls, params: HumanParams, body: BodyModel) -> "_Motion":
        """Turn the motion y up and set it on the floor."""
        view = BodyView.of(params, body, frame=None)
        flip = torch.tensor([1.0, -1.0, -1.0])
        betas = params.betas[:1, 0].to(body.v_template)
        with torch.no_grad():
            vertices, joints = body.rest(betas)
        rotations = params.rotations[:, 0].double()
        turn = torch.diag(flip.double()) @ params.camera_from_world[:, :3, :3].double()
        rotations[:, 0] = turn @ rotations[:, 0]
        quaternions = matrix_to_quaternion(rotations)[..., [1, 2, 3, 0]]
        pelvis = view.joints[:, 0].cpu() * flip
        origin = pelvis[0].clone()
        origin[1] = (view.vertices[0].cpu() * flip)[:, 1].min()
        return cls(
            rest_vertices=vertices[0].cpu().numpy(),
            rest_joints=joints[0].cpu().numpy(),
            quaternions=_continuous(quaternions.numpy(force=True)),
            pelvis=(pelvis - origin).numpy(),
        )


def _continuous(quaternions: Float[ndarray, "frames 24 4"]) -> Float[ndarray, "frames 24 4"]:
    """Choose signs so that no joint takes the long way between frames."""
    smooth = quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)
    for frame in range(1, len(smooth)):
        away = (smooth[frame] * smooth[frame - 1]).sum(-1) < 0.0
        smooth[frame, away] *= -1.0
    return smooth.astype("<f4")


def _mesh(arrays: GltfArrays, motion: _Motion, body: BodyModel) -> dict[str, object]:
    """Write the mesh at rest and the joints that move each vertex."""
    vertices = torch.from_numpy(motion.rest_vertices)
    normals = vertex_normals(vertices[None], body.faces.cpu())[0]
    lonely = normals.norm(dim=1, keepdim=True) < 0.5  # vertices of no face
    normals = torch.where(lonely, torch.tensor([0.0, 1.0, 0.0]), normals)
    joints, weights = strongest_joints(body.skin_weights.cpu().numpy())
    attributes = {
        "JOINTS_0": arrays.add(joints, target=ARRAY),
        "WEIGHTS_0": arrays.add(weights, target=ARRAY),
    }
    return body_mesh(arrays, vertices, normals, body.faces, attributes)


def strongest_joints(
    weights: Float[ndarray, "vertices 24"],
) -> tuple[UInt[ndarray, "vertices 4"], Float[ndarray, "vertices 4"]]:
    """Keep the four joints that move each vertex most; their weights sum to one again."""
    joints = np.argsort(-weights, axis=1)[:, :INFLUENCES]
    kept = np.take_along_axis(weights, joints, axis=1).clip(min=0.0).astype(np.float64)
    kept /= np.maximum(kept.sum(1, keepdims=True), 1e-12)
    kept = kept.astype("<f4")
    joints[kept == 0.0] = 0  # unused places name the first joint
    return joints.astype("u1"), kept


def _joint_nodes(motion: _Motion) -> list[dict[str, object]]:
    """Write the skeleton as it stands in the first frame."""
    nodes: list[dict[str, object]] = []
    for joint, name in enumerate(JOINT_NAMES):
        parent = PARENTS[joint]
        offset = motion.rest_joints[joint] - motion.rest_joints[max(parent, 0)]
        children = [FIRST_JOINT + child for child, above in enumerate(PARENTS) if above == joint]
        node: dict[str, object] = {
            "name": name,
            "translation": (motion.pelvis[0] if joint == 0 else offset).tolist(),
            "rotation": motion.quaternions[0, joint].tolist(),
        }
        if children:
            node["children"] = children
        nodes.append(node)
    return nodes


def _animation(arrays: GltfArrays, motion: _Motion, rate: float) -> dict[str, object]:
    """Write the turns of every joint and the path of the pelvis."""
    times = (np.arange(len(motion.pelvis)) / rate).astype("<f4")
    clock = arrays.add(times, bounds=True)
    paths = [("translation", 0, arrays.add(motion.pelvis))]
    for joint in range(len(JOINT_NAMES)):
        turns = np.ascontiguousarray(motion.quaternions[:, joint])
        paths.append(("rotation", joint, arrays.add(turns)))
    return {
        "name": "motion",
        "samplers": [{"input": clock, "output": output} for _, _, output in paths],
        "channels": [
            {"sampler": number, "target": {"node": FIRST_JOINT + joint, "path": path}}
            for number, (path, joint, _) in enumerate(paths)
        ],
    }
