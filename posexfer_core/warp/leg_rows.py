"""What is seen before both legs and between them, row by row from the crotch down."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.view import BodyView
from ..geometry.camera import pixels_to_ndc, project_perspective
from .skin import Skin
from .skirt_tube import COLUMNS, SIDES, posed_rings, rings

LOWEST, CROTCH = -1.13, -0.16
"""Heights between which is looked, canonical."""
ROW = 0.009
SAMPLES = 97
"""Along a row, from one side of both legs to the other."""
BETWEEN, LEG = 0.9, 0.5
"""Between the legs is what lies nearer to the middle than that of a leg, a share of the way there;
so far around the middle of a leg it is measured."""
IN_MIDDLE, BESIDE = 0.25, 0.4
"""How far out, a share of the way to the middle of a leg, the middle ends and what is beside it
begins."""
FAR_OFF_M = 0.07
"""Trousers do not stand off so far on both sides of somebody upright."""
UPRIGHT = 0.4
"""How far down the image a leg leads, at least, a share of its length in front of the camera:
nobody's cloth is measured who sits."""
FLARE_FROM = -0.25
"""Height below which hands do not hang."""


class LegRows(NamedTuple):
    """What is seen between and beside the legs, from the crotch down."""

    heights: Float[Tensor, "rows"]
    """On the rest body, canonical."""
    hems: Float[Tensor, "rows"]
    """The same of rings whose part nearer to the camera lies in the row."""
    lengths: Float[Tensor, "rows"]
    """Of the legs down to the next row, metres."""
    gaps: Float[Tensor, "rows"]
    """Width between the middles of the legs where nobody is, metres."""
    filled: Float[Tensor, "rows"]
    """Width of cloth between the legs of the bare body, metres."""
    upright: Bool[Tensor, "rows"]
    """Whether a leg leads down."""
    abreast: Float[Tensor, "rows"]
    """Share of the way from leg to leg that lies across the image; less in a stride."""
    skin: Float[Tensor, "rows"]
    """Share of bare skin before both legs."""
    across: Float[Tensor, "rows 3"]
    """How colours in the middle differ from those beside it."""
    colours: Float[Tensor, "rows 3 2"]
    """Mean over what lies before the right and the left leg, in [-1, 1]."""
    far: Bool[Tensor, "rows"]
    """Whether cloth stands far off both legs of somebody upright."""
    whole: Bool[Tensor, "rows"]
    """Whether the image shows the legs down to their end."""


def look_along_legs(
    bare: BodyView,
    image: Float[Tensor, "1 3 height width"],
    shown: Float[Tensor, "height width"],
    skin: Skin | None,
) -> LegRows:
    """Look along rows across both legs, as far down as the image shows what is between them.

    Args:
        bare: the body in the source.
        image: the source, of the view's size, in [-1, 1].
        shown: share of the person in each pixel, of the view's size.
        skin: how bare legs are told, where it is known.
    """
    rest, middles = rings(bare, LOWEST, ROW)
    low = rest[:, 0, 1] < CROTCH
    rest, middles = rest[low], middles[low]
    posed = posed_rings(bare, rest, middles)[0].reshape(rest.shape)
    pixels = project_perspective(posed.reshape(1, -1, 3), bare.intrinsics)[0]
    pixels = pixels.reshape(-1, COLUMNS, 2)
    half = _across(pixels) / 2
    width = half.norm(dim=1) / bare.px_per_m
    beyond = 1.0 + FAR_OFF_M / width
    along = torch.linspace(-1.0, 1.0, SAMPLES).to(half).expand(len(half), -1)
    along = torch.cat([along, -beyond[:, None], beyond[:, None]], 1)
    middle = pixels.mean(1)
    grid = pixels_to_ndc(middle[:, None] + along[..., None] * half[:, None], bare.size)
    maps = torch.cat([image, torch.stack([shown, bare.visibility.mask[0].to(shown)])[None]], 1)
    colours, seen = F.grid_sample(maps, grid[None], align_corners=False)[0].split([3, 2])
    person, body = seen > 0.5
    # How far out a sample is: 1 at the middle of a leg.
    out = along * (rest[..., 0].abs().amax(1) / middles)[:, None]
    between = out.abs() < BETWEEN
    sample = width[:, None] * 2.0 / (SAMPLES - 1)
    lengths = (posed[1:] - posed[:-1]).norm(dim=2).mean(1)
    lengths = torch.cat([lengths, lengths[-1:]])
    heights = rest[:, 0, 1]
    down = _leads_down(pixels, lengths * bare.px_per_m)
    legs = person & ((out.abs() - 1.0).abs() < LEG)
    bare_legs = torch.zeros_like(legs)
    if skin is not None:
        bare_legs = skin.told(colours.flatten(1)).reshape(legs.shape)
    middle, beside = (
        _mean(colours, person & (out.abs() > low) & (out.abs() < high))
        for low, high in ((-1.0, IN_MIDDLE), (BESIDE, 1.0))
    )
    inside = (~between | (grid.abs() < 1.0).all(-1)).all(1)
    above = inside.long().cumprod(0).bool()
    found = LegRows(
        heights=heights,
        hems=heights[_nearest_front(pixels, posed[..., 2])],
        lengths=lengths,
        gaps=(sample * (between & ~person)).sum(1),
        filled=(sample * (between & person & ~body)).sum(1),
        upright=down.any(1),
        abreast=2.0 * width / _across(posed).norm(dim=1),
        skin=_mean(bare_legs[None].to(colours), legs)[:, 0],
        across=middle - beside,
        colours=torch.stack([_mean(colours, legs & side) for side in (out < 0.0, out > 0.0)], 2),
        far=down.all(1) & (heights < FLARE_FROM) & (person & ~body)[:, -2:].all(1),
        whole=inside.all().expand_as(inside),
    )
    return LegRows(*(one[above] for one in found))


def _nearest_front(
    pixels: Float[Tensor, "rows columns 2"], depths: Float[Tensor, "rows columns"]
) -> Int[Tensor, "rows"]:
    """Number for each ring the one whose part nearer to the camera lies where its middle does."""
    ends = [0, COLUMNS // 2]
    nearer = ends[int(depths[:, ends].mean(0).argmin())]
    across = F.normalize(_across(pixels).mean(0), dim=0)
    along = torch.stack([-across[1], across[0]])
    middle, front = pixels.mean(1) @ along, pixels[:, nearer] @ along
    return (middle[:, None] - front).abs().argmin(1)


def _across(rings: Float[Tensor, "rows columns axes"]) -> Float[Tensor, "rows axes"]:
    """Give the way from the right side of rings to the left one."""
    left, right = rings[:, SIDES].unbind(1)
    return left - right


def _mean(
    values: Float[Tensor, "channels rows columns"], where: Bool[Tensor, "rows columns"]
) -> Float[Tensor, "rows channels"]:
    """Average along rows; 0 where nothing is."""
    return ((values * where).sum(2) / where.sum(1).clamp(min=1)).T


def _leads_down(
    pixels: Float[Tensor, "rows columns 2"], lengths_px: Float[Tensor, "rows"]
) -> Bool[Tensor, "rows 2"]:
    """Tell down to which row the left and the right leg lead down."""
    legs = pixels[:, SIDES, 1]
    down = legs[1:] - legs[:-1] > UPRIGHT * lengths_px[:-1, None]
    return torch.cat([down[:1], down]).long().cumprod(0).bool()
