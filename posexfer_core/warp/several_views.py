"""Several photos of one person: every place takes the one that sees it best."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..geometry.rasterize import Visibility
from .surface_samples import Sample, SurfaceSampler

SHARPNESS = 4.0
"""Power of confidence by which photos are weighed: the better one takes nearly all."""
MOST_GAIN = 2.0
DARK = 0.1
"""Of a range of 2; what is darker tells nothing."""


class OtherView(NamedTuple):
    """Another photo, and what its colours are multiplied by to match the first."""

    sampler: SurfaceSampler
    gain: Float[Tensor, "3"]
    """Of colours in [0, 1]: exposure and white balance."""


def other_view(main: SurfaceSampler, other: SurfaceSampler) -> OtherView:
    """Match another photo's colours to what the first shows of the same places or of their like.

    By the median of their ratios: a coat's back is no measure of the shirt before it. The other
    photo is held in bytes from here on.
    """
    wanted, given = (one.vertex_colours[0] + 1 for one in (main, other))
    told = other.vertex_own[:, None] & (wanted > DARK) & (given > DARK)
    ratio = torch.where(told, wanted / given.clamp(min=DARK), torch.nan)
    gain = torch.nan_to_num(ratio.nanmedian(0).values, nan=1.0)
    other.field = other.field.in_bytes()
    return OtherView(other, gain.clamp(1.0 / MOST_GAIN, MOST_GAIN))


def merged(
    main: Sample,
    others: Sequence[OtherView],
    target: Visibility,
    outline: Bool[Tensor, "1 height width"],
    sizes: Float[Tensor, "faces"],
    soft_px: int,
) -> Sample:
    """Blend what the photos show of a target; what none shows is as the first has it.

    Args:
        main: of the first photo.
        others: the other ones.
        target: as in `SurfaceSampler.sample`; so are the rest.
        outline: where the target's outline is near.
        sizes: of each face in the target image, square pixels.
        soft_px: width of blends.
    """
    if not others:
        return main
    total = (main.own * main.confidence) ** SHARPNESS + 1e-6
    colours, confidence = total * main.colours, total * main.confidence
    own, seen, shown = main.own, main.seen, main.seen * main.shown
    for view in others:
        found = view.sampler.sample(target, outline, sizes, soft_px, own_only=True)
        weight = (found.own * found.confidence) ** SHARPNESS
        matched = (found.colours + 1) * view.gain[:, None, None] - 1
        colours, confidence = colours + weight * matched, confidence + weight * found.confidence
        total = total + weight
        own = own.maximum(found.own)
        shown = torch.where(seen > 0, shown, found.seen * found.shown)
        seen = seen.maximum(found.seen)
    return Sample(
        colours=(colours / total).clamp(-1.0, 1.0),
        own=own,
        seen=seen,
        shown=shown,
        confidence=confidence / total,
    )
