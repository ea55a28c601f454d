"""Poses made of poses: the mirror image, blends of two, the same view from another camera."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ParamsError
from ..geometry.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from .hands_face import HandsFace
from .joints import MIRRORED_JOINTS
from .model import BodyModel
from .motion import mixed
from .params import HumanParams

MIRRORED_FINGERS = (*range(15, 30), *range(15))
MIRRORED_FACE = (0, 2, 1)
"""The joint on the other side, for each joint of fingers and face."""


def mirrored(params: HumanParams) -> HumanParams:
    """Mirror people as a flip of their image does.

    Left and right limbs change places, and root, translation and camera are mirrored, so that
    every projected joint `(u, v)` lands at `(width - u, v)` on the other side's joint. Exact
    for bodies whose two sides are alike, as the bundled body's are.
    """
    side = torch.tensor([-1.0, 1.0, 1.0]).to(params.pose)
    turn = torch.tensor([1.0, -1.0, -1.0]).to(params.pose)  # of axis-angle vectors
    intrinsics = params.intrinsics.clone()
    intrinsics[:, 0, 2] = params.image_size[1] - intrinsics[:, 0, 2]
    intrinsics[:, 0, 1] = -intrinsics[:, 0, 1]
    camera = params.camera_from_world.clone()
    flip = side.to(camera)
    camera[:, :3, :3] = flip[:, None] * camera[:, :3, :3] * flip
    camera[:, :3, 3] = flip * camera[:, :3, 3]
    hands_face = params.hands_face
    if hands_face is not None:
        hands_face = HandsFace(
            fingers=hands_face.fingers[:, :, list(MIRRORED_FINGERS)] * turn.to(hands_face.fingers),
            face=hands_face.face[:, :, list(MIRRORED_FACE)] * turn.to(hands_face.face),
            expression=hands_face.expression,
        )
    return replace(
        params,
        pose=params.pose[:, :, MIRRORED_JOINTS.tolist()] * turn,
        transl=params.transl * side.to(params.transl),
        intrinsics=intrinsics,
        camera_from_world=camera,
        confidence=params.confidence[:, :, MIRRORED_JOINTS.tolist()],
        hands_face=hands_face,
    )


def blended(start: HumanParams, end: HumanParams, share: float, body: BodyModel) -> HumanParams:
    """Interpolate between two poses in the camera frame; the camera is the start's.

    Rotations follow geodesics; pelvis, shape and expression are linear.

    Args:
        start: share 0.
        end: share 1; as many frames, persons, and the same body.
        share: from 0 to 1.
        body: that the betas are of.

    Raises:
        ParamsError: the two do not go together, or the share is out of range.
    """
    _check_pair(start, end, share)
    end = seen_by(end, start.camera_from_world, rest_pelvis(end, body))
    end = replace(end, intrinsics=start.intrinsics)
    return mixed(start, end, torch.full((start.frames,), share))


def _check_pair(start: HumanParams, end: HumanParams, share: float) -> None:
    kinds = [(one.frames, one.persons, one.beta_space) for one in (start, end)]
    if kinds[0] != kinds[1]:
        raise ParamsError(
            f"Poses of {kinds[0]} and {kinds[1]} (frames, persons, body model) cannot be blended; "
            "select a frame of each, or resample one, and load both for one body."
        )
    if not 0.0 <= share <= 1.0:
        raise ParamsError(f"share is {share}, expected 0 (the first pose) to 1 (the second).")


def seen_by(
    params: HumanParams,
    camera_from_world: Float[Tensor, "frames 4 4"],
    pelvis: Float[Tensor, "frames persons 3"],
) -> HumanParams:
    """Move people to where another camera sees them as their own camera does.

    Args:
        params: any number of frames and persons.
        camera_from_world: of the other camera.
        pelvis: at rest, metres; see `rest_pelvis`.
    """
    camera = camera_from_world.to(params.pose)
    before = torch.linalg.inv(camera.double()) @ params.camera_from_world.double()
    turn, shift = before[:, None, :3, :3], before[:, None, :3, 3]
    pose = params.pose.clone()
    root = turn @ axis_angle_to_matrix(pose[:, :, 0].double())
    pose[:, :, 0] = matrix_to_axis_angle(root).to(pose)
    place = pelvis.double() + params.transl.double()
    moved = (turn @ place[..., None])[..., 0] + shift - pelvis.double()
    return replace(params, pose=pose, transl=moved.to(params.transl), camera_from_world=camera)


def rest_pelvis(params: HumanParams, body: BodyModel) -> Float[Tensor, "frames persons 3"]:
    """Find every pelvis at rest, before the translation, metres."""
    betas = params.betas.flatten(0, 1).to(body.v_template)
    with torch.no_grad():
        rest = body.rest(betas)[1][:, 0].unflatten(0, (params.frames, params.persons))
    return rest.to(params.transl)


def y_up_camera(frames: int) -> Float[Tensor, "frames 4 4"]:
    """Make a camera that stands at the origin of a world whose y is up, looking along -z."""
    return torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0])).repeat(frames, 1, 1)
