"""Binary glTF 2.0 files: arrays, what describes them, and the container around both."""

import json
import struct
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

ARRAY, ELEMENTS = 34962, 34963
"""What a viewer binds a buffer view for: vertex attributes or indices."""
SKIN = (0.78, 0.62, 0.53, 1.0)

_KINDS = {np.dtype("<f4"): 5126, np.dtype("<u4"): 5125, np.dtype("u1"): 5121}
_SHAPES = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}


class GltfArrays:
    """The binary half of a file, and the entries that name its parts."""

    def __init__(self) -> None:
        self.accessors: list[dict[str, object]] = []
        self.views: list[dict[str, object]] = []
        self._blocks: list[bytes] = []
        self._length = 0

    def add(self, array: np.ndarray, *, target: int | None = None, bounds: bool = False) -> int:
        """Append an array; its number is what the document refers to.

        Args:
            array: float32, uint32 or uint8; rows are elements, matrices stand in columns.
            target: `ARRAY`, `ELEMENTS`, or None for data that no shader reads.
            bounds: write the least and the largest of each column.
        """
        kind = array.dtype.newbyteorder("<")
        block = np.ascontiguousarray(array, kind).tobytes()
        view: dict[str, object] = {
            "buffer": 0,
            "byteOffset": self._length,
            "byteLength": len(block),
        }
        if target is not None:
            view["target"] = target
        accessor: dict[str, object] = {
            "bufferView": len(self.views),
            "componentType": _KINDS[kind],
            "count": len(array),
            "type": _SHAPES[array.shape[1:]],
        }
        if bounds:
            rows = array.reshape(len(array), -1).astype(kind)
            accessor["min"], accessor["max"] = rows.min(0).tolist(), rows.max(0).tolist()
        self.views.append(view)
        self.accessors.append(accessor)
        self._blocks.append(block + b"\0" * (-len(block) % 4))
        self._length += len(self._blocks[-1])
        return len(self.accessors) - 1

    def glb(self, document: dict[str, object]) -> bytes:
        """Finish a `.glb` file: the document, completed, and the arrays."""
        whole = {
            "asset": {"version": "2.0", "generator": "posexfer"},
            **document,
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": self._length}],
        }
        return _container(json.dumps(whole).encode(), b"".join(self._blocks))


def body_mesh(
    arrays: GltfArrays,
    vertices: Float[Tensor, "vertices 3"],
    normals: Float[Tensor, "vertices 3"],
    faces: Int[Tensor, "faces 3"],
    attributes: Mapping[str, int] | None = None,
) -> dict[str, object]:
    """Append a mesh, metres, of material 0; `attributes` are accessors of further attributes."""
    position, normal = (one.cpu().numpy().astype("<f4") for one in (vertices, normals))
    primitive = {
        "attributes": {
            "POSITION": arrays.add(position, target=ARRAY, bounds=True),
            "NORMAL": arrays.add(normal, target=ARRAY),
            **(attributes or {}),
        },
        "indices": arrays.add(faces.flatten().cpu().numpy().astype("<u4"), target=ELEMENTS),
        "material": 0,
    }
    return {"name": "body", "primitives": [primitive]}


def skin_material() -> dict[str, object]:
    """Give a plain material of the colour of skin."""
    return {
        "pbrMetallicRoughness": {
            "baseColorFactor": SKIN,
            "metallicFactor": 0.0,
            "roughnessFactor": 0.8,
        }
    }


def _container(document: bytes, binary: bytes) -> bytes:
    document += b" " * (-len(document) % 4)
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
