"""How far down a skirt goes: where cloth between the legs ends at once, or stands off both.

Trousers part from the crotch on, little by little. Around closed legs a silhouette tells nothing;
there cloth that ends at bare skin is a skirt's if no seam parts it in the middle. A length can be
asked for, too.
"""

import logging
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.view import BodyView
from ..geometry.camera import pixels_to_ndc, project_perspective
from .skin import Skin
from .skirt_tube import COLUMNS, SIDES, has_legs, posed_rings, rings

logger = logging.getLogger(__name__)

Skirt = Literal["auto", "none", "thigh", "knee", "calf", "ankle"]
LENGTHS = {"thigh": -0.36, "knee": -0.53, "calf": -0.74, "ankle": -0.96}
"""Heights of hems on the rest body, canonical."""
NEAR = 0.11
"""How far off those a hem is looked for."""
HEM_REACH, LEAST_CHANGE = 0.035, 0.15
"""Height above and below it over which colours are taken, and by how much they change there."""
LOWEST, CROTCH = -1.0, -0.16
"""Heights between which cloth is looked for, canonical."""
ROW = 0.009
BETWEEN = 0.9
"""Between the legs is what lies nearer to the middle, a share of the way to that of a leg."""
LEAST_GAP_M = 0.006
"""Of what lies between the legs beside them, to tell anything."""
WINDOW_M = 0.06
"""Above and below a hem, where shares are measured."""
HEM_M = 0.03
"""Width that lies between the legs there, at least."""
HEMS = ((0.95, 0.12, 0.0035), (0.9, 0.25, 0.012))
"""How much of that is cloth, at least above a hem and at most below, and how many square metres of
it lie above: the clearer a hem, the less tells a skirt.

Six of 16 photos with a skirt have one of these. Of two people in shorts 0.27 and 0.29 below is
cloth; of 50 photos of people who stand in trousers 0.17 and more, or less than 0.9 above, or it is
narrower."""
SKIN_ROWS = (8, 4)
"""Rows above and below a line at which bare legs begin."""
BARE, LEG = 0.6, 0.5
"""Share of skin below it, at least, measured so far around the middle of a leg, a share of the way
there from between the legs; above it there is at most the rest of 1."""
CLOSED = 0.95
"""Share of what lies between the legs that is cloth above such a line."""
SEAM, IN_MIDDLE, BESIDE = 0.2, 0.25, 0.4
"""Difference of colours, in [-1, 1], of the middle and what is beside it in such rows, up to which
no seam is seen. On nine photos with a skirt 0.00 to 0.10, but 0.28 with a slit and 0.31 where it
is sheer; on three with shorts and one with a long shirt 0.39 to 0.67."""
ABREAST = 0.9
"""One leg before the other hides the seam: 0.86 in a stride, 0.96 and more where both stand."""
HIGH = -0.27
"""No skirt ends above this height."""
DOUBT_M2 = 0.006
"""Area of cloth between the legs from which it is told that a skirt may have been missed: in 4 of 7
photos where one is, and in 14 of 87 without one."""
LOW = -0.85
"""Below this height a clear hem may be closed trousers'."""
FAR_M, FAR_OFF_M = 0.2, 0.07
"""Along so much of both legs trousers do not stand off so far: 0.1 m at most."""
UPRIGHT = 0.4
"""How far down the image a leg leads, at least, a share of its length in front of the camera:
nobody's cloth is measured who sits."""
FLARE_FROM = -0.25
"""Height below which hands do not hang."""


class _Rows(NamedTuple):
    """What is seen between and beside the legs, from the crotch down."""

    heights: Float[Tensor, "rows"]
    """On the rest body, canonical."""
    lengths: Float[Tensor, "rows"]
    """Of the legs down to the next row, metres."""
    gaps: Float[Tensor, "rows"]
    """Width beside the bare body between the legs, metres."""
    cloth: Float[Tensor, "rows"]
    """How much of that is the person, metres."""
    upright: Bool[Tensor, "rows"]
    """Whether a leg leads down."""
    abreast: Float[Tensor, "rows"]
    """Share of the way from leg to leg that lies across the image; less in a stride."""
    skin: Float[Tensor, "rows"]
    """Share of bare skin before both legs."""
    across: Float[Tensor, "rows 3"]
    """How colours in the middle differ from those beside it."""
    colours: Float[Tensor, "rows 3"]
    """Mean over what lies before both legs, in [-1, 1]."""
    far: Bool[Tensor, "rows"]
    """Whether cloth stands far off both legs of somebody upright."""


