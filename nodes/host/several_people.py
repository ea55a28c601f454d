"""Several people in one picture: each where its own camera sees it, all through one lens."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ...posexfer_core.body.model import BodyModel
from ...posexfer_core.body.pose_document import standing, to_edit
from ...posexfer_core.body.pose_editing import rest_pelvis, seen_by
from ...posexfer_core.body.view import BodyView
from ...posexfer_core.errors import ParamsError
from ..sockets import PosedBody
from .framing import repeated

BESIDE_M = 0.5
"""How far from somebody another one stands at first."""


def together(body: PosedBody, others: PosedBody | None = None) -> list[PosedBody]:
    """Put everyone into the body's picture, the body first, as many frames of each.

    Args:
        body: whose lens and size count.
        others: further people, beside those of the body.

    Raises:
        ParamsError: the numbers of frames do not go together.
    """
    people = [*body.everyone(), *([] if others is None else others.everyone())]
    found = [one.params.frames for one in people]
    count = max(found)
    if any(number not in (1, count) for number in found):
        listed = ", ".join(str(number) for number in found)
        raise ParamsError(
            f"Found people of {listed} frames in one picture.\n"
            f"Expected 1 or {count} of each.\n"
            "Give 'others' one frame for all, or as many as 'body'."
        )
    first = repeated(people[0], count)
    return [first, *(through_lens(repeated(one, count), first) for one in people[1:])]


def through_lens(
    other: PosedBody, body: PosedBody, camera_from_world: Tensor | None = None
) -> PosedBody:
    """See a person through the lens of another's picture, from its own camera or one given."""
    rows = _rows(other, body)
    lens, size = body.params.intrinsics[rows].to(other.params.pose), body.params.image_size
    camera = None if camera_from_world is None else camera_from_world[rows].to(other.params.pose)
    return replace(other, params=other.params.with_camera(lens, size, camera))


def in_world_of(other: PosedBody, body: PosedBody) -> PosedBody:
    """Move a person to the world of another, before whose camera it stays where it is."""
    camera = body.params.camera_from_world[_rows(other, body)].to(other.params.pose)
    pelvis = rest_pelvis(other.params, other.model)
    return replace(other, params=seen_by(other.params, camera, pelvis))


def standing_beside(other: PosedBody, people: Sequence[PosedBody]) -> PosedBody:
    """Stand the bundled body beside people, where the picture has most room, on a floor with one.

    Args:
        other: whose picture and floor it is; the world is theirs if its y is up, else that of
            `to_edit`.
        people: everyone there.
    """
    known = other.params.select(0)
    if float(known.camera_from_world[0, 1, 1]) > 0:
        known = to_edit(known, other.model)
    own = PosedBody(params=standing(known.image_size), model=BodyModel.bundled())
    there, here = _in_world(replace(other, params=known)), _in_world(own)
    shift = there.joints[0, 0].to(here.joints) - here.joints[0, 0]
    taken = [float(one.view().joints[0, 0, 0]) for one in people]
    free = [
        place
        for place in (x + side for x in taken for side in (BESIDE_M, -BESIDE_M))
        if min(abs(place - x) for x in taken) > 0.99 * BESIDE_M
    ]
    right = known.camera_from_world[0, 0, :3].to(shift)
    shift = shift + (min(free, key=abs) - float(other.view().joints[0, 0, 0])) * right
    shift[1] = there.vertices[0, :, 1].min() - here.vertices[0, :, 1].min()
    params = replace(own.params, transl=own.params.transl + shift)
    lens, camera = (one.to(shift) for one in (known.intrinsics, known.camera_from_world))
    return replace(own, params=params.with_camera(lens, known.image_size, camera))


def _in_world(body: PosedBody) -> BodyView:
    camera = torch.eye(4).to(body.params.pose)[None]
    params = body.params.with_camera(body.params.intrinsics, body.params.image_size, camera)
    return BodyView.of(params, body.model)


def _rows(other: PosedBody, body: PosedBody) -> Tensor:
    """Number the frames of a body that go with another's: each its own, or all the first."""
    frames = other.params.frames
    return torch.arange(frames) if body.params.frames == frames else torch.zeros(frames).long()
