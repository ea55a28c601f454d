"""What is bare skin: told by the colour of the face, where it is seen."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.joints import TRUNK_WITHOUT_HEAD
from ..body.view import BodyView
from .hairline import CHEEK_BOTTOM, CHEEK_TOP, LEAST_PIXELS

MOST = 0.4
"""Share of the trunk in the colour of the face, from which a garment has it too."""
WARMTH = 0.15
"""By how much of their lightness faces are redder than blue, at least."""
BARE, BAND = 0.75, 0.03
"""Share of skin in what is seen of the trunk at a height, canonical, above which its back is bare,
too: below a neckline there is cloth at both sides."""
HUE, LIGHT = 0.13, (0.4, 1.8)
"""How near to the face's colour skin is: hue as colour over lightness, lightness as a factor."""


class Skin(NamedTuple):
    """The colour, in [0, 1], by which skin is told."""

    face: Float[Tensor, "3"]

    def told(self, colours: Float[Tensor, "3 pixels"]) -> Bool[Tensor, "pixels"]:
        """Tell which colours, in [-1, 1], are skin's in some light."""
        unit = (colours + 1) * 0.5
        light = unit.mean(0).clamp(min=0.02)
        hue = (unit / light - (self.face / self.face.mean())[:, None]).abs().amax(0)
        factor = light / self.face.mean()
        return (hue < HUE) & (factor > LIGHT[0]) & (factor < LIGHT[1])

    def share(
        self, image: Float[Tensor, "1 3 height width"], where: Bool[Tensor, "1 height width"]
    ) -> float:
        """Give the share of skin in some pixels; 0 where there are none."""
        colours = image.movedim(1, -1)[where].T
        bare = self.told(colours)
        return float(bare.float().mean()) if bare.numel() else 0.0


def find_skin(
    image: Float[Tensor, "1 3 height width"],
    view: BodyView,
    face: Bool[Tensor, "vertices"],
    shown: Bool[Tensor, "1 height width"],
) -> Skin | None:
    """Take the median colour of nose and cheeks, else of the chin; None where it tells nothing.

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
    chin = face & (height <= CHEEK_BOTTOM)
    trunk = torch.isin(view.parts, view.parts.new_tensor(TRUNK_WITHOUT_HEAD))
    at_face, at_chin, at_trunk = (
        _pixels_of(part, image, view, shown) for part in (cheeks, chin, trunk)
    )
    if len(at_face) < LEAST_PIXELS:
        at_face = at_chin
    if len(at_face) < LEAST_PIXELS:
        return None
    colour = (at_face.median(0).values + 1) * 0.5
    warm = float(colour[0] - colour[2]) > WARMTH * float(colour.mean())
    skin = Skin(colour)
    worn = len(at_trunk) > 0 and float(skin.told(at_trunk.T).float().mean()) > MOST
    return skin if warm and not worn else None


def bare_trunk(
    view: BodyView, seen: Bool[Tensor, "vertices"], skin: Bool[Tensor, "vertices"]
) -> Bool[Tensor, "vertices"]:
    """Tell where the trunk is bare all around, as above a strapless top and below a short one.

    Args:
        view: whose rest body is looked at.
        seen: what the source shows of it.
        skin: whose colours are bare skin's.
    """
    trunk = torch.isin(view.parts, view.parts.new_tensor(TRUNK_WITHOUT_HEAD))
    height = view.canonical[:, 1]
    band = ((height - height.min()) / BAND).long()
    seen, skin = (
        torch.bincount(band, (one & trunk).float(), int(band.max()) + 1)
        for one in (seen, seen & skin)
    )
    return trunk & (skin > BARE * seen)[band]


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
