"""Motions: frames joined, cut and resampled."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ParamsError
from ..geometry.rotations import axis_angle_to_matrix, interpolate_rotations, matrix_to_axis_angle
from .hands_face import HandsFace
from .params import HumanParams

_PER_FRAME = ("pose", "betas", "transl", "intrinsics", "camera_from_world", "confidence")
MOST_FRAMES = 1_000_000


def join_frames(parts: Sequence[HumanParams]) -> HumanParams:
    """Concatenate motions.

    Raises:
        ParamsError: there are none, or they differ in image size, body model or persons.
    """
    kinds = {(part.image_size, part.beta_space, part.persons) for part in parts}
    if len(kinds) != 1:
        raise ParamsError(
            f"Frames of {len(kinds)} kinds (image size, body model, persons) cannot be joined: "
            f"{sorted(map(str, kinds))}. Make them alike first."
        )
    joined = {name: torch.cat([getattr(part, name) for part in parts]) for name in _PER_FRAME}
    hands_face = None
    if any(part.hands_face is not None for part in parts):
        hands_face = HandsFace.joined(
            [part.hands_face or HandsFace.rest(part.pose) for part in parts]
        )
    return replace(parts[0], **joined, hands_face=hands_face)


def slice_frames(
    params: HumanParams, start: int = 0, stop: int | None = None, step: int = 1
) -> HumanParams:
    """Keep frames `start`, `start + step` and so on before `stop`; counted as Python's slices are.

    The frame rate falls by the step.

    Raises:
        ParamsError: no frame is left, or the step is not positive.
    """
    if step < 1:
        raise ParamsError(f"step is {step}, expected a whole number from 1 up.")
    kept = torch.arange(params.frames)[start:stop:step]
    if len(kept) == 0:
        raise ParamsError(
            f"Frames {start} to {stop} in steps of {step} are none of the {params.frames} that "
            "there are, counted from 0."
        )
    rate = None if params.frame_rate is None else params.frame_rate / step
    return replace(params.part(kept), frame_rate=rate)


def resample(params: HumanParams, frames: int) -> HumanParams:
    """Resample a motion to a number of frames; first and last stay.

    Rotations are interpolated along geodesics, translations and shapes linearly. The frame rate
    changes so that the duration stays.

    Raises:
        ParamsError: `frames` is not positive.
    """
    if not 1 <= frames <= MOST_FRAMES:
        raise ParamsError(f"frames is {frames}, expected a whole number from 1 to {MOST_FRAMES}.")
    at = torch.linspace(0.0, params.frames - 1.0, frames, dtype=torch.float64)
    rate = params.frame_rate
    if rate is not None and params.frames > 1 and frames > 1:
        rate = rate * (frames - 1) / (params.frames - 1)
    return replace(_between(params, at), frame_rate=rate)


def resample_to_rate(params: HumanParams, frame_rate: float) -> HumanParams:
    """Resample a motion to another frame rate; the first frame stays.

    Raises:
        ParamsError: the motion's own frame rate is not known, or a rate is not positive.
    """
    if params.frame_rate is None:
        raise ParamsError(
            "The motion's own frame rate is not known; set it with "
            "dataclasses.replace(params, frame_rate=...), or resample to a number of frames."
        )
    if not 0.0 < frame_rate < 1e5:
        raise ParamsError(f"frame_rate is {frame_rate}, expected frames per second.")
    step = params.frame_rate / frame_rate
    count = int((params.frames - 1) / step + 1e-6) + 1
    if count > MOST_FRAMES:
        raise ParamsError(f"That would be {count} frames; at most {MOST_FRAMES} are made.")
    at = (step * torch.arange(count, dtype=torch.float64)).clamp(max=params.frames - 1.0)
    return replace(_between(params, at), frame_rate=frame_rate)


def _between(params: HumanParams, at: Float[Tensor, " wanted"]) -> HumanParams:
    """Interpolate the motion at fractional frame numbers."""
    low = at.floor().long().clamp(0, params.frames - 1)
    high = (low + 1).clamp(max=params.frames - 1)
    return mixed(params.part(low), params.part(high), at - low)


def mixed(one: HumanParams, two: HumanParams, share: Float[Tensor, " frames"]) -> HumanParams:
    """Interpolate from `one` (share 0) to `two` (share 1), frame by frame.

    Rotations of joints and camera along geodesics; camera centre, translation, shape and lens
    linearly.
    """
    straight = {
        name: _mix(getattr(one, name), getattr(two, name), share)
        for name in ("betas", "transl", "intrinsics", "confidence")
    }
    hands_face = None
    if one.hands_face is not None or two.hands_face is not None:
        first, second = (own.hands_face or HandsFace.rest(own.pose) for own in (one, two))
        hands_face = HandsFace(
            fingers=_turn(first.fingers, second.fingers, share),
            face=_turn(first.face, second.face, share),
            expression=_mix(first.expression, second.expression, share),
        )
    return replace(
        one,
        **straight,
        pose=_turn(one.pose, two.pose, share),
        camera_from_world=_camera(one.camera_from_world, two.camera_from_world, share),
        hands_face=hands_face,
    )


def _mix(one: Tensor, two: Tensor, share: Tensor) -> Tensor:
    """Interpolate linearly."""
    wide = share.to(one).reshape(-1, *[1] * (one.ndim - 1))
    return torch.lerp(one, two.to(one), wide)


def _turn(one: Tensor, two: Tensor, share: Tensor) -> Tensor:
    """Interpolate axis-angle vectors along geodesics; those that do not move stay as written."""
    wide, two = share.to(one).reshape(-1, *[1] * (one.ndim - 2)), two.to(one)
    turned = interpolate_rotations(
        axis_angle_to_matrix(one), axis_angle_to_matrix(two), wide.expand(one.shape[:-1])
    )
    still = (wide == 0.0)[..., None] | (one == two).all(-1, keepdim=True)
    return torch.where(still, one, matrix_to_axis_angle(turned))


def _camera(
    one: Float[Tensor, "frames 4 4"], two: Float[Tensor, "frames 4 4"], share: Tensor
) -> Float[Tensor, "frames 4 4"]:
    """Interpolate cameras: rotation along the geodesic, centre linearly."""
    share = share.to(one)
    places = [-(camera[:, :3, :3].mT @ camera[:, :3, 3:])[..., 0] for camera in (one, two)]
    place = _mix(places[0], places[1], share)
    camera = one.clone()
    turned = interpolate_rotations(one[:, :3, :3], two[:, :3, :3], share)
    moving = ((share > 0.0) & (one != two).flatten(1).any(1))[:, None, None]
    camera[:, :3, :3] = torch.where(moving, turned, one[:, :3, :3])
    shift = -(camera[:, :3, :3] @ place[..., None])
    camera[:, :3, 3:] = torch.where(moving, shift, one[:, :3, 3:])
    return camera
