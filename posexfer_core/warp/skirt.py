"""How far down a skirt goes: where cloth before both legs ends at once, or stands off both.

Trousers part from the crotch on, little by little, and go on down both legs. Around closed legs a
silhouette tells nothing; there cloth that ends at bare skin is a skirt's if no seam parts it in the
middle. A length can be asked for, too.
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
LOWEST, CROTCH = -1.13, -0.16
"""Heights between which cloth is looked for, canonical."""
ROW = 0.009
SAMPLES = 97
"""Along a row, from one side of both legs to the other."""
BETWEEN, LEG = 0.9, 0.5
"""Between the legs is what lies nearer to the middle than that of a leg, a share of the way there;
so far around the middle of a leg it is measured."""
OPEN_M, OPEN_ROWS = 0.006, 4
"""Width of a gap between the legs, and in how many rows it is seen, where they part."""
FOLLOWED_M, FEWEST = 0.1, 3
"""How far below it their inner sides are followed, and in how many rows at least."""
LEAST_SLOPE = 0.05
"""Metres a metre down by which a gap grows, at least: nothing meets far up for being parallel."""
ABOVE_M, BELOW_M = (0.01, 0.05), (0.01, 0.06)
"""Where colours are compared."""
STEP = 0.35
"""Difference of colours, in [-1, 1], on both legs, where a garment ends."""
MEETS_M, ALONE_M2 = 0.1, 0.016
"""How far above a hem the inner sides of the legs would meet, where colours step there, and that
times the gap at once, where they do not.

