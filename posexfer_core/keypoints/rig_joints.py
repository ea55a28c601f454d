"""Joints of rigs that are not SMPL's: SAM 3D Body, NLF's free joints."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from ..errors import KeypointsError, ParamsError
from ..files.fields import Fields, as_array, keys_of
from ..geometry.camera import focal_from_fov
from .joints3d import name_joints, used_joints
from .keypoints import Keypoints
from .observation import Observation

MHR_KEYS = {"pred_keypoints_3d", "pred_cam_t", "focal_length"}
NLF_KEY = "joints3d_nonparam"
NLF_FOV_DEG = 55.0
FARTHEST_M = 200.0
"""A coordinate beyond this is not metres but millimetres."""
NEAREST_M = 0.1
FAR_M, MOST_PX = 1e6, 1e9
"""Larger numbers are errors."""


def mhr_observation(person: Any, size: tuple[int, int] | None, name: str) -> Observation:
    """Take what SAM 3D Body says of one person.

    Its joints are metres in camera axes about the body, `pred_cam_t` places them, and the lens
    looks through the middle of the image.

    Args:
        person: the dict of one person.
        size: height and width of the image, pixels; found from `pred_keypoints_2d` if left out.
        name: what errors call it.
    """
    fields = Fields(person, name)
    joints = fields.rows("pred_keypoints_3d", width=3, count=None)
    placed = joints + fields.rows("pred_cam_t", width=3, count=1)
    focal_px = fields.number("focal_length")
    if size is None:
        size = _size_from_pixels(fields, placed, focal_px)
    return placed_observation(joints, placed, focal_px, size, name)


def mhr_frames(content: Any) -> list[list[Any]]:
    """List the people of every frame: of ComfyUI's MHR_POSE_DATA, of a list, or of one dict."""
    if isinstance(content, dict) and "frames" in content:
        frames = content["frames"]
        return [list(people) for people in frames] if isinstance(frames, list | tuple) else []
    if isinstance(content, list | tuple):
        return [list(content)]
    return [[content]]


def mhr_size(content: Any) -> tuple[int, int] | None:
    """Read the height and width of the image, where they are written."""
    size = content.get("image_size") if isinstance(content, dict) else None
    if size is None:
        return None
    height, width = as_array(size, "image_size").ravel()[:2]
    return int(height), int(width)


def is_mhr(content: Any) -> bool:
    """Tell SAM 3D Body's people by their keys."""
    people = [person for frame in mhr_frames(content)[:4] for person in frame[:1]]
    return any(keys_of(person) >= MHR_KEYS for person in people)


def is_nlf(content: Any) -> bool:
    """Tell NLF's free joints."""
    return NLF_KEY in keys_of(content) and "pose" not in keys_of(content)


def nlf_focal_px(size: tuple[int, int]) -> float:
    """Give the focal length that NLF assumes for an image of this height and width."""
    return focal_from_fov(math.radians(NLF_FOV_DEG), max(size))


def nlf_frames(value: Any, name: str) -> list[Float[np.ndarray, "people 24 3"]]:
    """List the frames, as they are: an array of people is one frame, lists hold more."""
    if isinstance(value, list | tuple):
        if len(value) == 1 and isinstance(value[0], list | tuple):
            value = value[0]
        return [_nlf_people(frame, name) for frame in value]
    array = as_array(value, f"{name}: {NLF_KEY}")
    return [_nlf_people(frame, name) for frame in (array if array.ndim == 4 else [array])]


def _nlf_people(frame: Any, name: str) -> Float[np.ndarray, "people 24 3"]:
    array = as_array(frame, f"{name}: {NLF_KEY}")
    if array.shape[-2:] != (24, 3):
        raise ParamsError(f"{name}: {NLF_KEY} has shape {array.shape}, expected (people, 24, 3).")
    return array.reshape(-1, 24, 3)


def placed_observation(
    joints: np.ndarray, placed: np.ndarray, focal_px: float, size: tuple[int, int], name: str
) -> Observation:
    """Project the joints, so that the body is placed where the image has it.

    Args:
        joints: metres, camera axes, any origin.
        placed: the same, camera frame.
        focal_px: of a lens that looks through the middle of the image.
        size: height and width of the image, pixels.
        name: what errors call it.
    """
    if not (_within(placed) and placed[:, 2].min() > NEAREST_M and 0.0 < focal_px < MOST_PX):
        raise ParamsError(
            f"{name}: the joints reach to {placed[:, 2].min():.3g} m in depth with a focal length "
            f"of {focal_px:.3g} px, expected all of them before the camera."
        )
    height, width = size
    pixels = focal_px * placed[:, :2] / placed[:, 2:] + np.array([width, height]) / 2.0
    try:
        named = name_joints(joints)
        seen = Keypoints(
            xy=pixels[used_joints(len(joints))],
            confidence=named.confidence,
            names=named.names,
            image_size=size,
        )
    except KeypointsError as error:
        raise ParamsError(f"{name}: {error}") from error
    return Observation(keypoints=seen, joints=named, focal_px=focal_px)


def _within(places: np.ndarray) -> bool:
    return bool((np.abs(places) < FAR_M).all())


def _size_from_pixels(fields: Fields, placed: np.ndarray, focal_px: float) -> tuple[int, int]:
    """Find the image's size from its middle, through which the lens looks."""
    pixels = fields.rows("pred_keypoints_2d", width=2, count=len(placed))
    middle = np.median(pixels - focal_px * placed[:, :2] / placed[:, 2:], axis=0)
    if not (np.isfinite(middle).all() and middle.min() >= 1.0):
        raise ParamsError(
            f"{fields.name}: pred_keypoints_2d are not pixels of an image whose middle the lens "
            "looks through. Give image_size=(height, width)."
        )
    return round(2.0 * middle[1]), round(2.0 * middle[0])
