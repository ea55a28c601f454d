"""Filters of images and masks: Gaussian blur, dilation, roughness."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor


def gaussian_blur(
    image: Float[Tensor, "batch channels height width"], sigma_px: float
) -> Float[Tensor, "batch channels height width"]:
    """Blur by a Gaussian; beyond the borders their pixels repeat."""
    reach = max(1, math.ceil(3.0 * sigma_px))
    offset = torch.arange(-reach, reach + 1, dtype=image.dtype, device=image.device)
    window = torch.exp(-0.5 * (offset / sigma_px).square())
    channels = image.shape[1]
    window = (window / window.sum()).expand(channels, 1, -1)
    padded = F.pad(image, (reach, reach, reach, reach), mode="replicate")
    rows = F.conv2d(padded, window[:, :, None], groups=channels)
    return F.conv2d(rows, window[..., None], groups=channels)


def box_blur(
    image: Float[Tensor, "batch channels height width"], radius_px: int
) -> Float[Tensor, "batch channels height width"]:
    """Average over a square of `radius_px` to every side; beyond the borders nothing counts."""
    for axis in (-2, -1):
        image = _running_sum(image, radius_px, axis)
    rows, columns = (_counted(length, radius_px, image) for length in image.shape[-2:])
    return image.div_(rows[:, None] * columns)


def dilate(
    mask: Bool[Tensor, "batch height width"], by_px: int
) -> Bool[Tensor, "batch height width"]:
    """Grow a mask by a square of `by_px` pixels to every side; 0 leaves it as it is."""
    mask = F.pad(mask, (by_px,) * 4)
    for axis in (-2, -1):
        reach = 1
        while reach <= 2 * by_px:
            step = min(reach, 2 * by_px + 1 - reach)
            length = mask.shape[axis] - step
            mask = mask.narrow(axis, 0, length) | mask.narrow(axis, step, length)
            reach += step
    return mask


def _running_sum(image: Tensor, radius_px: int, axis: int) -> Tensor:
    """Add up `2 * radius_px + 1` neighbours by differences of sums from the start."""
    length = image.shape[axis]
    reach, more = min(radius_px, length), max(0, length - radius_px - 1)
    sums = image.cumsum(axis)
    last = sums.narrow(axis, length - 1, 1).repeat_interleave(reach, axis)
    out = torch.cat([sums.narrow(axis, reach, length - reach), last], axis)
    out.narrow(axis, length - more, more).sub_(sums.narrow(axis, 0, more))
    return out


def _counted(length: int, radius_px: int, like: Tensor) -> Tensor:
    """Count the neighbours that lie within the image."""
    at = torch.arange(length, device=like.device)
    count = (at + radius_px).clamp(max=length - 1) - (at - radius_px).clamp(min=0) + 1
    return count.to(like)


def roughness(
    image: Float[Tensor, "batch 3 height width"], where: Float[Tensor, "batch 1 height width"]
) -> Float[Tensor, "batch 1 1 1"]:
    """Return the mean difference between a part of an image and its own blur."""
    sigma_px = 8.0 * image.shape[-2] / 256.0
    blur = gaussian_blur(image * where, sigma_px) / gaussian_blur(where, sigma_px).clamp(min=1e-3)
    apart = ((image - blur).abs().amax(1, keepdim=True) * where).sum((1, 2, 3), keepdim=True)
    return apart / where.sum((1, 2, 3), keepdim=True).clamp(min=1.0)