def find_hem(
    bare: BodyView,
    image: Float[Tensor, "1 3 height width"],
    shown: Float[Tensor, "height width"],
    wanted: Skirt = "auto",
    skin: Skin | None = None,
) -> float | None:
    """Tell the height of a skirt's hem on the rest body, canonical; None without a skirt.

    Args:
        bare: the body in the source.
        image: the source, of the view's size, in [-1, 1].
        shown: share of the person in each pixel, of the view's size.
        wanted: "auto" looks for a skirt; a length looks for a hem near it.
        skin: how bare legs are told, where it is known.
    """
    if wanted == "none":
        return None
    if not has_legs(bare):
        if wanted != "auto":
            logger.warning("This body has no legs to carry a skirt; skirt %r is left out.", wanted)
        return None
    rows = _look(bare, image, shown, skin)
    if wanted != "auto":
        return _near(rows, LENGTHS[wanted])
    told = rows.gaps > LEAST_GAP_M
    opened = (told & (rows.cloth < 0.6 * rows.gaps)).nonzero()[:, 0]
    if len(opened) and _is_hem(rows, int(opened[0])):
        return float(rows.heights[max(0, int(opened[0]) - 1)])
    line = _skin_line(rows)
    if line is not None:
        return float(rows.heights[line])
    if float((rows.lengths * rows.far).sum()) > FAR_M:
        return float(rows.heights[rows.far].min())
    end = int(opened[0]) if len(opened) else len(told)
    if bool(rows.upright[:end].all()) and float((rows.gaps * rows.lengths)[:end].sum()) > DOUBT_M2:
        logger.warning(
            "What hangs between the legs is taken for trousers. If it is a skirt or a dress, say "
            "where it ends: skirt 'thigh', 'knee', 'calf' or 'ankle'."
        )
    return None


def _is_hem(rows: _Rows, end: int) -> bool:
    """Tell whether cloth ends at once at a row, as a skirt's does."""
    down = rows.lengths.cumsum(0)
    number = torch.arange(len(down), device=down.device)
    above = (number < end) & (down > down[end] - WINDOW_M)
    below = (number >= end) & (down < down[end] + WINDOW_M)
    near = above | below
    if not bool(rows.upright[near].all()):
        return False
    clothed, opened = (
        float((rows.cloth * one).sum() / (rows.gaps * one).sum().clamp(min=1e-6))
        for one in (above, below)
    )
    area = rows.gaps * rows.lengths
    if min(float(area[one].sum()) for one in (above, below)) < HEM_M * WINDOW_M:
        return False
    hems = HEMS if float(rows.heights[end]) > LOW else HEMS[1:]
    return any(
        clothed > least and opened < most and float(area[:end].sum()) > enough
        for least, most, enough in hems
    )


def _skin_line(rows: _Rows) -> int | None:
    """Find the row at which closed cloth without a seam ends and bare legs begin."""
    above, below = SKIN_ROWS
    for row in range(above, len(rows.skin) - below):
        before, after = slice(row - above, row - 1), slice(row, row + below)
        if rows.skin[after].mean() > BARE and rows.skin[before].mean() < 1.0 - BARE:
            seam = float(rows.across[before].mean(0).norm())
            closed = float(rows.cloth[:row].sum()) >= CLOSED * float(rows.gaps[:row].sum())
            stands = bool(rows.upright[:row].all()) and rows.abreast[:row].mean() > ABREAST
            fits = HIGH > float(rows.heights[row]) > LOW and stands
            return row - 1 if fits and closed and seam < SEAM else None
    return None


def _near(rows: _Rows, wanted: float) -> float:
    """Take the height where colours change most, near the one wanted; that where none do."""
    reach = round(HEM_REACH / ROW)
    if len(rows.heights) <= 2 * reach:
        return wanted
    means = F.avg_pool1d(rows.colours.T[None], reach, 1)[0]
    changes = (means[:, :-reach] - means[:, reach:]).norm(dim=0)
    heights = rows.heights[reach - 1 : reach - 1 + len(changes)]
    changes = torch.where((heights - wanted).abs() < NEAR, changes, 0.0)
    best = int(changes.argmax())
    return float(heights[best]) if float(changes[best]) > LEAST_CHANGE else wanted


