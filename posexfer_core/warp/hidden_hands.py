"""Hands that the photo does not show: behind a back, in a pocket, tucked under the other arm.

From one image a fit cannot tell whether a hand lies before the body or behind it. Where skin is
known by the face, and none is seen where a hand is drawn before the body, the hand is behind; so is
a forearm that is bare beside the body, and shows no skin before it.
"""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..body.view import BodyView
from .filters import dilate
from .skin import Skin

LEAST_BEFORE = 0.5
"""Share of a drawn hand that must lie before the body."""
MOST_SKIN = 0.1
"""Share of skin up to which something shows none. In photos with a face that tells skin, 28 hands
before somebody have 0.12 to 0.95, and 8 that are drawn there and not shown 0.00 to 0.07."""
LEAST_BARE = 0.5
"""Share of skin from which a forearm is bare."""
NEAR_M, LEAST_NEAR = 0.1, 0.7
"""How far around a drawn hand skin may be its own, if it is so much of the hand: it is misplaced,
and `occluder_table` looks for it. Around seven that are not shown is 0.01 to 0.64, around one on
a hip, drawn lower, 0.77."""
BEHIND_M = 0.05
"""How far behind the surface before it what is hidden is put."""


def with_hidden_hands(
    view: BodyView,
    image: Float[Tensor, "1 3 height width"],
    shown: Bool[Tensor, "1 height width"],
    skin: Skin | None,
) -> BodyView:
    """Put hands, and forearms, that are not seen behind what they are drawn before.

    They move along lines of sight, all by one factor: each stays where it is in the image, and
    what of it lies beside the body is seen from where it was.

    Args:
        view: the clothed body.
        image: that shows it, in [-1, 1].
        shown: where it shows the person.
        skin: how skin is told; without it nothing is moved.
    """
    if skin is None:
        return view
    for side in "lr":
        upper, forearm, hand = (
            _part(view, side, names) for names in (("shoulder",), ("elbow",), ("wrist", "hand"))
        )
        body = _without(view, upper | forearm | hand).visibility.mask & shown
        if _is_hidden(view, hand, body, image, skin):
            drawn = _drawn(view, forearm) & shown
            before, beside = (skin.share(image, drawn & where) for where in (body, ~body))
            hidden = before < MOST_SKIN and beside > LEAST_BARE
            view = _behind(view, hand | forearm if hidden else hand, shown)
    return view


def _is_hidden(
    view: BodyView,
    hand: Bool[Tensor, "vertices"],
    body: Bool[Tensor, "1 height width"],
    image: Float[Tensor, "1 3 height width"],
    skin: Skin,
) -> bool:
    """Tell whether a hand is drawn before the body where no skin is."""
    drawn = _drawn(view, hand)
    before = drawn & body
    count = int(before.sum())
    if count == 0 or count < LEAST_BEFORE * int(drawn.sum()):
        return False
    near = dilate(before, max(1, round(NEAR_M * view.px_per_m))) & body
    if skin.share(image, near) * int(near.sum()) >= LEAST_NEAR * count:
        return False
    return skin.share(image, before) < MOST_SKIN


def _behind(
    view: BodyView, part: Bool[Tensor, "vertices"], shown: Bool[Tensor, "1 height width"]
) -> BodyView:
    """Move a part away from the camera until it lies behind all that it lay before."""
    rest = _without(view, part).visibility
    before = _drawn(view, part) & rest.mask & shown
    factors = (rest.depth[before] + BEHIND_M) / view.visibility.depth[before]
    moved = factors.amax().clamp(min=1.0) * view.vertices
    return replace(view, vertices=torch.where(part[:, None], moved, view.vertices))


def _part(view: BodyView, side: str, names: tuple[str, ...]) -> Bool[Tensor, "vertices"]:
    """Tell which vertices some joints of a side move."""
    joints = [JOINT_INDEX[f"{side}_{name}"] for name in names]
    return torch.isin(view.parts, view.parts.new_tensor(joints))


def _without(view: BodyView, part: Bool[Tensor, "vertices"]) -> BodyView:
    return replace(view, faces=view.faces[~part[view.faces.long()].any(1)])


def _drawn(view: BodyView, part: Bool[Tensor, "vertices"]) -> Bool[Tensor, "1 height width"]:
    """Tell where faces of a part are seen."""
    faces = part[view.faces.long()].all(1)
    return faces[view.visibility.face_id.clamp(min=0).long()] & view.visibility.mask
