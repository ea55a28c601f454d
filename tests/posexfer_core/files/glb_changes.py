"""GLB files with another document."""

import json
import struct
from collections.abc import Callable
from typing import Any


def changed(data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Rewrite a GLB's document."""
    size = struct.unpack("<I", data[12:16])[0]
    document = json.loads(data[20 : 20 + size])
    change(document)
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + size :]
    head = struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(rest))
    return head + struct.pack("<I4s", len(text), b"JSON") + text + rest


def without_mesh(document: dict[str, Any]) -> None:
    """Keep the skeleton and its animation alone."""
    for node in document["nodes"]:
        node.pop("mesh", None)
        node.pop("skin", None)
    del document["meshes"], document["skins"]
