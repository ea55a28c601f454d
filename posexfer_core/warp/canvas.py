"""Room for a pose that leaves the photo: more image around it, and never streaks."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.view import BodyView
from ..geometry.camera import project_perspective
from ..geometry.resample import mirrored

Outside = Literal["crop", "mirror", "fill"]
"""A pose that leaves the photo is cut off; or the photo goes on in its mirror image; or in texture
made of its own."""
BORDER = 0.04
"""Free space around the pose, as a share of its height."""


class Canvas(NamedTuple):
    """A photo with room around it, and what lies in it."""

    image: Float[Tensor, "1 3 height width"]
    """The photo, mirrored at its edges as often as there is room."""
    source: BodyView
    target: BodyView
    mask: Float[Tensor, "1 1 height width"] | None
    outside: Bool[Tensor, "1 height width"]
    """What the photo does not show."""
    offset_xy: tuple[int, int]
    """The photo's left upper corner in the canvas, pixels."""


def with_room(
    image: Float[Tensor, "1 3 height width"],
    source: BodyView,
    target: BodyView,
    mask: Float[Tensor, "1 1 height width"] | None,
) -> Canvas:
    """Let a photo hold its target; where the source is cut off at an edge, so may the target be."""
    height, width = image.shape[-2:]
    extents = [project_perspective(one.vertices, one.intrinsics)[0] for one in (source, target)]
    (first, last), (low, high) = (
        ((one.amin(0)).tolist(), (one.amax(0)).tolist()) for one in extents
    )
    border = BORDER * (high[1] - low[1])
    before = [max(0, round(border - low[axis])) if first[axis] >= 0 else 0 for axis in (0, 1)]
    after = [
        max(0, round(high[axis] + border - length)) if last[axis] <= length else 0
        for axis, length in ((0, width), (1, height))
    ]
    columns = _line(width, before[0], after[0]).to(image.device)
    rows = _line(height, before[1], after[1]).to(image.device)
    size = (len(rows), len(columns))
    outside = torch.ones(1, *size, dtype=torch.bool, device=image.device)
    photo = (slice(before[1], before[1] + height), slice(before[0], before[0] + width))
    outside[(..., *photo)] = False
    shown = None
    if mask is not None:
        shown = mask.new_zeros(1, 1, *size)
        shown[(..., *photo)] = mask
    shift = (-before[0], -before[1])
    return Canvas(
        image=image[..., rows[:, None], columns],
        source=source.reframed(shift, 1.0, size),
        target=target.reframed(shift, 1.0, size),
        mask=shown,
        outside=outside,
        offset_xy=(before[0], before[1]),
    )


def _line(length: int, before: int, after: int) -> Tensor:
    """Number the pixels of a line with room at both ends."""
    return mirrored(torch.arange(-before, length + after), length)
