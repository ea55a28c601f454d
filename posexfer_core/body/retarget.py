"""Retargeting: the source person's shape in the target's pose, on the same floor line."""

from dataclasses import replace
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from ..errors import ParamsError
from ..geometry.rotations import cross_matrix, matrix_to_axis_angle
from .model import BodyModel
from .params import HumanParams
from .pose_editing import rest_pelvis
from .view import BodyView

Framing = Literal["source", "target"]
"""Whose camera, image size and place are used."""

NEAREST_M = 0.1
"""Pelvises behind this depth have no direction to be seen from."""
_STEPS = 6


def retarget(
    source: HumanParams,
    target: HumanParams,
    body: BodyModel,
    *,
    framing: Framing = "target",
) -> HumanParams:
    """Put the source's shape into the target's pose, with the feet on the same floor line.

    The pelvis keeps the image column and the distance from the camera that it has in the
    framing image; then the body is lifted or lowered until its lowest point lies on the image
    row of the framing body's lowest point. The pose is kept relative to the ray from the camera to
    the pelvis' column, so that a person at the edge of a wide image shows the side that the target
    shows.

    Args:
        source: one person in one frame; gives the shape.
        target: one person in any number of frames; gives the pose.
        body: the body that the source's betas are of. A target of another body gives its pose,
            and stands as this body's mean shape would.
        framing: whose camera, image size and place to use.

    Returns:
        As many frames as the target has.
    """
    if (source.frames, source.persons) != (1, 1) or target.persons != 1:
        raise ParamsError(
            f"Retargeting takes one source person in one frame and one target person, found "
            f"{source.frames} frame(s) of {source.persons} and {target.frames} frame(s) of "
            f"{target.persons}; choose with select(frame, person)."
        )
    if framing not in get_args(Framing):
        raise ParamsError(f"framing is {framing!r}, expected 'source' or 'target'.")
    if target.beta_space != body.beta_space:
        target = target.with_neutral_betas(body.beta_space)
    frame = target
    if framing == "source":
        frame = source.part(torch.zeros(target.frames, dtype=torch.long))
    placed = replace(
        frame,
        pose=_pose_before(target, frame, body),
        betas=repeat(source.betas, "1 p s -> f p s", f=target.frames).to(target.betas),
        beta_space=source.beta_space,
        confidence=target.confidence,
        hands_face=target.hands_face,
    )
    return _stand(placed, BodyView.of(frame, body, frame=None), body)


def floor_row(view: BodyView) -> Float[Tensor, "batch"]:
    """Find the image row, in pixels, of each body's lowest point in the image."""
    return _rows(view.vertices, view.intrinsics).amax(dim=1)


def _rows(
    vertices: Float[Tensor, "batch vertices 3"], intrinsics: Float[Tensor, "batch 3 3"]
) -> Float[Tensor, "batch vertices"]:
    """Project to image rows; points at or behind the camera count as just before it."""
    return (vertices @ intrinsics[:, 1, :, None])[..., 0] / vertices[..., 2].clamp(min=1e-3)


def _pose_before(
    target: HumanParams, frame: HumanParams, body: BodyModel
) -> Float[Tensor, "frames persons 24 3"]:
    """Turn the target's root so that the framing person's place shows the view that it had."""
    swing = _swing(_pelvis_ray(target, body), _pelvis_ray(frame, body)).to(target.pose)
    world_from_target = (
        frame.camera_from_world[:, :3, :3].mT.to(target.pose)
        @ swing
        @ target.camera_from_world[:, :3, :3]
    )
    root = world_from_target[:, None] @ target.rotations[:, :, 0]
    pose = target.pose.clone()
    pose[:, :, 0] = matrix_to_axis_angle(root)
    return pose


def _pelvis_ray(params: HumanParams, body: BodyModel) -> Float[Tensor, "frames 3"]:
    """Return the direction of the pelvis across the camera's frame; ahead, where it is behind.

    Up and down do not count: who stands upright stays so, and the row is that of the feet.
    """
    camera = params.camera_from_world
    place = (rest_pelvis(params, body) + params.transl)[:, :1] @ camera[:, :3, :3].mT
    place = place[:, 0] + camera[:, :3, 3]
    ahead = place.new_tensor([0.0, 0.0, 1.0])
    ray = torch.where(place[:, 2:] > NEAREST_M, place, ahead)
    return F.normalize(ray * ray.new_tensor([1.0, 0.0, 1.0]), dim=-1)


def _swing(start: Float[Tensor, "frames 3"], end: Float[Tensor, "frames 3"]) -> Tensor:
    """Rotate unit vectors to others the shortest way: `1 + [v] + [v]^2 / (1 + c)`."""
    turn = cross_matrix(torch.linalg.cross(start, end))
    cosine = (start * end).sum(-1)[:, None, None]
    return torch.eye(3).to(turn) + turn + turn @ turn / (1.0 + cosine)


def _stand(placed: HumanParams, frame: BodyView, body: BodyModel) -> HumanParams:
    """Shift people to the framing body's column, depth and floor row."""
    view = BodyView.of(placed, body, frame=None)
    vertices, intrinsics = view.vertices, view.intrinsics
    shift = frame.joints[:, 0] - view.joints[:, 0]
    floor = floor_row(frame)
    for _ in range(_STEPS):  # Newton steps: the row is linear in the shift for one vertex
        rows = _rows(vertices + shift[:, None], intrinsics)
        lowest = rows.argmax(dim=1)
        depth = vertices[..., 2].gather(1, lowest[:, None])[:, 0] + shift[:, 2]
        step = (floor - rows.amax(dim=1)) * depth / intrinsics[:, 1, 1]
        shift = shift + torch.stack([torch.zeros_like(step), step, torch.zeros_like(step)], dim=1)
    world_from_camera = placed.camera_from_world[:, :3, :3].mT.to(shift)
    moved = (world_from_camera @ shift[..., None])[..., 0]
    return replace(placed, transl=placed.transl + moved[:, None].to(placed.transl))
