"""What is bare skin: told by the colour of the face, where it is seen, and by that of the hair."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.joints import JOINT_INDEX
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
HUE_BESIDE_HAIR = 0.2
"""The same on a head whose hair is seen, which tells shining skin from hair."""
SCALP = 0.87
"""Height on the rest body above which a head wears hair, a hat or nothing."""
BALD = 0.12
"""Difference of scalp and face, of a range of 1, below which neither tells hair from skin."""


class Skin(NamedTuple):
    """Colours in [0, 1] by which skin is told."""

    face: Float[Tensor, "3"]
    scalp: Float[Tensor, "3"] | None
    """Of hair or hat; the face's where there is none, None where it is not seen."""

    def told(
        self, colours: Float[Tensor, "3 pixels"], on_head: Bool[Tensor, "pixels"]
    ) -> Bool[Tensor, "pixels"]:
        """Tell which colours, in [-1, 1], are skin's in some light.

        Fair hair has the hue of skin: what is on a head must also be nearer to the face's colour.
        """
        bare = is_skin(colours, self.face)
        if self.scalp is None:
            return bare
        unit = (colours + 1) * 0.5
        colours_told = (self.face, self.scalp)
        to_face, to_scalp = ((unit - one[:, None]).square().sum(0) for one in colours_told)
        no_hair = is_skin(colours, self.face, HUE_BESIDE_HAIR) & (to_face < to_scalp)
        return torch.where(on_head, no_hair, bare)

    def share(
        self, image: Float[Tensor, "1 3 height width"], where: Bool[Tensor, "1 height width"]
    ) -> float:
        """Give the share of skin in some pixels off the head; 0 where there are none."""
        colours = image.movedim(1, -1)[where].T
        bare = self.told(colours, torch.zeros_like(colours[0], dtype=torch.bool))
        return float(bare.float().mean()) if bare.numel() else 0.0


def find_skin(
    image: Float[Tensor, "1 3 height width"],
    view: BodyView,
    face: Bool[Tensor, "vertices"],
    shown: Bool[Tensor, "1 height width"],
) -> Skin | None:
    """Take the colours of face and scalp; None where the face tells nothing.

    Args:
        image: in [-1, 1], of the view's size.
        view: the body in it.
        face: the vertices of the face.
        shown: where the image shows the body.
    """
    colour = face_colour(image, view, face, shown)
    if colour is None:
        return None
    scalp = (view.parts == JOINT_INDEX["head"]) & (view.canonical[:, 1] > SCALP)
    seen = _pixels_of(scalp, image, view, shown)
    if len(seen) < LEAST_PIXELS:
        return Skin(colour, None)
    hair = (seen.median(0).values + 1) * 0.5
    return Skin(colour, colour if float((hair - colour).abs().amax()) < BALD else hair)


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
    height = view.canonical[:, 1]
    cheeks = face & (height < CHEEK_TOP) & (height > CHEEK_BOTTOM)
    trunk = torch.isin(view.parts, view.parts.new_tensor(TRUNK_WITHOUT_HEAD))
    at_cheeks, at_trunk = (_pixels_of(part, image, view, shown) for part in (cheeks, trunk))
    if len(at_cheeks) < LEAST_PIXELS:
        return None
    colour = (at_cheeks.median(0).values + 1) * 0.5
    warm = float(colour[0] - colour[2]) > WARMTH * float(colour.mean())
    worn = len(at_trunk) > 0 and float(is_skin(at_trunk.T, colour).float().mean()) > MOST
    return colour if warm and not worn else None


def is_skin(
    colours: Float[Tensor, "3 pixels"], skin: Float[Tensor, "3"], most: float = HUE
) -> Bool[Tensor, "pixels"]:
    """Tell which colours, in [-1, 1], are the face's in some light; the face's own is in [0, 1]."""
    unit = (colours + 1) * 0.5
    light = unit.mean(0).clamp(min=0.02)
    hue = (unit / light - (skin / skin.mean())[:, None]).abs().amax(0)
    factor = light / skin.mean()
    return (hue < most) & (factor > LIGHT[0]) & (factor < LIGHT[1])


def _pixels_of(
    part: Bool[Tensor, "vertices"],
    image: Float[Tensor, "1 3 height width"],
    view: BodyView,
    shown: Bool[Tensor, "1 height width"],
) -> Float[Tensor, "pixels 3"]:
    """Read the image where it shows a part of the body."""
    seen = view.visibility
    at = part[view.faces.long()].all(1)[seen.face_id.clamp(min=0).long()] & seen.mask & shown
    return image.permute(0, 2, 3, 1)[at]
