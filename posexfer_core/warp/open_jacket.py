"""What an open jacket shows in front, such as a shirt and a tie, is not on its back.

The middle of the chest shows what is worn beneath, the flanks show the jacket; each is a normal
distribution of colours. Row by row, the opening ends where the colours change over. Its back looks
at the front beside it.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.joints import TRUNK_WITHOUT_HEAD
from ..body.view import BodyView
from ..geometry.rasterize import interpolate
from .hairline import SURE, Colours
from .skin import Skin

TOP, ROW, ROWS = 0.56, 0.03, 19
"""Height of the neck on the rest body, and rows below it, canonical."""
COLUMN, COLUMNS = 0.01, 24
"""From the middle outward, canonical."""
MIDDLE, CHEST = 0.035, 6
"""Half the width, and rows, of the part that shows what is worn beneath."""
FLANK, FLANK_END = 0.7, 0.9
"""Shares of the trunk's half width between which a flank shows the jacket well."""
LEAST_PIXELS = 60
"""Of either."""
LEAST_ROWS, NARROWEST = 3, 0.02
"""Of an opening: rows from the neck, and half its width in each. It leaves flanks in all of them:
what is wider is light on a shirt."""
EDGE, STEP = 0.03, 0.35
"""How far from the opening's edge colours are compared, canonical, and by how much they differ at
least, of a range of 2; so do the whole opening's and the flanks'."""
ALIKE = 0.6, 0.85
"""Shares of the pixels in the opening, and beside it, that have the colours of one at least."""
MARGIN = 0.01
"""By how much the opening is taken to be wider, canonical."""


class _Chest(NamedTuple):
    """The pixels that show the front of a trunk."""

    x: Float[Tensor, "pixels"]
    """Canonical, to the person's left."""
    row: Int[Tensor, "pixels"]
    colours: Float[Tensor, "pixels 3"]


class Opening(NamedTuple):
    """What of a trunk's front an open jacket leaves open."""

    widths: Float[Tensor, "2 rows"]
    """Half its width right and left of the middle, canonical; 0 where there is none."""
    half: Float[Tensor, "rows"]
    """Half the trunk's width."""
    left: bool
    """Which flank is shown better."""

    def like(
        self, places: Float[Tensor, "places 3"]
    ) -> tuple[Float[Tensor, "places 2"], Bool[Tensor, "places"]]:
        """Find the front of the jacket that stands for what lies behind the opening.

        From either edge to the middle it is the better flank, from its edge outward, narrower
        where that is narrow: with an opening from -0.04 to 0.05 and a left flank from 0.05 to
        0.08, 0.05 and -0.04 look at 0.05, and 0 at 0.08. So none looks across the opening.

        Returns:
            x and y, canonical, and which places lie behind the opening.
        """
        x, y, _ = places.unbind(1)
        row, side = _row(y), (x > 0.0).long()
        above, row = row < ROWS, row.clamp(0, ROWS - 1)
        edges, end = self.widths + MARGIN, FLANK_END * self.half[row]
        edge, own = edges[int(self.left), row], edges[side, row]
        behind = above & (self.widths[side, row] > 0.0) & (x.abs() < own)
        narrowed = ((end - edge) / own).clamp(max=1.0)
        beside = (edge + narrowed * (own - x.abs())) * (1.0 if self.left else -1.0)
        return torch.stack([torch.where(behind, beside, x), y], 1), behind


def find_opening(
    image: Float[Tensor, "1 3 height width"],
    view: BodyView,
    shown: Bool[Tensor, "1 height width"],
    skin: Skin | None,
) -> Opening | None:
    """Find what an open jacket shows in front; None where nothing tells one.

    Args:
        image: in [-1, 1], of the view's size.
        view: the body in it.
        shown: where the image shows the person, off their outline, and nothing before them.
        skin: how bare skin, which is no garment, is told.
    """
    trunk = torch.isin(view.parts, view.parts.new_tensor(TRUNK_WITHOUT_HEAD))
    x, y, z = view.canonical[trunk].unbind(1)
    row = _row(y).clamp(0, ROWS - 1)
    half = x.new_zeros(ROWS).scatter_reduce(0, row, x.abs(), "amax")
    chest = _chest(image, view, shown, skin, trunk, float(z.mean()))
    return _opening(chest, half)


