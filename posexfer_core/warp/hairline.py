"""What of a head is hair, or a hat, and how far down over the face that goes.

The upper outline of a head shows hair, its cheeks show skin; each is a normal distribution of
colours (quadratic discriminant analysis). A bald head has skin for hair.
"""

from itertools import groupby
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..body.view import BodyView
from ..geometry.normals import face_normals
from ..geometry.rasterize import interpolate
from .filters import dilate

CHEEK_BOTTOM, CHEEK_TOP = 0.68, 0.76
"""Heights on the rest body, canonical."""
FOREHEAD, CROWN, CHIN = 0.84, 0.89, 0.63
"""The same: above the first a head's outline is hair, hat or nothing."""
USUAL = 0.82
"""The hairline where nothing tells."""
LEAST_PIXELS = 12
"""Of cheeks, and of an outline, that tell their colours."""
MIN_COSINE = 0.2
"""Of the angle from which the source sees a place; what it sees more aslant is stretched."""
OUTLINE_M = 0.012
"""Width of the outline. White hair around a pale face is thin: of 0.03 it had forehead in it."""
NOISE = 0.06
"""Deviation added to that of colours, of a range of 2."""
SURE = 4.0
"""Logarithm of the odds that one pixel counts at most."""
LOWEST, ROW, ROWS = 0.72, 0.005, 38
"""Height from which hairlines are looked for, and rows above it, canonical."""
WIDEST, COLUMN, COLUMNS = 0.11, 0.01, 22
"""Half the width of a head, and its columns, canonical."""
RAISED, SMOOTHED = 5, 3
"""Columns whose highest hairline one takes, so that partings are not stretched, and columns over
which that is averaged."""
LEAST_BAND, LEAST_COLUMNS = 0.01, 3
"""Height of hair, canonical, from which a column has some, and columns, of which there is a
band."""


class Colours(NamedTuple):
    """A normal distribution of colours in [-1, 1]."""

    mean: Float[Tensor, "3"]
    precision: Float[Tensor, "3 3"]
    """The inverse of the covariance."""

    @classmethod
    def of(cls, colours: Float[Tensor, "pixels 3"]) -> "Colours":
        """Take mean and covariance."""
        mean = colours.mean(0)
        apart = colours - mean
        noise = NOISE**2 * torch.eye(3).to(apart)
        return cls(mean, torch.linalg.inv(apart.T @ apart / len(colours) + noise))

    def log_density(self, colours: Float[Tensor, "pixels 3"]) -> Float[Tensor, "pixels"]:
        """Give the logarithm of the density, to within a constant that all share."""
        apart = colours - self.mean
        return 0.5 * (torch.logdet(self.precision) - ((apart @ self.precision) * apart).sum(1))


class HeadColours(NamedTuple):
    """By which skin is told from hair on a head."""

    skin: Colours
    hair: Colours

    def odds(self, colours: Float[Tensor, "pixels 3"]) -> Float[Tensor, "pixels"]:
        """Give the logarithm of the odds of skin, at most `SURE` to either side."""
        odds = self.skin.log_density(colours) - self.hair.log_density(colours)
        return odds.clamp(-SURE, SURE)


class HairBand(NamedTuple):
    """Where hair is seen before a head: the widest part of it with hair in every column."""

    right: float
    left: float
    """Where that begins and ends, canonical."""
    line: Float[Tensor, "columns"]
    top: Float[Tensor, "columns"]
    """Heights between which each column of the head has hair, canonical."""

    def like(self, places: Float[Tensor, "places 3"]) -> Float[Tensor, "places 2"]:
        """Find the hair that stands for places: before them, or mirrored where there is none.

        What lies between hairline and top is stretched down to the chin. With hair from -0.05 to
        0.07 across, 0.09 looks at 0.05.
        """
        x, y, _ = places.unbind(1)
        span = self.left - self.right
        along = (x - self.right) % (2.0 * span)
        x = self.right + torch.minimum(along, 2.0 * span - along)
        line, top = _between(self.line, x), _between(self.top, x)
        y = torch.where(y < line, line + (line - y) * (top - line) / (line - CHIN), y)
        return torch.stack([x, y.minimum(top)], 1)


class Hair(NamedTuple):
    """A head's hair, or hat."""

    colours: HeadColours | None
    """None where face or hair is not seen."""
    band: HairBand


