"""Numbers and nodes of a GLB file (glTF 2.0)."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..geometry.so3 import quaternion_to_matrix

_KINDS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class GlbAccessors:
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


def world_matrices(nodes: Sequence[Mapping[str, Any]]) -> Float[ndarray, "nodes 4 4"]:
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
    quaternion = np.array(node.get("rotation", (0, 0, 0, 1)), np.float64)
    turn = quaternion_to_matrix(quaternion / max(float(np.linalg.norm(quaternion)), 1e-9))
    matrix[:3, :3] = turn * np.array(node.get("scale", (1, 1, 1)), np.float64)
    matrix[:3, 3] = np.array(node.get("translation", (0, 0, 0)), np.float64)
    return matrix


def parents_of(nodes: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Map every node that hangs on another to that; to the last of several."""
    return {int(child): at for at, node in enumerate(nodes) for child in node.get("children", [])}


def with_ancestors(joints: set[int], nodes: Sequence[Mapping[str, Any]]) -> set[int]:
    """Add every node that one of them hangs on."""
    above = parents_of(nodes)
    found, waiting = set(joints), list(joints)
    while waiting:
        parent = above.get(waiting.pop())
        if parent is not None and parent not in found:
            found.add(parent)
            waiting.append(parent)
    return found
