"""Target poses on the person of a photo: their build, their place, their camera."""

from dataclasses import replace

import torch

from ...posexfer_core.body.motion import join_frames
from ...posexfer_core.body.params import HumanParams
from ...posexfer_core.body.retarget import Framing, retarget
from ...posexfer_core.body.view import BodyView
from ...posexfer_core.errors import ParamsError
from ...posexfer_core.transfer.framing import body_box, cut_off_edges
from ...posexfer_core.transfer.staging import NECK
from ..sockets import PosedBody


def retarget_body(source: PosedBody, target: PosedBody, framing: Framing = "source") -> PosedBody:
    """Give the source's build to the target's pose.

    With the source's framing, somebody whose feet the photo cuts off keeps the neck where it is:
    nobody can tell where they stand.

    Args:
        source: one frame for all of the target's, or as many.
        target: as many frames as the result.
        framing: whose camera, image size and place are used.

    Raises:
        ParamsError: the numbers of frames do not go together; as `retarget`.
    """
    count = target.params.frames
    if source.params.frames == 1:
        params = _retargeted(source, source.params, target.params, framing)
    elif source.params.frames != count:
        raise ParamsError(
            f"The source body has {source.params.frames} frames and the target body {count}; "
            "expected one source, or as many as targets."
        )
    else:
        params = join_frames(
            [
                _retargeted(source, source.params.select(n), target.params.select(n), framing)
                for n in range(count)
            ]
        )
    return PosedBody(params=params, model=source.model)


def _retargeted(
    source: PosedBody, person: HumanParams, pose: HumanParams, framing: Framing
) -> HumanParams:
    params = retarget(person, pose, source.model, framing=framing)
    if framing == "target":
        return params
    shown = BodyView.of(person, source.model)
    if not cut_off_edges(body_box(shown), shown.size)[3]:
        return params
    placed = BodyView.of(params, source.model, frame=None)
    shift = shown.joints[:, NECK] - placed.joints[:, NECK]
    world_from_camera = params.camera_from_world[:, :3, :3].mT.to(shift)
    moved = torch.einsum("fab,fb->fa", world_from_camera, shift)
    return replace(params, transl=params.transl + moved[:, None].to(params.transl))
