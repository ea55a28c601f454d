"""Poses made of poses: the mirror image, and what lies between two."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ParamsError
from ..geometry.rotations import axis_angle_to_matrix, interpolate_rotations, matrix_to_axis_angle
from .hands_face import Details
from .joints import MIRRORED_JOINTS
from .model import BodyModel
from .params import HumanParams

FINGER_TWINS = (*range(15, 30), *range(15))
FACE_TWINS = (0, 2, 1)


def mirrored(params: HumanParams) -> HumanParams:
    """Show people as their image does when it is flipped left to right.

    Left and right limbs change places, and the root, the place and the camera are mirrored, so
    that every projected joint `(u, v)` lands at `(width - u, v)` on the other side's joint. Exact
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
    details = params.details
    if details is not None:
        details = Details(
            fingers=details.fingers[:, :, list(FINGER_TWINS)] * turn.to(details.fingers),
            face=details.face[:, :, list(FACE_TWINS)] * turn.to(details.face),
            expression=details.expression,
        )
    return replace(
        params,
        pose=params.pose[:, :, MIRRORED_JOINTS.tolist()] * turn,
        transl=params.transl * side.to(params.transl),
        intrinsics=intrinsics,
        camera_from_world=camera,
        confidence=params.confidence[:, :, MIRRORED_JOINTS.tolist()],
        details=details,
    )


def blended(start: HumanParams, end: HumanParams, share: float, body: BodyModel) -> HumanParams:
    """Pose people between two poses, as the cameras see them; the camera is the start's.

    Every joint turns by the same share of the shortest way (geodesic interpolation); the pelvis
    goes straight; shape, fingers and face are mixed.

    Args:
        start: share 0.
        end: share 1; as many frames, persons, and the same body.
        share: from 0 to 1.
        body: that the betas are of.

    Raises:
        ParamsError: the two do not go together, or the share is out of range.
    """
    _check_pair(start, end, share)
    end = _seen_from(end, start.camera_from_world, body)
    part = torch.full_like(start.pose[..., 0], share)
    rotations = interpolate_rotations(start.rotations, end.rotations.to(start.pose), part)
    betas = torch.lerp(start.betas, end.betas.to(start.betas), share)
    pelvis = torch.lerp(_pelvis(start, body), _pelvis(end, body), share)
    mixed = replace(
        start,
        pose=matrix_to_axis_angle(rotations),
        betas=betas,
        transl=torch.zeros_like(start.transl),
        confidence=torch.lerp(start.confidence, end.confidence.to(start.confidence), share),
        details=_blended_details(start, end, share),
    )
    return replace(mixed, transl=(pelvis - _pelvis(mixed, body)).to(start.transl))


def _check_pair(start: HumanParams, end: HumanParams, share: float) -> None:
    kinds = [(one.frames, one.persons, one.beta_space) for one in (start, end)]
    if kinds[0] != kinds[1]:
        raise ParamsError(
            f"Poses of {kinds[0]} and {kinds[1]} (frames, persons, body model) cannot be blended; "
            "select a frame of each, or resample one, and load both for one body."
        )
    if not 0.0 <= share <= 1.0:
        raise ParamsError(f"share is {share}, expected 0 (the first pose) to 1 (the second).")


def _seen_from(
    params: HumanParams, camera: Float[Tensor, "frames 4 4"], body: BodyModel
) -> HumanParams:
    """Move people so that another camera sees them as their own did."""
    before = torch.linalg.inv(camera.double()) @ params.camera_from_world.double()
    turn, shift = before[:, None, :3, :3], before[:, None, :3, 3]
    pose = params.pose.clone()
    root = turn @ axis_angle_to_matrix(pose[:, :, 0].double())
    pose[:, :, 0] = matrix_to_axis_angle(root).to(pose)
    pelvis = _pelvis(params, body).double()
    moved = (turn @ pelvis[..., None])[..., 0] + shift
    return replace(
        params,
        pose=pose,
        transl=params.transl + (moved - pelvis).to(params.transl),
        camera_from_world=camera,
    )


def _pelvis(params: HumanParams, body: BodyModel) -> Float[Tensor, "frames persons 3"]:
    """Find every pelvis in the world, metres."""
    betas = params.betas.flatten(0, 1).to(body.v_template)
    with torch.no_grad():
        rest = body.rest(betas)[1][:, 0].unflatten(0, (params.frames, params.persons))
    return rest.to(params.transl) + params.transl


def _blended_details(start: HumanParams, end: HumanParams, share: float) -> Details | None:
    """Mix fingers, face and expression; who has none rests."""
    if start.details is None and end.details is None:
        return None
    one, two = (own.details or Details.rest(own.pose) for own in (start, end))
    turned = {
        name: matrix_to_axis_angle(
            interpolate_rotations(
                axis_angle_to_matrix(getattr(one, name)),
                axis_angle_to_matrix(getattr(two, name)),
                torch.full_like(getattr(one, name)[..., 0], share),
            )
        )
        for name in ("fingers", "face")
    }
    return Details(**turned, expression=torch.lerp(one.expression, two.expression, share))