Of 30 photos with a skirt, 12 of which were in use before, 13 have one of these; of 116 without, a
long coat and a person 60 pixels tall."""
SKIN_ROWS = (8, 4)
"""Rows above and below a line at which bare legs begin."""
BARE = 0.6
"""Share of skin below it, at least; above it there is at most the rest of 1."""
SEAM, IN_MIDDLE, BESIDE = 0.2, 0.25, 0.4
"""Difference of colours, in [-1, 1], of the middle and what is beside it in such rows, up to which
no seam is seen. On nine photos with a skirt 0.00 to 0.10, but 0.28 with a slit and 0.31 where it
is sheer; on three with shorts and one with a long shirt 0.39 to 0.67."""
ABREAST = 0.9
"""One leg before the other hides the seam: 0.86 in a stride, 0.96 and more where both stand."""
HIGH, SHORTS, LOW = -0.26, -0.45, -0.85
"""No skirt ends above the first height; what ends above the second one and has a seam are shorts;
below the last one bare skin is feet."""
LONG, LONG_M2 = -0.8, 0.03
"""Cloth closed down to this height, and its area between the legs of the bare body."""
CUT, CUT_M2, CUT_SEAM, LIGHT = -0.4, 0.008, 0.1, -0.6
"""The same where the photo ends below this height; there no seam is seen, though cloth is so light
that it would be."""
DOUBT_M2 = 0.006
"""Area of cloth between the legs from which it is told that a skirt may have been missed."""
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
    end = _parting(rows)
    for hem in (_end_at_once(rows, end), _skin_line(rows), _end_of_long(rows, end)):
        if hem is not None:
            return float(rows.heights[hem])
    if float((rows.lengths * rows.far).sum()) > FAR_M:
        return float(rows.heights[rows.far].min())
    if bool(rows.upright[:end].all()) and _filled(rows, end) > DOUBT_M2:
        logger.warning(
            "What hangs between the legs is taken for trousers. If it is a skirt or a dress, say "
            "where it ends: skirt 'thigh', 'knee', 'calf' or 'ankle'."
        )
    return None


def _parting(rows: _Rows) -> int:
    """Find the first row with a gap between the legs; behind the last one where there is none."""
    opened = rows.gaps > OPEN_M
    for row in opened.nonzero()[:, 0].tolist():
        if bool(opened[row : row + OPEN_ROWS].all()):
            return row
    return len(opened)


def _end_at_once(rows: _Rows, end: int) -> int | None:
    """Find the hem of a skirt over legs that stand apart below it, at the row where they part.

    The inner sides of legs, drawn on upwards, meet where trousers part; far above a skirt's hem.
    """
    down = rows.lengths.cumsum(0)
    if end == 0 or end == len(down):
        return None
    off = down - down[end]
    below = (off >= 0.0) & (off < FOLLOWED_M)
    stands = bool(rows.upright[: end + int(below.sum())].all())
    if int(below.sum()) < FEWEST or not stands or float(rows.heights[end]) > HIGH:
        return None
    ones = torch.stack([torch.ones_like(off), off], 1)[below]
    gap, slope = torch.linalg.lstsq(ones, rows.gaps[below, None]).solution[:, 0].tolist()
    meets = gap / max(slope, LEAST_SLOPE)
    before, after = (
        rows.colours[(sign * off > near) & (sign * off < far)].mean(0)
        for sign, (near, far) in ((-1.0, ABOVE_M), (1.0, BELOW_M))
    )
    steps = bool(((before - after).norm(dim=0) > STEP).all())
    if float(rows.heights[end]) > SHORTS:
        steps &= _seam(rows, end) < SEAM
    alone = gap * meets > ALONE_M2 and float(rows.abreast[:end].mean()) > ABREAST
    return end - 1 if (steps and meets > MEETS_M) or alone else None


def _skin_line(rows: _Rows) -> int | None:
    """Find the row at which closed cloth without a seam ends and bare legs begin."""
    above, below = SKIN_ROWS
    for row in range(above, len(rows.skin) - below):
        before, after = slice(row - above, row - 1), slice(row, row + below)
        if rows.skin[after].mean() > BARE and rows.skin[before].mean() < 1.0 - BARE:
            closed = float(rows.gaps[: row - 1].max()) < 2.0 * OPEN_M
            unparted = _seam(rows, row) < SEAM
            fits = HIGH > float(rows.heights[row]) > LOW and _stands(rows, row)
            return row - 1 if fits and closed and unparted else None
    return None


def _end_of_long(rows: _Rows, end: int) -> int | None:
    """Find the last row of cloth that is closed down to the feet, or to the edge of the photo."""
    if end == 0 or not _stands(rows, end):
        return None
    filled, height = _filled(rows, end), float(rows.heights[end - 1])
    if height < LONG and filled > LONG_M2:
        return end - 1
    cut = not bool(rows.whole[0]) and end > len(rows.heights) - OPEN_ROWS
    unparted = float(rows.across[:end].norm(dim=1).mean()) < CUT_SEAM
    light = float(rows.colours[:end].mean()) > LIGHT
    return end - 1 if cut and height < CUT and filled > CUT_M2 and unparted and light else None


def _seam(rows: _Rows, end: int) -> float:
    """Tell how far the colours in the middle differ from those beside it above a row."""
    return float(rows.across[max(0, end - SKIN_ROWS[0]) : max(1, end - 1)].mean(0).norm())


def _stands(rows: _Rows, end: int) -> bool:
    """Tell whether both legs stand side by side above a row."""
    return bool(rows.upright[:end].all()) and float(rows.abreast[:end].mean()) > ABREAST


def _filled(rows: _Rows, end: int) -> float:
    """Give the area of cloth between the legs above a row, in square metres."""
    return float((rows.filled * rows.lengths)[:end].sum())


def _near(rows: _Rows, wanted: float) -> float:
    """Take the height where colours change most, near the one wanted; that where none do."""
    reach = round(HEM_REACH / ROW)
    if len(rows.heights) <= 2 * reach:
        return wanted
    means = F.avg_pool1d(rows.colours.mean(2).T[None], reach, 1)[0]
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
    """Look along rows across both legs, as far down as the image shows what is between them."""
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
    grid = pixels_to_ndc(pixels.mean(1)[:, None] + along[..., None] * half[:, None], bare.size)
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
        off_head = torch.zeros(legs.numel(), dtype=torch.bool, device=legs.device)
        bare_legs = skin.told(colours.flatten(1), off_head).reshape(legs.shape)
    middle, beside = (
        _mean(colours, person & (out.abs() > low) & (out.abs() < high))
        for low, high in ((-1.0, IN_MIDDLE), (BESIDE, 1.0))
    )
    inside = (~between | (grid.abs() < 1.0).all(-1)).all(1)
    above = inside.long().cumprod(0).bool()
    found = _Rows(
        heights=heights,
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
    return _Rows(*(one[above] for one in found))


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
