"""What hides what: for every part of the body, the nearest of the other limbs in each place.

A hand on a hip is no part of the hip. A fitted hand lies a little beside the one shown, and not at
the angle of its wrist: colours tell how far it really goes, where they differ from what is behind.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..body.view import BodyView
from .counterparts import NEAR_PARTS, part_distances
from .filters import box_blur, dilate
from .person_mask import MOST_TOLD, colour_bins, colour_histogram, distance
from .skin import Skin

REACH_M = 0.03
"""How far beside its outline another part may still cover what lies behind it."""
TABLE_PX = 256
FOREARMS = tuple(
    tuple(JOINT_INDEX[f"{side}_{name}"] for name in ("elbow", "wrist", "hand")) for side in "lr"
)
"""What lies before the body; both look alike."""
UPPER_ARMS = tuple((JOINT_INDEX[f"{side}_shoulder"],) for side in "lr")
"""Bare ones look alike too; in sleeves they are like the trunk that they lie before."""
LEAST_BARE = 0.5
"""Share of skin from which upper arms are bare. Without this bound 60 synthetic people lose 0.0004
of SSIM and of perceptual distance."""
FIT_M = 0.03
"""Distance from a fitted outline at which a forearm is e times as likely, or as unlikely."""
FAR_M = 0.1
"""How far off a fitted forearm the one shown may be, and colours behind it are learned."""
STEP_M = 0.01
"""In which distances are counted."""
ROUNDS = 4
"""In which colours are learned from what they told."""
LEAST_PIXELS = 30
"""Of a forearm that tells a colour."""


def occluder_table(
    view: BodyView,
    image: Float[Tensor, "1 3 height width"],
    person: Float[Tensor, "1 1 height width"],
    skin: Skin | None = None,
) -> Float[Tensor, "24 rows columns"]:
    """Find for every part the depth of the nearest of the other limbs, and of those just beside.

    Args:
        view: the clothed body.
        image: that shows it, in [-1, 1].
        person: share of the person in each pixel.
        skin: how bare upper arms are told, where it is known.

    Returns:
        Metres; infinite where nothing is, 0 where colours say that another limb is seen: a forearm
        before the part, or in the place of a forearm or a bare upper arm what is beside it.
    """
    scale = min(1.0, TABLE_PX / max(view.size))
    size = (max(1, round(view.size[0] * scale)), max(1, round(view.size[1] * scale)))
    small = view.reframed((0.0, 0.0), scale, size)
    face_id, depth = small.visibility.face_id[0].long(), small.visibility.depth[0]
    parts = torch.where(face_id >= 0, view.parts[view.faces[face_id.clamp(min=0), 0]], -1)
    reach = max(1, round(REACH_M * small.px_per_m))
    labels = torch.arange(24, device=depth.device)[:, None, None]
    nearness = torch.where(parts == labels, 1.0 / depth, 0.0)[None]
    nearness = F.max_pool2d(nearness, (2 * reach + 1, 1), 1, (reach, 0))
    nearness = F.max_pool2d(nearness, (1, 2 * reach + 1), 1, (0, reach))[0]
    image, person = (F.interpolate(one, size=size, mode="area") for one in (image, person))
    shown = person[0, 0] > 0.5
    elsewhere = torch.zeros_like(nearness, dtype=torch.bool)
    drawn, scale = _drawn(parts, FOREARMS), small.px_per_m
    for forearm, told in zip(FOREARMS, _told(image, drawn, shown, scale), strict=True):
        elsewhere[list(forearm)] = shown & ~told
        nearness[forearm[0]][dilate(told[None], 1)[0]] = torch.inf
    drawn = _drawn(parts, UPPER_ARMS)
    if skin is not None and skin.share(image, (drawn.any(0) & shown)[None]) > LEAST_BARE:
        for arm, told in zip(UPPER_ARMS, _told(image, drawn, shown, scale), strict=True):
            elsewhere[list(arm)] = shown & ~told
    other = part_distances().to(depth.device) > NEAR_PARTS
    table = torch.stack([1.0 / nearness[row].amax(0) for row in other])
    return torch.where(elsewhere, 0.0, table)


def _drawn(
    parts: Int[Tensor, "rows columns"], limbs: Sequence[tuple[int, ...]]
) -> Bool[Tensor, "limbs rows columns"]:
    """Tell where each limb is seen."""
    return torch.stack([torch.isin(parts, parts.new_tensor(one)) for one in limbs])


def _told(
    image: Float[Tensor, "1 3 rows columns"],
    drawn: Bool[Tensor, "limbs rows columns"],
    shown: Bool[Tensor, "rows columns"],
    px_per_m: float,
) -> Bool[Tensor, "limbs rows columns"]:
    """Tell which pixels of a person are limbs that look alike, by places and colours.

    Bayes's rule as in `estimate_mask`, with the fit's error in the place of clothes; repeated, so
    that what lies under a fitted hand is no colour of hands (expectation maximisation).
    """
    if int((drawn & shown).sum()) < LEAST_PIXELS:
        return drawn & shown
    most, step = round(FAR_M / STEP_M), max(1, round(STEP_M * px_per_m))
    inward, outward = (distance(mask, most, step) for mask in (~drawn, drawn))
    near, logit = shown & (outward <= most * step), (inward - outward) / (FIT_M * px_per_m)
    logit = torch.where(near, logit, -torch.inf)
    bins, told = colour_bins(image), torch.zeros_like(logit[:1])
    for _ in range(ROUNDS):
        limb = torch.sigmoid((logit + told).amax(0, keepdim=True))
        behind = near.any(0) * (1.0 - limb)
        colours, others = (colour_histogram(bins, share) for share in (limb, behind))
        told = (colours / others)[bins].log().clamp(-MOST_TOLD, MOST_TOLD)
        told = box_blur(told[None], 1)[0]
    return logit + told > 0
