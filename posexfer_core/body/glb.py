"""A posed body as a binary glTF 2.0 file, which any 3D viewer opens.

The file's frame is glTF's: y up, z towards the viewer, metres; the feet stand on y = 0 and the
pelvis above the origin, turned as the camera saw it.
"""

import json
import struct

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ..geometry.normals import vertex_normals
from .view import BodyView

SKIN = (0.78, 0.62, 0.53, 1.0)
_FLOAT, _UINT = 5126, 5125
_ARRAY, _ELEMENTS = 34962, 34963


def standing_vertices(view: BodyView) -> Float[Tensor, "batch vertices 3"]:
    """Bring vertices to glTF's frame, feet on the floor and pelvis above the origin."""
    flip = view.vertices.new_tensor([1.0, -1.0, -1.0])
    vertices, pelvis = view.vertices * flip, view.joints[:, :1] * flip
    floor = vertices[..., 1].amin(dim=1)
    origin = pelvis[:, 0].clone()
    origin[:, 1] = floor
    return vertices - origin[:, None]


def glb_bytes(view: BodyView, *, frame: int = 0) -> bytes:
    """Write one body as the content of a `.glb` file."""
    vertices = standing_vertices(view)[frame]
    normals = vertex_normals(vertices[None], view.faces)[0]
    position = vertices.cpu().numpy().astype("<f4")
    blocks = [
        position.tobytes(),
        normals.cpu().numpy().astype("<f4").tobytes(),
        view.faces.cpu().numpy().astype("<u4").tobytes(),
    ]
    offsets = np.cumsum([0, *map(len, blocks)]).tolist()
    views = [
        {"buffer": 0, "byteOffset": start, "byteLength": len(block), "target": target}
        for start, block, target in zip(offsets, blocks, (_ARRAY, _ARRAY, _ELEMENTS), strict=False)
    ]
    count = len(position)
    accessors = [
        _accessor(0, _FLOAT, count, "VEC3")
        | {"min": position.min(0).tolist(), "max": position.max(0).tolist()},
        _accessor(1, _FLOAT, count, "VEC3"),
        _accessor(2, _UINT, view.faces.numel(), "SCALAR"),
    ]
    material = {
        "pbrMetallicRoughness": {
            "baseColorFactor": SKIN,
            "metallicFactor": 0.0,
            "roughnessFactor": 0.8,
        }
    }
    primitive = {"attributes": {"POSITION": 0, "NORMAL": 1}, "indices": 2, "material": 0}
    document = {
        "asset": {"version": "2.0", "generator": "posexfer"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "body"}],
        "meshes": [{"primitives": [primitive], "name": "body"}],
        "materials": [material],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": offsets[-1]}],
    }
    return _container(json.dumps(document).encode(), b"".join(blocks))


def _accessor(view: int, kind: int, count: int, shape: str) -> dict[str, object]:
    return {"bufferView": view, "componentType": kind, "count": count, "type": shape}


def _container(document: bytes, binary: bytes) -> bytes:
    document += b" " * (-len(document) % 4)
    binary += b"\0" * (-len(binary) % 4)
    total = 12 + 8 + len(document) + 8 + len(binary)
    return b"".join(
        [
            struct.pack("<4sII", b"glTF", 2, total),
            struct.pack("<I4s", len(document), b"JSON"),
            document,
            struct.pack("<I4s", len(binary), b"BIN\0"),
            binary,
        ]
    )
