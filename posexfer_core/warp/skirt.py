"""How far down a skirt goes: where cloth before both legs ends at once, or stands off both.

Trousers part from the crotch on, little by little, and go on down both legs. Around closed legs a
silhouette tells nothing; there cloth that ends at bare skin is a skirt's if no seam parts it in the
middle. A length can be asked for, too.
"""

import logging
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..body.view import BodyView
from .leg_rows import LegRows, look_along_legs
from .skin import Skin
from .skirt_tube import has_legs

logger = logging.getLogger(__name__)

Skirt = Literal["auto", "none", "thigh", "knee", "calf", "ankle"]
LENGTHS = {"thigh": -0.36, "knee": -0.53, "calf": -0.74, "ankle": -0.96}
"""Heights of hems on the rest body, canonical."""
NEAR, FOUND = (0.11, 4), (0.03, 2)
"""How far off those, and off one that was found, a hem is looked for, and over how many rows above
and below it colours are taken."""
LEAST_CHANGE = 0.15
"""By how much they change there."""
OPEN_M, OPEN_ROWS = 0.006, 4
"""Width of a gap between the legs, and in how many rows it is seen, where they part."""
FOLLOWED_M, FEWEST = 0.1, 3
"""How far below it their inner sides are followed, and in how many rows at least."""
LEAST_SLOPE = 0.05
"""Metres a metre down by which a gap grows, at least: nothing meets far up for being parallel."""
ABOVE_M, BELOW_M = (0.01, 0.05), (0.01, 0.06)
"""Where colours are compared."""
STEP, SOME_STEP = 0.35, 0.2
"""Difference of colours, in [-1, 1], on each leg where a garment ends, and at least of both."""
MEETS_M, ALONE_M2 = 0.1, 0.022
"""How far above a hem the inner sides of the legs would meet, where colours step there, and that
times the gap at once, where they do not.

With all rules here 34 of 45 photos with a skirt or dress are told, and of 191 others nine: closed
coats and robes, and a toy in a lap. Of 15 with a skirt that were looked at when the rules stood, 7
were told; two rules and two numbers are chosen on these, too."""
SKIN_ROWS = (8, 4)
"""Rows above and below a line at which bare legs begin."""
BARE = 0.6
"""Share of skin below it, at least; above it there is at most the rest of 1."""
SEAM = 0.2
"""Difference of colours, in [-1, 1], of the middle and what is beside it in such rows, up to which
no seam is seen. On nine photos with a skirt 0.00 to 0.10, but 0.28 with a slit and 0.31 where it
is sheer; on three with shorts and one with a long shirt 0.39 to 0.67."""
ABREAST = 0.9
"""One leg before the other hides the seam: 0.86 in a stride, 0.96 and more where both stand."""
HIGH, SHORTS, LOW = -0.26, -0.38, -0.85
"""No skirt ends above the first height; what ends above the second one and has a seam are shorts;
below the last one bare skin is feet."""
LONG, FILLED_M2 = -0.8, 0.03
"""Cloth closed down to this height, and its area between the legs of the bare body."""
CUT, CUT_M2, CUT_SEAM, LIGHT = -0.4, 0.008, 0.1, -0.6
"""The same where the photo ends below this height; there no seam is seen, though cloth is so light
that it would be."""
DOUBT_M2 = 0.006
"""Area of cloth between the legs from which it is told that a skirt may have been missed."""
FAR_M = 0.2
"""Along so much of both legs trousers do not stand far off: 0.1 m at most."""


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
    rows = look_along_legs(bare, image, shown, skin)
    if wanted != "auto":
        return _near(rows, LENGTHS[wanted], *NEAR)
    end = _parting(rows)
    for hem in (_end_at_once(rows, end), _skin_line(rows), _end_of_long(rows, end)):
        if hem is not None:
            return _near(rows, float(rows.hems[hem]), *FOUND)
    if float((rows.lengths * rows.far).sum()) > FAR_M:
        return float(rows.hems[rows.far].min())
    if bool(rows.upright[:end].all()) and _filled(rows, end) > DOUBT_M2:
        logger.warning(
            "What hangs between the legs is taken for trousers. If it is a skirt or a dress, say "
            "where it ends: skirt 'thigh', 'knee', 'calf' or 'ankle'."
        )
    return None


def _parting(rows: LegRows) -> int:
    """Find the first row with a gap between the legs; behind the last one where there is none."""
    opened = rows.gaps > OPEN_M
    for row in opened.nonzero()[:, 0].tolist():
        if bool(opened[row : row + OPEN_ROWS].all()):
            return row
    return len(opened)


def _end_at_once(rows: LegRows, end: int) -> int | None:
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
    steps = (before - after).norm(dim=0)
    shorts = float(rows.heights[end]) > SHORTS and _seam(rows, end) > SEAM
    ends = float(steps.min()) > STEP and meets > MEETS_M and not shorts
    filled = float(steps.mean()) > SOME_STEP and _filled(rows, end) > FILLED_M2
    alone = gap * meets > ALONE_M2
    return end - 1 if ends or ((alone or filled) and _stands(rows, end)) else None


def _skin_line(rows: LegRows) -> int | None:
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


def _end_of_long(rows: LegRows, end: int) -> int | None:
    """Find the last row of cloth that is closed down to the feet, or to the edge of the photo."""
    down = int((rows.heights[:end] > LONG).sum())  # feet may lead anywhere
    if end == 0 or not _stands(rows, down):
        return None
    filled, height = _filled(rows, end), float(rows.heights[end - 1])
    if height < LONG and filled > FILLED_M2:
        return end - 1
    cut = not bool(rows.whole[0]) and end > len(rows.heights) - OPEN_ROWS
    unparted = float(rows.across[:end].norm(dim=1).mean()) < CUT_SEAM
    light = float(rows.colours[:end].mean()) > LIGHT
    return end - 1 if cut and height < CUT and filled > CUT_M2 and unparted and light else None


def _seam(rows: LegRows, end: int) -> float:
    """Tell how far the colours in the middle differ from those beside it above a row."""
    return float(rows.across[max(0, end - SKIN_ROWS[0]) : max(1, end - 1)].mean(0).norm())


def _stands(rows: LegRows, end: int) -> bool:
    """Tell whether both legs stand side by side above a row."""
    return bool(rows.upright[:end].all()) and float(rows.abreast[:end].mean()) > ABREAST


def _filled(rows: LegRows, end: int) -> float:
    """Give the area of cloth between the legs above a row, in square metres."""
    return float((rows.filled * rows.lengths)[:end].sum())


def _near(rows: LegRows, wanted: float, most: float, reach: int) -> float:
    """Take the height where colours change most, near the one wanted; that where none do."""
    if len(rows.hems) <= 2 * reach:
        return wanted
    means = F.avg_pool1d(rows.colours.mean(2).T[None], reach, 1)[0]
    changes = (means[:, :-reach] - means[:, reach:]).norm(dim=0)
    heights = rows.hems[reach - 1 : reach - 1 + len(changes)]
    changes = torch.where((heights - wanted).abs() < most, changes, 0.0)
    best = int(changes.argmax())
    return float(heights[best]) if float(changes[best]) > LEAST_CHANGE else wanted
