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
    out_of_half = rest[..., 0].abs().amax(1) / middles
    seen = _sampled(bare, image, shown, pixels, out_of_half)
    heights, out = rest[:, 0, 1], seen.out
    between, legs = out.abs() < BETWEEN, seen.person & ((out.abs() - 1.0).abs() < LEG)
    lengths = (posed[1:] - posed[:-1]).norm(dim=2).mean(1)
    lengths = torch.cat([lengths, lengths[-1:]])
    down = _leads_down(pixels, lengths * bare.px_per_m)
    bare_legs = torch.zeros_like(legs)
    if skin is not None:
        bare_legs = skin.told(seen.colours.flatten(1)).reshape(legs.shape)
    middle, beside = (
        _mean(seen.colours, seen.person & (out.abs() > low) & (out.abs() < high))
        for low, high in ((-1.0, IN_MIDDLE), (BESIDE, 1.0))
    )
    inside = (~between | seen.inside).all(1)
    rows = LegRows(
        heights=heights,
        hems=heights[_nearest_front(pixels, posed[..., 2])],
        lengths=lengths,
        gaps=(seen.width * (between & ~seen.person)).sum(1),
        filled=(seen.width * (between & seen.person & ~seen.body)).sum(1),
        upright=down.any(1),
        abreast=_across(pixels).norm(dim=1) / bare.px_per_m / _across(posed).norm(dim=1),
        skin=_mean(bare_legs[None].to(image), legs)[:, 0],
        across=middle - beside,
        colours=torch.stack(
            [_mean(seen.colours, legs & side) for side in (out < 0.0, out > 0.0)], 2
        ),
        far=down.all(1) & (heights < FLARE_FROM) & seen.far,
        whole=inside.all().expand_as(inside),
    )
    above = inside.long().cumprod(0).bool()
    return LegRows(*(one[above] for one in rows))


class _Samples(NamedTuple):
    """What is seen along rows from one side of both legs to the other."""

    out: Float[Tensor, "rows samples"]
    """How far out each is: 1 at the middle of the left leg, -1 at that of the right one."""
    width: Float[Tensor, "rows 1"]
    """From one to the next, metres."""
    colours: Float[Tensor, "3 rows samples"]
    person: Bool[Tensor, "rows samples"]
    body: Bool[Tensor, "rows samples"]
    """Where the bare body is."""
    inside: Bool[Tensor, "rows samples"]
    """Whether the image shows them."""
    far: Bool[Tensor, "rows"]
    """Whether cloth stands far off both sides."""


def _sampled(
    bare: BodyView,
    image: Float[Tensor, "1 3 height width"],
    shown: Float[Tensor, "height width"],
    pixels: Float[Tensor, "rows columns 2"],
    out_of_half: Float[Tensor, "rows"],
) -> _Samples:
    """Read an image along rows through the middles of rings, and far beyond their sides.

    Args:
        bare: as `look_along_legs` has it; so are the next two.
        image: the source.
        shown: share of the person.
        pixels: of the rings.
        out_of_half: half the width of each ring, over what a leg's middle lies out.
    """
    half = _across(pixels) / 2
    width = half.norm(dim=1, keepdim=True) / bare.px_per_m
    beyond = 1.0 + FAR_OFF_M / width
    along = torch.linspace(-1.0, 1.0, SAMPLES).to(half).expand(len(half), -1)
    along = torch.cat([along, -beyond, beyond], 1)
    places = pixels.mean(1)[:, None] + along[..., None] * half[:, None]
    grid = pixels_to_ndc(places, bare.size)
    maps = torch.cat([image, torch.stack([shown, bare.visibility.mask[0].to(shown)])[None]], 1)
    colours, masks = F.grid_sample(maps, grid[None], align_corners=False)[0].split([3, 2])
    person, body = masks > 0.5
    return _Samples(
        out=(along * out_of_half[:, None])[:, :SAMPLES],
        width=width * 2.0 / (SAMPLES - 1),
        colours=colours[..., :SAMPLES],
        person=person[:, :SAMPLES],
        body=body[:, :SAMPLES],
        inside=(grid.abs() < 1.0).all(-1)[:, :SAMPLES],
        far=(person & ~body)[:, SAMPLES:].all(1),
    )


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
