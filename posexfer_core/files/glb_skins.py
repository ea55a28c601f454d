"""Skinned meshes of GLB files, posed by their nodes (glTF 2.0); trimesh gives them at rest."""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..geometry.so3 import quaternion_to_matrix

_KINDS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
TRIANGLES = 4


def posed_skins(data: bytes, document: Mapping[str, Any]) -> tuple[ndarray, ndarray] | None:
    """Read all skinned meshes of a GLB file, posed; None where there are none.

    Props without a skin are left out. The document has been checked for what leads out of the
    file; damage raises what Python raises.
    """
    nodes = document.get("nodes", [])
    skinned = [node for node in nodes if "mesh" in node and "skin" in node]
    if not skinned or any("uri" in buffer for buffer in document["buffers"]):
        return None
    reader = _Reader(data, document)
    world = _world_matrices(nodes)
    vertices, faces, count = [], [], 0
    for node in skinned:
        skin = document["skins"][node["skin"]]
        joints = world[[int(joint) for joint in skin["joints"]]]
        if "inverseBindMatrices" in skin:
            bind = reader.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
            joints = joints @ bind[: len(joints)]
        for primitive in document["meshes"][node["mesh"]]["primitives"]:
            points = _posed_points(reader, primitive["attributes"], joints)
            vertices.append(points)
            faces.append(count + _triangles(reader, primitive, len(points)))
            count += len(points)
    return np.concatenate(vertices), np.concatenate(faces)


class _Reader:
    """Reads accessors from the binary chunk."""

    def __init__(self, data: bytes, document: Mapping[str, Any]) -> None:
        length = struct.unpack("<I", data[12:16])[0]
        self.binary = data[20 + length + 8 :]
        self.accessors, self.views = document["accessors"], document["bufferViews"]

    def array(self, number: int) -> ndarray:
        """Read an accessor's rows; normalised integers become 0 to 1."""
        accessor = self.accessors[number]
        if "sparse" in accessor:
            raise ValueError("sparse accessors are not read")
        view = self.views[accessor["bufferView"]]
        kind, width = np.dtype(_KINDS[accessor["componentType"]]), _WIDTHS[accessor["type"]]
        count, size = int(accessor["count"]), kind.itemsize * width
        step = int(view.get("byteStride", size))
        start = int(view.get("byteOffset", 0)) + int(accessor.get("byteOffset", 0))
        if (
            min(start, count) < 0
            or step < size
            or start + step * (count - 1) + size > len(self.binary)
        ):
            raise ValueError(f"accessor {number} lies outside of the file's data")
        rows = np.lib.stride_tricks.as_strided(
            np.frombuffer(self.binary, "u1")[start:], (count, size), (step, 1), writeable=False
        )
        values = np.ascontiguousarray(rows).view(kind).reshape(count, width)
        if accessor.get("normalized") and kind.kind in "iu":
            return values / np.iinfo(kind).max
        return values.astype(np.float64) if kind.kind == "f" else values.astype(np.int64)


def _posed_points(
    reader: _Reader, attributes: Mapping[str, int], joints: Float[ndarray, "joints 4 4"]
) -> Float[ndarray, "vertices 3"]:
    """Blend the joints' transforms for every vertex."""
    points = reader.array(attributes["POSITION"])
    index, weights = (reader.array(attributes[name]) for name in ("JOINTS_0", "WEIGHTS_0"))
    if not (index.shape == weights.shape and len(index) == len(points) and index.min() >= 0):
        raise ValueError("joints and weights do not go with the vertices")
    total = weights.sum(1, keepdims=True)
    weights = weights / np.where(np.abs(total) > 1e-9, total, 1.0)
    blended = sum(
        weights[:, slot, None, None] * joints[index[:, slot], :3] for slot in range(index.shape[1])
    )
    return np.einsum("vab,vb->va", blended[:, :, :3], points) + blended[:, :, 3]  # pyright: ignore


def _triangles(reader: _Reader, primitive: Mapping[str, Any], vertices: int) -> ndarray:
    if primitive.get("mode", TRIANGLES) != TRIANGLES:
        raise ValueError("only triangles are read, no strips, fans, lines or points")
    if "indices" not in primitive:
        return np.arange(vertices - vertices % 3).reshape(-1, 3)
    return reader.array(primitive["indices"]).reshape(-1, 3).astype(np.int64)


def _world_matrices(nodes: list[Mapping[str, Any]]) -> Float[ndarray, "nodes 4 4"]:
    """Compose the scene's trees; nodes in a cycle keep their local matrix."""
    local = [_local_matrix(node) for node in nodes]
    world = np.stack(local)
    below = {int(child) for node in nodes for child in node.get("children", [])}
    waiting = [number for number in range(len(nodes)) if number not in below]
    for _ in range(len(nodes)):
        if not waiting:
            break
        number = waiting.pop()
        for child in nodes[number].get("children", []):
            world[child] = world[number] @ local[child]
            waiting.append(int(child))
    return world


def _local_matrix(node: Mapping[str, Any]) -> Float[ndarray, "4 4"]:
    """Read a node's place: a matrix, column by column, or translation, rotation and scale."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    turn = quaternion_to_matrix(np.array(node.get("rotation", (0, 0, 0, 1)), np.float64))
    matrix[:3, :3] = turn * np.array(node.get("scale", (1, 1, 1)), np.float64)
    matrix[:3, 3] = np.array(node.get("translation", (0, 0, 0)), np.float64)
    return matrix
