"""What SAM 3D Body and NLF write of people: joints in space, of rigs that are not SMPL's."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import ParamsError
from ..files.fields import Fields, as_array, keys_of
from ..geometry.camera import focal_from_fov
from ..geometry.camera_conversions import solve_pinhole
from .raw_people import image_size

MHR_KEYS = {"pred_keypoints_3d", "pred_cam_t"}
MHR_LENS = ("focal_length", "pred_keypoints_2d")
"""Of the second the lens is solved where the first is left out, as MHR's own examples do."""
HMR2_KEY = "pred_smpl_params"
"""Beside the same names in HMR2's output, whose joints are others."""
NLF_KEY = "joints3d_nonparam"
NLF_FOV_DEG = 55.0
"""Angle of view that NLF assumes, over the longer side of the image."""


class RawJoints(NamedTuple):
    """The joints of one person as a file has them; axes are x right, y down, z away."""

    xyz: Float[ndarray, "points 3"]
    """Metres, any origin."""
    confidence: Float[ndarray, " points"] | None = None
    placed: Float[ndarray, "points 3"] | None = None
    """The same in the camera frame, where the file has it."""
    focal_px: float | None = None
    """Of a lens that looks through the middle of the image, where the file has it."""


def mhr_person(person: Any) -> RawJoints:
    """Read one person of SAM 3D Body: joints about the body, which `pred_cam_t` places."""
    fields = Fields(person, "SAM 3D Body's output")
    joints = fields.rows("pred_keypoints_3d", width=3, count=None)
    placed = joints + fields.rows("pred_cam_t", width=3, count=1)
    if "focal_length" in fields:
        return RawJoints(joints, placed=placed, focal_px=fields.number("focal_length"))
    return RawJoints(joints, placed=placed, focal_px=_solved_lens(fields, placed)[0])


def _solved_lens(fields: Fields, placed: Float[ndarray, "points 3"]) -> tuple[float, ndarray]:
    """Solve the lens that shows the joints at their pixels: focal length, principal point."""
    pixels = fields.rows("pred_keypoints_2d", width=2, count=len(placed))
    solved = solve_pinhole(placed, pixels)
    if solved is None:
        raise ParamsError(
            f"{fields.name} has no focal_length, and no lens shows its pred_keypoints_3d at its "
            "pred_keypoints_2d. Add the focal length, pixels, under that name."
        )
    return solved


def mhr_frames(content: Any) -> list[list[Any]]:
    """List the people of every frame: of ComfyUI's MHR_POSE_DATA, of a list, or of one dict."""
    if isinstance(content, Mapping) and "frames" in content:
        frames = content["frames"]
        return [list(people) for people in frames] if isinstance(frames, list | tuple) else []
    return [list(content) if isinstance(content, list | tuple) else [content]]


def is_mhr(content: Any) -> bool:
    """Recognise SAM 3D Body's output by the keys of its first person."""
    person = next((person for frame in mhr_frames(content) for person in frame), None)
    keys = keys_of(person)
    return keys >= MHR_KEYS and not keys.isdisjoint(MHR_LENS) and HMR2_KEY not in keys


def mhr_image_size(content: Any, given: tuple[int, int] | None) -> tuple[int, int]:
    """Return `(height, width)` of the image: as written, else as given, else from pixels.

    The lens looks through the middle of the image, which the pixels of the first person tell.
    """
    if isinstance(content, Mapping) and content.get("image_size") is not None:
        numbers = as_array(content["image_size"], "image_size").ravel().tolist()
        size = image_size(*numbers[:2]) if len(numbers) > 1 else None
        if size is None:
            raise ParamsError(f"image_size is {numbers[:4]}, expected height and width in pixels.")
        return size
    if given is not None:
        return given
    person = next((person for frame in mhr_frames(content) for person in frame), None)
    fields = Fields(person, "SAM 3D Body's output")
    placed = mhr_person(person).placed
    assert placed is not None
    if "focal_length" not in fields:
        middle = _solved_lens(fields, placed)[1]
    else:
        pixels = fields.rows("pred_keypoints_2d", width=2, count=len(placed))
        rays = placed[:, :2] / placed[:, 2:]
        middle = np.median(pixels - fields.number("focal_length") * rays, 0)
    if not (np.isfinite(middle).all() and middle.min() >= 1.0):
        raise ParamsError(
            "pred_keypoints_2d are not pixels of an image whose middle the lens looks through. "
            "Give image_size=(height, width)."
        )
    return round(2.0 * middle[1]), round(2.0 * middle[0])


def is_nlf(content: Any) -> bool:
    """Recognise NLF's free joints by their key."""
    return NLF_KEY in keys_of(content) and "pose" not in keys_of(content)


def nlf_focal_px(size: tuple[int, int]) -> float:
    """Return the focal length that NLF assumes for an image of this height and width."""
    return focal_from_fov(math.radians(NLF_FOV_DEG), max(size))


def nlf_frames(content: Any, name: str) -> list[Float[ndarray, "people 24 3"]]:
    """List the frames, in the file's unit: an array of people is one frame, lists hold more.

    Args:
        content: of the file.
        name: of the file, for errors.
    """
    value: Any = content[NLF_KEY]
    name = f"{name}: {NLF_KEY}"
    if isinstance(value, list | tuple):
        frames: Sequence[Any] = value
        if len(frames) == 1 and isinstance(frames[0], list | tuple):
            frames = frames[0]
    else:
        array = as_array(value, name)
        frames = list(array) if array.ndim == 4 else [array]
    if not frames:
        raise ParamsError(f"{name} holds no frame.")
    return [_nlf_people(as_array(frame, name), name) for frame in frames]


def _nlf_people(array: ndarray, name: str) -> Float[ndarray, "people 24 3"]:
    if array.shape[-2:] != (24, 3):
        raise ParamsError(f"{name} has shape {array.shape}, expected (people, 24, 3).")
    return array.reshape(-1, 24, 3)
