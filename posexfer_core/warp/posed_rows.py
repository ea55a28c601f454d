"""A prepared source in a pose, a band of rows at a time: no large photo is held twice in floats."""

from collections.abc import Iterator
from itertools import chain, pairwise
from types import EllipsisType
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.view import BodyView
from ..geometry.camera import project_perspective
from ..geometry.rasterize import Visibility
from .clothed_shell import Clothes
from .dressed_person import EDGE_M
from .filters import box_blur, dilate
from .looks import face_sizes
from .loose_cloth import LoosePiece
from .progress import Progress
from .several_views import OtherView, merged
from .surface_samples import Sample, SurfaceSampler

BAND_PIXELS = 1 << 17
"""Pixels of the target in a band, if it is not the higher for what its borders need."""
STRIP_PIXELS = 1 << 21
"""Pixels of a band, with its borders, that are drawn at once."""
WHOLE_PIXELS = 1 << 22
"""Images up to this size are rasterised in one piece, so that all maps agree to the pixel."""
CUT_STEPS = 6
"""Rounds in which the cut grows inward from the outline."""
SOFT_M = 0.012
"""Width of the blend between a place's own look and a borrowed one."""


class PreparedSource(NamedTuple):
    """What every target of one photo shares."""

    image: Float[Tensor, "1 3 height width"]
    sampler: SurfaceSampler
    views: list[OtherView]
    """Of the same person, by more photos."""
    clothes: Clothes
    loose: list[LoosePiece]
    """Cloth and hair beyond the shell."""
    unknown: Bool[Tensor, "1 height width"]
    """Where the photo does not show its background."""
    filled: Float[Tensor, "3 pixels"]
    """What is put there, in half precision."""


class PosedRows(NamedTuple):
    """Some rows of a `WarpedPhoto`."""

    image: Float[Tensor, "1 3 rows width"]
    visible: Bool[Tensor, "1 1 rows width"]
    background: Bool[Tensor, "1 1 rows width"]
    body: Bool[Tensor, "1 1 rows width"]
    confidence: Float[Tensor, "1 1 rows width"]


def pose_rows(
    prepared: PreparedSource, worn: BodyView, progress: Progress
) -> Iterator[tuple[int, PosedRows]]:
    """Draw all rows from top to bottom, a band at a time, and number each band's first."""
    height, width = worn.size
    edge = _widths(worn)[0]
    over = 2 * edge + 8  # `_alpha` looks no further; blends of looks reach less
    sizes = face_sizes(worn.vertices, worn.faces.long(), worn.intrinsics)
    pixels = project_perspective(worn.vertices, worn.intrinsics)[0]
    low, high = (pixels.amin(0) - over).tolist(), (pixels.amax(0) + over).tolist()
    left, right = max(0, int(low[0])), min(width, int(high[0]) + 1)
    first, last = max(0, int(low[1])), min(height, int(high[1]) + 1)
    band = max(2 * over, BAND_PIXELS // max(1, right - left))
    bands = (range(0, first, band), range(first, last, band), range(last, height, band))
    loose = [(piece, piece.moved(worn)) for piece in prepared.loose]
    filled = 0
    for top, bottom in pairwise([*chain(*bands), height]):
        unknown = prepared.unknown[:, top:bottom]
        image = prepared.image[..., top:bottom, :].clone()
        count = int(unknown.sum())
        image[0, :, unknown[0]] = prepared.filled[:, filled : filled + count].to(image)
        filled += count
        background = ~unknown[:, None]
        for piece, moved in loose:
            if moved is not None:
                background &= ~piece.draw(prepared.image, image, top, moved)
        visible, body = torch.zeros(2, *background.shape, dtype=torch.bool, device=image.device)
        rows = PosedRows(image, visible, background, body, background.to(image))
        if first <= top < last:
            upper, lower = max(0, top - over), min(height, bottom + over)
            strip = max(over, STRIP_PIXELS // (lower - upper) - 2 * over)
            for start, end in pairwise([*range(left, right, strip), right]):
                before = max(left, start - over)
                around = _part(worn, slice(upper, lower), slice(before, min(right, end + over)))
                inner = (
                    ...,
                    slice(top - upper, bottom - upper),
                    slice(start - before, end - before),
                )
                _lay_over(rows, slice(start, end), prepared, worn, sizes, around, inner)
        yield top, rows
        progress()


def _lay_over(
    rows: PosedRows,
    columns: slice,
    prepared: PreparedSource,
    worn: BodyView,
    sizes: Float[Tensor, "faces"],
    drawn: Visibility,
    inner: tuple[EllipsisType, slice, slice],
) -> None:
    """Lay the person over what lies behind: `inner` of what is drawn, in some columns."""
    image, visible, background, body, confidence = (plane[..., columns] for plane in rows)
    edge, soft = _widths(worn)
    outline = dilate(~drawn.mask, edge)
    sample = prepared.sampler.sample(drawn, outline, sizes, soft)
    sample = merged(sample, prepared.views, drawn, outline, sizes, soft)
    alpha = _alpha(drawn.mask, outline, sample, edge)[inner]
    covered = drawn.mask[:, None][inner]
    alpha = torch.where(alpha < 0.01, 0.0, alpha)  # background stays bit for bit
    image += alpha * (sample.colours[inner] - image)
    body[:] = covered
    visible[:] = (sample.own[inner] > 0.99) & (alpha > 0.99)
    background &= alpha == 0.0
    trust = torch.where(background, 1.0, sample.confidence[inner] * alpha)
    confidence[:] = torch.where(covered, trust, confidence)


def _widths(worn: BodyView) -> tuple[int, int]:
    """Measure outlines and blends, pixels."""
    edge, soft = (max(1, round(metres * worn.px_per_m)) for metres in (EDGE_M, SOFT_M))
    return edge, soft


def _part(view: BodyView, rows: slice, columns: slice) -> Visibility:
    """Rasterise some rows and columns of a view."""
    height, width = view.size
    if height * width > WHOLE_PIXELS:
        size = (rows.stop - rows.start, columns.stop - columns.start)
        return view.reframed((columns.start, rows.start), 1.0, size).visibility
    return view.visibility.cut(rows, columns)


def _alpha(
    body: Bool[Tensor, "1 height width"],
    outline: Bool[Tensor, "1 height width"],
    sample: Sample,
    edge: int,
) -> Float[Tensor, "1 1 height width"]:
    """Give the person's share of each pixel: soft at the outline, cut there by the own mask.

    What the mask cuts off in one piece is cut off, with what the source does not see beside it.
    """
    inside = body[:, None].to(sample.shown)
    off = sample.seen - sample.shown
    reach, smooth = max(1, edge // 2), max(1, edge // 4)
    around, beside = box_blur(sample.seen, reach), box_blur(inside, reach).clamp(min=1e-3)
    share = box_blur(off, reach) / around.clamp(min=1e-3)
    cut = torch.where(sample.seen > 0, off * (share > 0.35), (share > 0.5).to(off))
    cut = cut * (around > 0.3 * beside)
    outside, step = ~body, max(1, -(-edge // CUT_STEPS))
    for _ in range(CUT_STEPS):
        outside = outside | (dilate(outside, step) & outline & (cut[:, 0] > 0.3))
    kept = inside * (box_blur(cut * outside[:, None], smooth) < 0.5 * box_blur(inside, smooth))
    return ((box_blur(kept, 2) - 0.4) / 0.5).clamp(0.0, 1.0) * kept
