"""Target poses on the person of a photo, who may be cut off by its edge."""

from dataclasses import replace

import torch

from ..body.joints import JOINT_INDEX
from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.retarget import retarget
from ..body.view import BodyView
from .framing import body_box, cut_off_edges

NECK = JOINT_INDEX["neck"]


def retarget_in_photo(source: HumanParams, target: HumanParams, body: BodyModel) -> HumanParams:
    """Give the source's shape, place and camera to the target's pose.

    Somebody whose feet the photo cuts off keeps the neck where it is: nobody can tell where they
    stand.

    Args:
        source: the person shown, in one frame.
        target: the pose wanted, in any number of frames.
        body: as in `retarget`.
    """
    params = retarget(source, target, body, framing="source")
    shown = BodyView.of(source, body)
    if not cut_off_edges(body_box(shown), shown.size)[3]:
        return params
    placed = BodyView.of(params, body, frame=None)
    shift = shown.joints[:, NECK] - placed.joints[:, NECK]
    world_from_camera = params.camera_from_world[:, :3, :3].mT.to(shift)
    moved = torch.einsum("fab,fb->fa", world_from_camera, shift)
    return replace(params, transl=params.transl + moved[:, None].to(params.transl))
