"""What is bare skin: told by the colour of the face, where it is seen."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.view import BodyView
from .counterparts import TRUNK_WITHOUT_HEAD

CHEEK_BOTTOM, CHEEK_TOP = 0.68, 0.76
"""Heights on the rest body, canonical."""
LEAST_PIXELS = 12
MOST = 0.4
WARMTH = 0.15
"""By how much of their lightness faces are redder than blue, at least."""
HUE, LIGHT = 0.13, (0.4, 1.8)
"""How near to the face's colour skin is: hue as colour over lightness, lightness as a factor."""


def face_colour(
    image: Float[Tensor, "1 3 height width"],
    view: BodyView,
    face: Bool[Tensor, "vertices"],
    shown: Bool[Tensor, "1 height width"],
) -> Float[Tensor, "3"] | None:
    """Take the median colour, in [0, 1], of nose and cheeks; None where it tells nothing.

    Faces may not be seen, and colours that are hardly warm are no skin's: a scarf, glasses, a grey
    image. Where most of the trunk has the colour too, it is a garment's as well.

    Args:
        image: in [-1, 1], of the view's size.
        view: the body in it.
        face: the vertices of the face.
        shown: where the image shows the body.
    """
    height, seen = view.canonical[:, 1], view.visibility
    cheeks = face & (height < CHEEK_TOP) & (height > CHEEK_BOTTOM)
    trunk = torch.isin(view.parts, view.parts.new_tensor(TRUNK_WITHOUT_HEAD))
    at_cheeks, at_trunk = (
        image.permute(0, 2, 3, 1)[
            part[view.faces.long()].all(1)[seen.face_id.clamp(min=0).long()] & seen.mask & shown
        ]
        for part in (cheeks, trunk)
    )
    if len(at_cheeks) < LEAST_PIXELS:
        return None
    colour = (at_cheeks.median(0).values + 1) * 0.5
    warm = float(colour[0] - colour[2]) > WARMTH * float(colour.mean())
    worn = len(at_trunk) > 0 and float(is_skin(at_trunk.T, colour).float().mean()) > MOST
    return colour if warm and not worn else None


def is_skin(colours: Float[Tensor, "3 pixels"], skin: Float[Tensor, "3"]) -> Bool[Tensor, "pixels"]:
    """Tell which colours, in [-1, 1], are the face's in some light; the face's own is in [0, 1]."""
    unit = (colours + 1) * 0.5
    light = unit.mean(0).clamp(min=0.02)
    hue = (unit / light - (skin / skin.mean())[:, None]).abs().amax(0)
    factor = light / skin.mean()
    return (hue < HUE) & (factor > LIGHT[0]) & (factor < LIGHT[1])
