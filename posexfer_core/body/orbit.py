"""Cameras around a body, as 3D viewers place them."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ParamsError
from ..geometry.camera import focal_from_fov, intrinsics_matrix
from .model import BodyModel
from .params import HumanParams
from .view import BodyView

DEFAULT_FOV_DEG = 35.0
MARGIN = 1.1
"""How much farther away than a tight fit."""


def seen_from(
    params: HumanParams, body: BodyModel, camera: Mapping[str, Any], size: tuple[int, int]
) -> HumanParams:
    """Replace the camera by one in the direction of a viewer's camera from its target.

    Viewers scale what they show, so only direction, field of view and zoom are used; the distance
    is such that the body fills the image in every frame.

    Args:
        params: of one person in any number of frames.
        body: the body that the betas are of.
        camera: `position` and `target` as {x, y, z}, y up, as glTF viewers count; `zoom` and `fov`
            (vertical, degrees) may be missing.
        size: height and width of the image, pixels.

    Raises:
        ParamsError: the camera has no position, or stands on its target.
    """
    position, target = (_point(camera, name) for name in ("position", "target"))
    offset = position - target
    if float(offset.norm()) < 1e-9:
        raise ParamsError("The camera stands on its target and looks nowhere; move it away.")
    turn = _turn(offset / offset.norm())
    view = BodyView.of(params, body, frame=None)
    low, high = view.vertices.amin(dim=(0, 1)), view.vertices.amax(dim=(0, 1))
    centre = (low + high) / 2
    fov = math.radians(float(camera.get("fov") or DEFAULT_FOV_DEG))
    focal_px = focal_from_fov(fov, size[0])
    reach = ((view.vertices - centre) @ turn.T.to(view.vertices)).abs().amax(dim=(0, 1))
    distance = MARGIN * float(
        torch.maximum(reach[0] * 2 * focal_px / size[1], reach[1] * 2 * focal_px / size[0])
    ) / float(camera.get("zoom") or 1.0) + float(reach[2])
    old = params.camera_from_world
    new = torch.eye(4).to(old)
    new[:3, :3] = turn.to(old)
    new[:3, 3] = -new[:3, :3] @ centre.to(old) + old.new_tensor([0.0, 0.0, distance])
    intrinsics = intrinsics_matrix(focal_px, size).to(params.intrinsics)
    return params.with_camera(intrinsics.expand(params.frames, -1, -1), size, new @ old)


def _point(camera: Mapping[str, Any], name: str) -> Float[Tensor, "3"]:
    try:
        return torch.tensor([float(camera[name][axis]) for axis in "xyz"])
    except (KeyError, TypeError, ValueError) as error:
        raise ParamsError(
            f"The camera has no {name} with x, y and z. Connect the camera of Load 3D."
        ) from error


def _turn(towards_eye: Float[Tensor, "3"]) -> Float[Tensor, "3 3"]:
    """Rotate from the old camera's frame (y down) to that of a camera in this direction (y up)."""
    flip = torch.tensor([1.0, -1.0, -1.0])
    forward = -towards_eye * flip
    down = torch.tensor([0.0, 1.0, 0.0])
    if abs(float(forward @ down)) > 0.999:  # straight from above or below
        down = torch.tensor([0.0, 0.0, -1.0]) * torch.sign(forward[1])
    right = torch.linalg.cross(down, forward)
    right = right / right.norm()
    return torch.stack([right, torch.linalg.cross(forward, right), forward])
