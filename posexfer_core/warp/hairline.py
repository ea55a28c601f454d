"""How far down the hair over a face goes: row by row from the crown, as far as it is no skin."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..body.view import BodyView
from ..geometry.rasterize import interpolate
from .skin import Skin

HAIRLINES = (0.80, 0.82, 0.84, 0.855, 0.87, 0.88)
"""Heights on the rest body, canonical."""
USUAL, BALD = 0.82, 0.855
"""The first where nothing tells; the second of a head without hair, above the brows."""
ROWS = 0.01
MOST_SKIN = 0.3


def find_hairline(
    image: Float[Tensor, "1 3 height width"],
    view: BodyView,
    shown: Bool[Tensor, "1 height width"],
    skin: Skin | None,
) -> float:
    """Find the least of `HAIRLINES` above which the front of a head is hair or hat.

    Args:
        image: in [-1, 1], of the view's size.
        view: the body in it.
        shown: where the image shows the body.
        skin: colours of face and scalp, where they are seen.
    """
    if skin is None or skin.scalp is None:
        return USUAL
    if torch.equal(skin.scalp, skin.face):
        return BALD
    faces, seen = view.faces.long(), view.visibility
    head = (view.parts == JOINT_INDEX["head"])[faces].all(1)
    at = head[seen.face_id.clamp(min=0).long()] & seen.mask & shown
    height = interpolate(seen, faces, view.canonical[None, :, 1:2])[..., 0][at]
    colours = image.permute(0, 2, 3, 1)[at].T
    bare = skin.told(colours, torch.ones_like(height, dtype=torch.bool))
    lowest = HAIRLINES[-1]
    for line in reversed(HAIRLINES):
        row = (height > line) & (height < line + ROWS)
        if bool(row.any()) and float(bare[row].float().mean()) > MOST_SKIN:
            break
        lowest = line
    return lowest
