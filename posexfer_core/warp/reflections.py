"""Where to look for what neither a place nor its like shows: mirrored at the edge of what is seen.

Garments go around trunk and legs and end at one height. Around them, at its own height, a place
looks as far into what is seen as it lies beyond its edge, to and fro where that is narrow: belts,
folds and prints go on, where nearest colours alone would leave a smooth patch.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.view import BodyView
from .counterparts import Counterpart
from .filters import box_blur
from .unrolled_halves import UnrolledHalf, unroll_halves

SMOOTH_PX = 14
"""Pixels of an unrolled half over which edges are smoothed. Perceptual distance on 24 synthetic
pairs: 0.8612, with 8 0.8619, with 24 0.8644."""
INSIDE = 0.8
"""Share of seen places around, from which one is inside what is seen; at its rim shadows and the
background show. 0.8612, with 0.5 0.8630, with 0.9 0.8637."""
NARROWEST_PX = 32
"""What is seen of a row is mirrored from this width on."""
MOST_PX = 72
"""How far beyond the edge, 50 degrees around; farther away guesses are worse than smooth colours:
0.8602, with 110 0.8608, without a bound 0.8612."""
OVERLAP_PX = 20
"""How much farther than the other edge one may lie; in between both looks blend."""


def find_reflections(
    view: BodyView, known: Bool[Tensor, "vertices"], kinds: list[Counterpart]
) -> list[Counterpart]:
    """List who stands for unknown places of trunk and legs, the likeliest first.

    Known places beside them stand for themselves, so that looks overlap and no seam is left.

    Args:
        view: any view of the body; only its rest shape is looked at.
        known: the vertices of which the source shows the look, or their like's.
        kinds: their like, which the places looked at ask after themselves.
    """
    halves = [(half, *_seen(half, known)) for half in unroll_halves(view)]
    reflections: list[Counterpart] = []
    for flipped in (False, True):
        reflected = Counterpart(
            corners=torch.arange(len(known), device=known.device)[:, None].repeat(1, 3),
            weights=view.canonical.new_tensor([1.0, 0.0, 0.0]).repeat(len(known), 1),
            allowed=torch.zeros_like(known),
            no_skin=kinds[0].no_skin,
        )
        for half, seen, inside in halves:
            _reflect(half, seen, inside, reflected, flipped=flipped)
        if bool((reflected.allowed & ~known).any()):
            reflections += [reflected, *(_then(reflected, kind) for kind in kinds)]
    return reflections


def _seen(
    half: UnrolledHalf, known: Bool[Tensor, "vertices"]
) -> tuple[Bool[Tensor, "rows columns"], Bool[Tensor, "half"]]:
    """Tell where a half is seen, and which of its vertices lie there."""
    surface = half.seen.mask[:, None].to(half.pixels)
    shown = half.read(known.to(half.pixels))[None, None]
    share = box_blur(shown, SMOOTH_PX) / box_blur(surface, SMOOTH_PX).clamp(min=1e-3)
    seen = ((share > INSIDE) & (surface > 0.0))[0, 0]
    column, row = _cells(half.pixels, seen)
    return seen, seen[row, column]


def _reflect(
    half: UnrolledHalf,
    seen: Bool[Tensor, "rows columns"],
    inside: Bool[Tensor, "half"],
    into: Counterpart,
    *,
    flipped: bool,
) -> None:
    """Write where a half's vertices look: at one edge, or flipped at the other."""
    column, away = _mirrored(half.pixels, seen, flipped=flipped)
    near = away < MOST_PX
    if not flipped:
        near &= away < _mirrored(half.pixels, seen, flipped=True)[1] + OVERLAP_PX
    corners, weights, there = half.at(torch.stack([column, half.pixels[:, 1]], 1))
    there &= near & ~inside
    into.corners[half.vertices[there]] = corners[there]
    into.weights[half.vertices[there]] = weights[there]
    into.allowed[half.vertices] = there | inside


def _then(first: Counterpart, second: Counterpart) -> Counterpart:
    """Ask the like of the places that stand for others."""
    weights = first.weights[..., None] * second.weights[first.corners]
    return Counterpart(
        corners=second.corners[first.corners].flatten(1),
        weights=weights.flatten(1),
        allowed=first.allowed & second.allowed[first.corners].all(1),
        no_skin=first.no_skin,
    )


def _mirrored(
    pixels: Float[Tensor, "places 2"], seen: Bool[Tensor, "height width"], *, flipped: bool
) -> tuple[Float[Tensor, "places"], Float[Tensor, "places"]]:
    """Mirror columns at the edge of what is seen left of them in their row, or right if flipped.

    With columns 12 to 45 seen, column 48.5 looks at 43.5, and, flipped, 7.5 at 16.5.

    Returns:
        Columns, and how far away the edge is, infinite where there is none.
    """
    width = seen.shape[1]
    column, row = _cells(pixels, seen)
    if flipped:
        seen, column = seen.flip(1), width - 1 - column
    x = width - pixels[:, 0] if flipped else pixels[:, 0]
    first, last = _run_before(seen)
    start, end = first[row, column].to(x), last[row, column].to(x) + 1.0
    span, beyond = end - start, x - end
    found = (span >= NARROWEST_PX) & (beyond > 0.0)
    along = beyond % (2.0 * span).clamp(min=1.0)
    there = end - torch.minimum(along, 2.0 * span - along)
    there = width - there if flipped else there
    return torch.where(found, there, pixels[:, 0]), torch.where(found, beyond, torch.inf)


def _cells(
    pixels: Float[Tensor, "places 2"], image: Bool[Tensor, "height width"]
) -> tuple[Int[Tensor, "places"], Int[Tensor, "places"]]:
    """Number the column and the row of places of an image."""
    column, row = pixels.floor().long().unbind(1)
    return column.clamp(0, image.shape[1] - 1), row.clamp(0, image.shape[0] - 1)


def _run_before(
    seen: Bool[Tensor, "height width"],
) -> tuple[Int[Tensor, "height width"], Int[Tensor, "height width"]]:
    """Find for every pixel first and last column of the run at or before it; -1 where none is."""
    last = _last(seen)
    return torch.where(last >= 0, _last(~seen).gather(1, last.clamp(min=0)) + 1, 0), last


def _last(there: Bool[Tensor, "height width"]) -> Int[Tensor, "height width"]:
    """Number, for every pixel, the last column up to it where something is; -1 before."""
    columns = torch.arange(there.shape[1], device=there.device).expand_as(there)
    return torch.where(there, columns, -1).cummax(1).values
