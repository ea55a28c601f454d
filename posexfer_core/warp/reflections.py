"""Where to look for what neither a place nor its like shows: mirrored at the edge of what is seen.

Garments end at one height of the trunk and of the thighs. At its own height a place looks as far
into what is seen as it lies beyond its edge, to and fro where that is narrow: belts, folds and
prints go on, where nearest colours alone would leave a smooth patch.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..body.view import BodyView
from ..geometry.rasterize import interpolate
from .counterparts import TRUNK_WITHOUT_HEAD, Counterpart, RestBody
from .filters import box_blur

SMOOTH_PX = 7
"""Pixels of the rest body over which edges are smoothed."""
NARROWEST_PX = 12
"""What is seen of a row is mirrored from this width on."""
PARTS = (*TRUNK_WITHOUT_HEAD, JOINT_INDEX["l_hip"], JOINT_INDEX["r_hip"])


def find_reflections(
    view: BodyView, known: Bool[Tensor, "vertices"], no_skin: Bool[Tensor, "vertices"]
) -> list[Counterpart]:
    """List who stands for unknown places of trunk and thighs, the likeliest first.

    Args:
        view: any view of the body; only its rest shape is looked at.
        known: the vertices of which the source shows the look, or their like's.
        no_skin: as in `Counterpart`.
    """
    rest = RestBody(view)
    of_parts = torch.isin(rest.parts, rest.parts.new_tensor(PARTS))
    front = rest.normals[:, 2] >= 0.0
    xy, found = view.canonical[:, :2].clone(), torch.zeros_like(known)
    for side, on_side in enumerate((front, ~front)):
        image = rest.sides[side]
        corner = rest.faces[image.face_id.clamp(min=0).long(), 0]
        region = (of_parts[corner] & image.mask)[:, None].to(xy)
        shown = interpolate(image, rest.faces, known[None, :, None].to(xy))[..., 0][:, None]
        share = box_blur(shown * region, SMOOTH_PX) / box_blur(region, SMOOTH_PX).clamp(min=1e-3)
        seen = (share > 0.5) & (region > 0.0)
        asked = (on_side & of_parts & ~known).nonzero()[:, 0]
        pixels = rest.pixels(xy[asked], side)
        pixels[:, 0], found[asked] = _mirrored(pixels, seen[0, 0], region[0, 0] > 0.0)
        xy[asked] = torch.where(found[asked, None], rest.places(pixels, side), xy[asked])
    if not bool(found.any()):
        return []
    other_side = xy.new_tensor([-1.0, 1.0])
    return [
        rest.at(places, where, found, no_skin)
        for places in (xy, xy * other_side)
        for where in (front, ~front)
    ]


def _mirrored(
    pixels: Float[Tensor, "places 2"],
    seen: Bool[Tensor, "height width"],
    region: Bool[Tensor, "height width"],
) -> tuple[Float[Tensor, "places"], Bool[Tensor, "places"]]:
    """Mirror columns at the nearest edge of what is seen of their row, and tell where there is one.

    With columns 12 to 25 seen, column 7.5 looks at 16.5, and 28.5 at 23.5.
    """
    height, width = seen.shape
    column, row = pixels.floor().long().unbind(1)
    column, row = column.clamp(0, width - 1), row.clamp(0, height - 1)
    best, away = pixels[:, 0], torch.full_like(pixels[:, 0], torch.inf)
    for flipped in (False, True):
        one, other = (seen.flip(1), region.flip(1)) if flipped else (seen, region)
        at, x = (width - 1 - column, width - pixels[:, 0]) if flipped else (column, pixels[:, 0])
        first, last = _run_before(one)
        broken = _last(~other)[row, at] > last[row, at]  # by another limb, or the background
        start, end = first[row, at].to(x), last[row, at].to(x) + 1.0
        span, beyond = end - start, x - end
        nearer = (span >= NARROWEST_PX) & (beyond > 0.0) & ~broken & (beyond < away)
        along = beyond % (2.0 * span).clamp(min=1.0)
        there = end - torch.minimum(along, 2.0 * span - along)
        best = torch.where(nearer, width - there if flipped else there, best)
        away = torch.where(nearer, beyond, away)
    return best, away.isfinite()


def _run_before(seen: Bool[Tensor, "height width"]) -> tuple[Tensor, Tensor]:
    """Find for every pixel first and last column of the run at or before it; -1 where none is."""
    last = _last(seen)
    return torch.where(last >= 0, _last(~seen).gather(1, last.clamp(min=0)) + 1, 0), last


def _last(there: Bool[Tensor, "height width"]) -> Tensor:
    """Number, for every pixel, the last column up to it where something is; -1 before."""
    columns = torch.arange(there.shape[1], device=there.device).expand_as(there)
    return torch.where(there, columns, -1).cummax(1).values
