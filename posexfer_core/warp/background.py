"""Where a mask's rim shows the background after all, told by colours."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from .filters import dilate, gaussian_blur, roughness

ALIKE = 0.08
"""Difference from the background, of a range of 2, below which the body's rim is background."""
OVERHANG = 0.06
"""How far the body may overhang the person shown; a share of the image's height."""
RIM = 0.035
"""How far a plate's hole reaches beyond the person; a share of the image's height."""
PATCH_LEVELS = 9
"""Levels of the pyramid; nine halvings bring an image of 512 pixels to one."""


def fill_holes(
    image: Float[Tensor, "batch channels height width"],
    known: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, "batch channels height width"]:
    """Fill unknown pixels smoothly from those around them, coarse to fine.

    Pull-push (Gortler et al. 1996, section 3.4): weighted means of ever larger squares on the way
    up, holes filled from the next coarser level on the way down. Known pixels stay as they are; 0
    where nothing is known.
    """
    levels = [(image * known, known)]
    while len(levels) < PATCH_LEVELS and max(levels[-1][0].shape[-2:]) > 1:
        colour, weight = levels[-1]
        odd = (0, colour.shape[-1] % 2, 0, colour.shape[-2] % 2)
        total = 4.0 * F.avg_pool2d(F.pad(weight, odd), 2)
        mean = 4.0 * F.avg_pool2d(F.pad(colour, odd), 2) / total.clamp(min=1e-6)
        weight = total.clamp(max=1.0)
        levels.append((mean * weight, weight))
    colour, weight = levels[-1]
    filled = colour / weight.clamp(min=1e-6)
    for colour, weight in reversed(levels[:-1]):
        size = (colour.shape[-2], colour.shape[-1])
        coarse = F.interpolate(filled, size=size, mode="bilinear", align_corners=False)
        filled = colour + (1.0 - weight) * coarse
    return filled


def background_plate(
    image: Float[Tensor, "batch 3 height width"],
    person: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, "batch 3 height width"]:
    """Take the person out and fill smoothly what it hid.

    Args:
        image: in [-1, 1].
        person: share of the person in each pixel; grown by `RIM`, as a bare body is too thin.
    """
    rim = max(1, round(RIM * image.shape[-2]))
    known = ~dilate(person[:, 0] > 0.02, rim)
    return fill_holes(image, known[:, None].to(image))


def trusted_body(
    image: Float[Tensor, "batch 3 height width"],
    body: Bool[Tensor, "batch height width"],
    clear: Bool[Tensor, "batch height width"],
) -> Bool[Tensor, "batch height width"]:
    """Tell where the image shows the body: not where its rim overhangs onto the background.

    A fitted body overhangs the person in places. Its rim is eroded from outside, by at most
    `OVERHANG`, as far as colours are those of the background, and then by the seam that mixes
    both. Before a rough background nothing is eroded.

    Args:
        image: in [-1, 1].
        body: where the bare body is.
        clear: where the background is seen.
    """
    height = body.shape[-2]
    known = clear[:, None].to(image.dtype)
    apart = (image - fill_holes(image, known)).abs().amax(1, keepdim=True)
    rough = roughness(image, known)
    limit = torch.where(rough < 2.0 * ALIKE, ALIKE + rough, 0.0)
    alike = (gaussian_blur(apart, height / 256.0) < limit)[:, 0]
    outside, step = ~body, max(1, round(height / 128.0))
    for _ in range(round(OVERHANG * height / step)):
        outside = outside | (dilate(outside, step) & alike)
    return body & ~dilate(body & outside, step)
