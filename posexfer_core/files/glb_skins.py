"""Skinned meshes of GLB files, posed by their nodes or an animation (glTF 2.0).

trimesh gives them unposed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from .glb_animations import Clip, read_clips
from .glb_nodes import GlbAccessors, with_ancestors, world_matrices

TRIANGLES = 4
MOST_SETS = 4
"""Sets of four joints that move one vertex."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GlbSkins:
    """All skinned meshes of a GLB file, joined; props without a skin are left out."""

    nodes: Sequence[Mapping[str, Any]]
    """The scene, at rest."""
    parts: Sequence["_Part"]
    faces: Int[ndarray, "faces 3"]
    clips: Sequence[Clip]
    """Animations of the skeleton."""

    @classmethod
    def of(cls, data: bytes, document: Mapping[str, Any]) -> "GlbSkins | None":
        """Find them; None where there are none.

        The document has been checked for what leads out of the file; damage raises what Python
        raises.
        """
        nodes = document.get("nodes", [])
        skinned = [node for node in nodes if "mesh" in node and "skin" in node]
        if not skinned or any("uri" in buffer for buffer in document["buffers"]):
            return None
        reader = GlbAccessors(data, document)
        parts = [
            _Part.of(reader, primitive, document["skins"][node["skin"]])
            for node in skinned
            for primitive in document["meshes"][node["mesh"]]["primitives"]
        ]
        starts = np.cumsum([0, *(len(part.points) for part in parts[:-1])])
        faces = [part.faces + start for part, start in zip(parts, starts, strict=True)]
        moving = with_ancestors({int(one) for part in parts for one in part.joints}, nodes)
        clips = read_clips(document, reader.array, moving)
        return cls(nodes=nodes, parts=parts, faces=np.concatenate(faces), clips=clips)

    @property
    def frames(self) -> int:
        """Count the frames of all clips, which are numbered one clip after the other."""
        return sum(len(clip.times) for clip in self.clips)

    def vertices(self, frame: int | None = None) -> Float[ndarray, "vertices 3"]:
        """Pose the meshes by the nodes at rest, or by those of a frame, from 0."""
        nodes = self.nodes
        if frame is not None:
            clip = next(clip for clip in self.clips if (frame := frame - len(clip.times)) < 0)
            nodes = clip.moved(nodes, frame + len(clip.times))
        world = world_matrices(nodes)
        return np.concatenate([part.posed(world) for part in self.parts])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """One skinned primitive."""

    points: Float[ndarray, "vertices 3"]
    faces: Int[ndarray, "faces 3"]
    joints: Sequence[int]
    """Nodes that move it."""
    bind: Float[ndarray, "joints 4 4"] | None
    """To the frame of each joint; of fewer than there are joints where the file is damaged."""
    slots: Int[ndarray, "vertices slots"]
    """Of `joints`, with the weights of each."""
    weights: Float[ndarray, "vertices slots"]

    @classmethod
    def of(
        cls, reader: "GlbAccessors", primitive: Mapping[str, Any], skin: Mapping[str, Any]
    ) -> "_Part":
        """Read it; further sets of four joints too (`JOINTS_1`)."""
        attributes, bind = primitive["attributes"], None
        points = reader.array(attributes["POSITION"])
        sets = [n for n in range(MOST_SETS) if f"JOINTS_{n}" in attributes] or [0]
        index, weights = (
            np.concatenate([reader.array(attributes[f"{name}_{n}"]) for n in sets], axis=1)
            for name in ("JOINTS", "WEIGHTS")
        )
        if not (index.shape == weights.shape and len(index) == len(points) and index.min() >= 0):
            raise ValueError("joints and weights do not go with the vertices")
        total = weights.sum(1, keepdims=True)
        if "inverseBindMatrices" in skin:
            bind = reader.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
        return cls(
            points=points,
            faces=_triangles(reader, primitive, len(points)),
            joints=[int(joint) for joint in skin["joints"]],
            bind=bind,
            slots=index,
            weights=weights / np.where(np.abs(total) > 1e-9, total, 1.0),
        )

    def posed(self, world: Float[ndarray, "nodes 4 4"]) -> Float[ndarray, "vertices 3"]:
        """Blend the joints' transforms for every vertex."""
        joints = world[self.joints]
        if self.bind is not None:
            joints = joints @ self.bind[: len(joints)]
        blended = sum(
            self.weights[:, slot, None, None] * joints[self.slots[:, slot], :3]
            for slot in range(self.slots.shape[1])
        )
        turned = np.einsum("vab,vb->va", blended[:, :, :3], self.points)  # pyright: ignore
        return turned + blended[:, :, 3]  # pyright: ignore


def _triangles(reader: GlbAccessors, primitive: Mapping[str, Any], vertices: int) -> ndarray:
    if primitive.get("mode", TRIANGLES) != TRIANGLES:
        raise ValueError("only triangles are read, no strips, fans, lines or points")
    if "indices" not in primitive:
        return np.arange(vertices - vertices % 3).reshape(-1, 3)
    return reader.array(primitive["indices"]).reshape(-1, 3).astype(np.int64)
