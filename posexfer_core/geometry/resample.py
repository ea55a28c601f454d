"""Crop and resize in one step, without stretching and without aliasing."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def resample(
    image: Float[Tensor, "batch channels height width"],
    offset_xy: tuple[float, float],
    scale: float,
    size: tuple[int, int],
    *,
    mirror: bool = False,
) -> Float[Tensor, "batch channels new_height new_width"]:
    """Cut and resize: position `p` lands at `scale * (p - offset_xy)`; edge pixels repeat beyond.

    A cut inside the image at its own scale is the image's own memory: large ones are not copied.

    Args:
        image: any number of channels.
        offset_xy: upper left corner of the cut, pixels of the image; may lie outside.
        scale: pixels of the cut per pixel of the image, the same along both axes.
        size: height and width of the cut, pixels.
        mirror: beyond its edges the image goes on in its mirror image instead.
    """
    if scale == 1.0 and all(float(offset).is_integer() for offset in offset_xy):
        left, top = map(int, offset_xy)
        bottom, right = top + size[0], left + size[1]
        if min(left, top) >= 0 and bottom <= image.shape[-2] and right <= image.shape[-1]:
            return image[..., top:bottom, left:right]
        rows, columns = (
            _inside(torch.arange(length_out) + int(offset), length_in, mirror).to(image.device)
            for length_in, length_out, offset in zip(
                image.shape[-2:], size, offset_xy[::-1], strict=True
            )
        )
        return image[..., rows[:, None], columns]
    down, across = (
        _resampling(length_in, length_out, offset, scale, mirror).to(image)
        for length_in, length_out, offset in zip(
            image.shape[-2:], size, offset_xy[::-1], strict=True
        )
    )
    return down @ (image @ across.mT)


def _resampling(
    length_in: int, length_out: int, offset: float, scale: float, mirror: bool
) -> Tensor:
    """Weights (out, in) of a triangle filter, as wide as a pixel of the coarser side.

    Pixel centres lie at +0.5; weights that fall outside the image go to pixels in it, so every
    row sums to 1. Scale 1 at a whole offset copies pixels exactly.
    """
    reach = max(1.0, 1.0 / scale)
    centre = (torch.arange(length_out, dtype=torch.float64) + 0.5) / scale + offset - 0.5
    taps = torch.floor(centre)[:, None] + torch.arange(-int(reach), int(reach) + 2)
    weights = (1.0 - (taps - centre[:, None]).abs() / reach).clamp(min=0.0)
    weights = weights / weights.sum(dim=1, keepdim=True)
    matrix = torch.zeros(length_out, length_in, dtype=torch.float64)
    return matrix.scatter_add_(1, _inside(taps.long(), length_in, mirror), weights).float()


def _inside(at: Int[Tensor, "*shape"], length: int, mirror: bool) -> Int[Tensor, "*shape"]:
    """Give the pixels of a line that stand for those beyond its ends."""
    return mirrored(at, length) if mirror else at.clamp(0, length - 1)


def mirrored(at: Int[Tensor, "*shape"], length: int) -> Int[Tensor, "*shape"]:
    """Number the pixels of a line that goes to and fro: 1 0 | 0 1 2 | 2 1 for a length of 3."""
    at = at % (2 * length)
    return torch.minimum(at, 2 * length - 1 - at)