def _chest(
    image: Float[Tensor, "1 3 height width"],
    view: BodyView,
    shown: Bool[Tensor, "1 height width"],
    skin: Skin | None,
    trunk: Bool[Tensor, "vertices"],
    middle: float,
) -> _Chest:
    """Read the image where it shows clothes at the front of the trunk."""
    faces, seen = view.faces.long(), view.visibility
    at = trunk[faces].all(1)[seen.face_id.clamp(min=0).long()] & seen.mask & shown
    x, y, z = interpolate(seen, faces, view.canonical[None])[at].unbind(1)
    colours = image.movedim(1, -1)[at]
    front = (z > middle) & (_row(y) >= 0) & (_row(y) < ROWS)
    if skin is not None:
        front &= ~skin.told(colours.T)
    return _Chest(x[front], _row(y[front]), colours[front])


def _opening(chest: _Chest, half: Float[Tensor, "rows"]) -> Opening | None:
    """Measure an opening in the rows below the neck."""
    x, row, colours = chest
    flank = x.abs() > FLANK * half[row]
    inner = (x.abs() < MIDDLE) & (row < CHEST)
    if min(int(inner.sum()), int(flank.sum())) < LEAST_PIXELS:
        return None
    told = Colours.of(colours[inner]), Colours.of(colours[flank])
    odds = (told[0].log_density(colours) - told[1].log_density(colours)).clamp(-SURE, SURE)
    side = (x > 0.0).long()
    column = (x.abs() / COLUMN).long().clamp(max=COLUMNS - 1)
    cell = (side * ROWS + row) * COLUMNS + column
    count, total = (
        x.new_zeros(2 * ROWS * COLUMNS).index_add(0, cell, values).reshape(2, ROWS, COLUMNS)
        for values in (torch.ones_like(x), odds)
    )
    beneath = F.pad((total / count.clamp(min=1.0)).cumsum(2), (1, 0))
    widths = COLUMN * beneath.argmax(2).to(x)
    seen = (count.sum(2) > 0).all(0)
    open_rows = _from_the_top((widths >= NARROWEST).all(0), seen)
    widths = widths * open_rows
    flanks = widths + MARGIN < FLANK_END * half
    if int(open_rows.sum()) < LEAST_ROWS or not bool(flanks[:, open_rows].all()):
        return None
    width = widths[side, row]
    inside, near = x.abs() < width, (x.abs() - width).abs() < EDGE
    beside = open_rows[row] & ~inside
    right = float((odds[inside] > 0.0).float().mean()), float((odds[beside] < 0.0).float().mean())
    steps = (
        colours[inside & near].mean(0) - colours[beside & near].mean(0),
        colours[inside].mean(0) - colours[flank].mean(0),
    )
    clear = all(float(step.norm()) > STEP for step in steps)  # not of no pixels: those are NaN
    if not clear or right[0] <= ALIKE[0] or right[1] <= ALIKE[1]:
        return None
    flank &= open_rows[row]
    return Opening(widths, half, left=int((flank & (x > 0.0)).sum()) > int(flank.sum()) / 2)


def _from_the_top(good: Bool[Tensor, "rows"], seen: Bool[Tensor, "rows"]) -> Bool[Tensor, "rows"]:
    """Keep the rows that go on from the first one seen, one of which may be missing."""
    kept = torch.zeros_like(good)
    missed = 0
    for row in seen.nonzero()[:, 0].tolist():
        kept[row], missed = good[row], 0 if good[row] else missed + 1
        if missed > 1:
            break
    return kept


def _row(y: Float[Tensor, "places"]) -> Int[Tensor, "places"]:
    """Number the row of heights, canonical; negative above the neck."""
    return ((TOP - y) / ROW).floor().long()
