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
    count = _box_sum(torch.ones_like(image[:1, :1]), radius_px)
    return _box_sum(image, radius_px) / count


def dilate(
    mask: Bool[Tensor, "batch height width"], by_px: int
) -> Bool[Tensor, "batch height width"]:
    """Grow a mask by a square of `by_px` pixels to every side; 0 leaves it as it is."""
    return _box_sum(mask[:, None].float(), by_px)[:, 0] > 0.5


def _box_sum(image: Tensor, radius_px: int) -> Tensor:
    """Add up squares by differences of running sums."""
    for axis in (-2, -1):
        length = image.shape[axis]
        sums = image.cumsum(axis)
        at = torch.arange(length, device=image.device)
        upper = sums.index_select(axis, (at + radius_px).clamp(max=length - 1))
        lower = sums.index_select(axis, (at - radius_px - 1).clamp(min=0))
        image = upper - lower * (at > radius_px).to(image).unflatten(0, (-1, *[1] * (-1 - axis)))
    return image


def roughness(
    image: Float[Tensor, "batch 3 height width"], where: Float[Tensor, "batch 1 height width"]
) -> Float[Tensor, "batch 1 1 1"]:
    """Return the mean difference between a part of an image and its own blur."""
    sigma_px = 8.0 * image.shape[-2] / 256.0
    blur = gaussian_blur(image * where, sigma_px) / gaussian_blur(where, sigma_px).clamp(min=1e-3)
    apart = ((image - blur).abs().amax(1, keepdim=True) * where).sum((1, 2, 3), keepdim=True)
    return apart / where.sum((1, 2, 3), keepdim=True).clamp(min=1.0)