def find_hair(
    image: Float[Tensor, "1 3 height width"],
    view: BodyView,
    face: Bool[Tensor, "vertices"],
    shown: Bool[Tensor, "1 height width"],
    safe: Bool[Tensor, "1 height width"],
) -> Hair:
    """Tell hair from skin on a head, and find the hairline over the face.

    Args:
        image: in [-1, 1], of the view's size.
        view: the body in it.
        face: the vertices of the face, which are no hair.
        shown: where the image shows the person.
        safe: where it does off their outline, so that its hair may stand for other hair.
    """
    faces, seen = view.faces.long(), view.visibility
    inside, face_id = ~dilate(~shown, 1), seen.face_id.clamp(min=0).long()
    on_head = (view.parts == JOINT_INDEX["head"])[faces].all(1)
    at = on_head[face_id] & seen.mask & inside
    values = torch.cat([view.canonical, face[:, None].to(view.canonical)], 1)
    x, y, z, on_face = interpolate(seen, faces, values[None])[at].unbind(1)
    colours, on_face = image.movedim(1, -1)[at], on_face > 0.5
    cheeks = on_face & (y > CHEEK_BOTTOM) & (y < CHEEK_TOP)
    edge = dilate(~inside, max(1, round(OUTLINE_M * view.px_per_m)))[at] & (y > FOREHEAD)
    if min(int(cheeks.sum()), int(edge.sum())) < LEAST_PIXELS:
        return Hair(None, _usual(view))
    told = HeadColours(Colours.of(colours[cheeks]), Colours.of(colours[edge]))
    odds = torch.where(on_face, SURE, told.odds(colours))
    normals = F.normalize(face_normals(view.vertices, faces)[0], dim=1)
    straight = -(normals * F.normalize(view.vertices[0, faces[:, 0]], dim=1)).sum(1) > MIN_COSINE
    before, usable = z > 0.0, (straight[face_id] & safe)[at]
    return Hair(told, _band(x[before], y[before], odds[before], usable[before]) or _usual(view))


def _usual(view: BodyView) -> HairBand:
    """Give the band of a head that tells nothing."""
    line = view.canonical.new_full((COLUMNS,), USUAL)
    return HairBand(_middle(0), _middle(COLUMNS - 1), line, torch.full_like(line, CROWN))


def _band(
    x: Float[Tensor, "pixels"],
    y: Float[Tensor, "pixels"],
    odds: Float[Tensor, "pixels"],
    usable: Bool[Tensor, "pixels"],
) -> HairBand | None:
    """Part every column where skin below and hair above are likeliest; None without hair."""
    row = ((y - LOWEST) / ROW).floor().long()
    inside = (row >= 0) & (row < ROWS)
    cell = (_column(x) * ROWS + row)[inside]
    count, total, seen = (
        x.new_zeros(COLUMNS * ROWS).index_add(0, cell, values[inside].to(x)).reshape(COLUMNS, ROWS)
        for values in (torch.ones_like(x), odds, usable)
    )
    skin_below = F.pad((total / count.clamp(min=1.0)).cumsum(1), (1, 0))
    first = F.max_pool1d(skin_below.argmax(1).to(x)[None], RAISED, 1, RAISED // 2)
    first = F.avg_pool1d(first, SMOOTHED, 1, SMOOTHED // 2, count_include_pad=False)[0]
    last = ((seen > 0) * (torch.arange(ROWS, device=x.device) + 0.5)).amax(1)
    has_hair = (ROW * (last - first) > LEAST_BAND).tolist()
    runs = [list(run) for has, run in groupby(range(COLUMNS), has_hair.__getitem__) if has]
    widest = max(runs, key=len, default=[])
    if len(widest) < LEAST_COLUMNS:
        return None
    return HairBand(
        right=_middle(widest[0]),
        left=_middle(widest[-1]),
        line=LOWEST + ROW * first,
        top=LOWEST + ROW * last,
    )


def _column(x: Float[Tensor, "places"]) -> Int[Tensor, "places"]:
    """Number the column of places."""
    return ((x + WIDEST) / COLUMN).floor().long().clamp(0, COLUMNS - 1)


def _middle(column: int) -> float:
    return (column + 0.5) * COLUMN - WIDEST


def _between(
    values: Float[Tensor, "columns"], x: Float[Tensor, "places"]
) -> Float[Tensor, "places"]:
    """Interpolate values of columns."""
    at = ((x + WIDEST) / COLUMN - 0.5).clamp(0.0, COLUMNS - 1.0)
    left = at.floor().long()
    return torch.lerp(values[left], values[(left + 1).clamp(max=COLUMNS - 1)], at - left)