def _look(
    bare: BodyView,
    image: Float[Tensor, "1 3 height width"],
    shown: Float[Tensor, "height width"],
    skin: Skin | None,
) -> _Rows:
    """Look along rings around both legs, as far as the image goes."""
    rest, middles = rings(bare, LOWEST, ROW)
    below = rest[:, 0, 1] < CROTCH
    rest, middles = rest[below], middles[below]
    posed = posed_rings(bare, rest, middles)[0].reshape(rest.shape)
    pixels = project_perspective(posed.reshape(1, -1, 3), bare.intrinsics)[0]
    pixels = pixels.reshape(-1, COLUMNS, 2)
    width = (pixels - pixels.roll(1, 1)).norm(dim=2) / bare.px_per_m
    width = (width + width.roll(-1, 1)) / 2.0
    nearer = posed[..., 2] < posed[..., 2].mean(1, keepdim=True)
    between = nearer & (rest[..., 0].abs() < BETWEEN * middles[:, None])
    person, body, inside = _seen(bare, shown, pixels)
    free = width * (between & ~body & inside)
    cut = (between & ~inside).any(1).long().cumsum(0) == 0
    lengths = (posed[1:] - posed[:-1]).norm(dim=2).mean(1)
    lengths = torch.cat([lengths, lengths[-1:]])
    heights = rest[:, 0, 1]
    down = _leads_down(pixels, lengths * bare.px_per_m)
    far = down.all(1) & (heights < FLARE_FROM) & _is_far(bare, shown, pixels)
    out = rest[..., 0].abs() / middles[:, None]
    colours = F.grid_sample(image, pixels_to_ndc(pixels[None], bare.size), align_corners=False)[0]
    legs = nearer & person & ((out - 1.0).abs() < LEG)
    told = torch.zeros_like(legs)
    if skin is not None:
        told = skin.told(colours.flatten(1), told.flatten()).reshape(told.shape)
    middle, beside = (
        _mean(colours, nearer & (out > low) & (out < high))
        for low, high in ((-1.0, IN_MIDDLE), (BESIDE, 1.0))
    )
    found = _Rows(
        heights=heights,
        lengths=lengths,
        gaps=free.sum(1),
        cloth=(free * person).sum(1),
        upright=down.any(1),
        abreast=_across(pixels).norm(dim=1) / bare.px_per_m / _across(posed).norm(dim=1),
        skin=_mean(told[None].to(colours), legs)[:, 0],
        across=middle - beside,
        colours=_mean(colours, nearer),
        far=far,
    )
    return _Rows(*(one[cut] for one in found))


def _across(rings: Float[Tensor, "rows columns axes"]) -> Float[Tensor, "rows axes"]:
    """Give the way from the right side of rings to the left one."""
    left, right = rings[:, SIDES].unbind(1)
    return left - right


def _mean(
    values: Float[Tensor, "channels rows columns"], where: Bool[Tensor, "rows columns"]
) -> Float[Tensor, "rows channels"]:
    """Average along rows; 0 where nothing is."""
    return ((values * where).sum(2) / where.sum(1).clamp(min=1)).T


def _seen(
    bare: BodyView, shown: Float[Tensor, "height width"], pixels: Float[Tensor, "rows columns 2"]
) -> Bool[Tensor, "3 rows columns"]:
    """Tell where the person is, where the bare body, and what lies inside the image."""
    grid = pixels_to_ndc(pixels[None], bare.size)
    images = torch.stack([shown, bare.visibility.mask[0].to(shown)])[None]
    person, body = F.grid_sample(images, grid, align_corners=False)[0] > 0.5
    return torch.stack([person, body, (grid[0].abs() < 1.0).all(-1)])


def _is_far(
    bare: BodyView, shown: Float[Tensor, "height width"], pixels: Float[Tensor, "rows columns 2"]
) -> Bool[Tensor, "rows"]:
    """Tell in which rows cloth stands far off both legs."""
    across = F.normalize(_across(pixels), dim=1)
    middle = pixels.mean(1)
    along = ((pixels - middle[:, None]) * across[:, None]).sum(2)
    off = FAR_OFF_M * bare.px_per_m
    reach = torch.stack([along.amax(1) + off, along.amin(1) - off], 1)
    ends = middle[:, None] + reach[..., None] * across[:, None]
    person, body, _ = _seen(bare, shown, ends)
    return (person & ~body).all(1)


def _leads_down(
    pixels: Float[Tensor, "rows columns 2"], lengths_px: Float[Tensor, "rows"]
) -> Bool[Tensor, "rows 2"]:
    """Tell down to which row the left and the right leg lead down."""
    legs = pixels[:, SIDES, 1]
    down = legs[1:] - legs[:-1] > UPRIGHT * lengths_px[:-1, None]
    return torch.cat([down[:1], down]).long().cumprod(0).bool()
