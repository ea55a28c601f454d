"""Pairs of a single photo: it is the target, and the source is its person warped to another pose.

The warp shows what the other pose shows, so parts of the person are hidden, as in a true source;
what is wanted is the photo itself, untouched. So photos train the network of which no two show
the same clothes.
"""

import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.retarget import retarget
from posexfer_core.body.view import BodyView
from posexfer_core.warp.warp_to_pose import warp_to_pose

from .photo_samples import RandomView, Shot, cut_person


@torch.no_grad()
def self_pair(
    shot: Shot, pose: HumanParams, body: BodyModel, size: tuple[int, int], view: RandomView
) -> tuple[Shot, Shot]:
    """Make source and target of one photo.

    Args:
        shot: the photo with its person.
        pose: somebody's parameters, whose pose the source takes.
        body: of both.
        size: height and width of the sample, pixels.
        view: what is random about it.

    Returns:
        The warped person with its mask, and the photo, in one cut that holds both.
    """
    posed = retarget(shot.params, pose, body, framing="source")
    wanted = BodyView.of(posed, body)
    target = cut_person(shot, size, view, body, wanted)
    moved = posed.with_camera(target.params.intrinsics, size)
    warped = warp_to_pose(
        target.image, BodyView.of(target.params, body), BodyView.of(moved, body), target.mask
    )
    source = Shot(image=warped.image, params=moved, mask=warped.body.to(warped.image))
    return source, target
