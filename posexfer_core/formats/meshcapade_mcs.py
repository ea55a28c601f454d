"""Meshcapade's scenes (`.mcs`), which PromptHMR writes too: glTF whose buffers are `.smpl` files.

The second node is the camera, in glTF's axes (y up, looking along -z); its animation has one
place for each frame of the scene, and every body says in which frames it is there.
"""

import base64
import binascii
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from ..errors import ParamsError
from ..files.fields import Fields, keys_of
from ..files.npz import parse_npz
from ..geometry.camera import focal_from_fov
from ..geometry.camera_conversions import Y_UP, pinhole, rigid
from ..geometry.so3 import quaternion_to_matrix
from .format import Format
from .meshcapade_smpl import read_smpl_codec
from .track import Source, Track

EXTENSION = "MC_scene_description"
PREFIX = "base64,"
HEIGHT = 1080
"""Of the image, where not given: the file holds the angle and the aspect only."""
FLOATS = 5126
"""glTF's number for 32-bit floats."""


def _description(content: Any) -> Any:
    """Find what Meshcapade adds to a glTF scene."""
    scenes = content.get("scenes") if isinstance(content, dict) else None
    scene = scenes[0] if isinstance(scenes, list) and scenes else None
    extensions = scene.get("extensions") if isinstance(scene, dict) else None
    return extensions.get(EXTENSION) if isinstance(extensions, dict) else None


def _is_mcs(content: Any) -> bool:
    return "smpl_bodies" in keys_of(_description(content))


def _read_mcs(source: Source) -> list[Track]:
    """Read every body, before the camera of its own frames."""
    scene = source.content
    camera = _camera_from_world(scene)
    lens = Fields(scene["cameras"][0]["perspective"], f"{source.path.name}: camera")
    height, width = source.image_size or (HEIGHT, round(HEIGHT * lens.number("aspectRatio")))
    focal = focal_from_fov(lens.number("yfov"), height)
    tracks = []
    for body in _description(scene)["smpl_bodies"]:
        packed = _buffer(scene, body["bufferView"])
        content = parse_npz(packed, f"{source.path.name}: body")
        (track,) = read_smpl_codec(replace(source, content=content))
        count, first = len(track.pose), int(body.get("frame_presence", [0])[0])
        seen = camera if len(camera) > 1 else np.repeat(camera, first + count, axis=0)
        if not 0 <= first <= len(seen) - count:
            raise ParamsError(
                f"{source.path.name}: a body is there from frame {first} for {count} frames, but "
                f"the camera has {len(seen)} places."
            )
        track.camera_from_world = seen[first : first + count]
        track.lens = pinhole(focal, (height, width), count), (height, width)
        tracks.append(track)
    return tracks


def _buffer(scene: Any, view: int) -> bytes:
    """Unpack what a buffer view shows; buffers lie in the file itself."""
    shown = scene["bufferViews"][view]
    _, found, packed = scene["buffers"][shown["buffer"]]["uri"].partition(PREFIX)
    if not found:
        raise ParamsError("A buffer of the scene lies in another file, which is not read.")
    try:
        data = base64.b64decode(packed, validate=True)
    except binascii.Error as failure:
        raise ParamsError(f"A buffer of the scene is damaged: {failure}.") from failure
    start = int(shown.get("byteOffset", 0))
    return data[start : start + int(shown["byteLength"])]


def _numbers(scene: Any, accessor: int, width: int) -> Float[np.ndarray, "rows width"]:
    """Read 32-bit floats."""
    described = scene["accessors"][accessor]
    if described["componentType"] != FLOATS:
        raise ParamsError("The camera of the scene is not kept in 32-bit floats.")
    return np.frombuffer(_buffer(scene, described["bufferView"]), "<f4").reshape(-1, width)


def _camera_from_world(scene: Any) -> Float[np.ndarray, "frames 4 4"]:
    """Turn the camera's node, or its animation, into transforms to an OpenCV camera."""
    node = next((node for node in scene["nodes"] if "camera" in node), None)
    if node is None:
        raise ParamsError("The scene has no camera.")
    place = np.array([node.get("translation", [0, 0, 0])], dtype=float)
    turn = np.array([node.get("rotation", [0, 0, 0, 1])], dtype=float)
    for animation in scene.get("animations", [])[:1]:
        for channel in animation["channels"]:
            output = animation["samplers"][channel["sampler"]]["output"]
            if channel["target"]["path"] == "translation":
                place = _numbers(scene, output, 3).astype(float)
            elif channel["target"]["path"] == "rotation":
                turn = _numbers(scene, output, 4).astype(float)
    length = np.linalg.norm(turn, axis=1, keepdims=True)
    world_from_camera = quaternion_to_matrix(turn / np.maximum(length, 1e-12)) @ Y_UP
    rotation = np.swapaxes(world_from_camera, 1, 2)
    return rigid(rotation, -(rotation @ place[..., None])[..., 0])


FORMATS = (Format(name="mcs", title="Meshcapade .mcs", matches=_is_mcs, read=_read_mcs),)
