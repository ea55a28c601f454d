"""What is background and what is person in a photo without a mask, told by colours."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from .filters import dilate, gaussian_blur, roughness

MARGIN = 0.03
"""How far clothes and hair may stand off the body, as a share of the image's height."""
ALIKE = 0.08
"""Difference from the background, of a range of 2, below which the body's rim is background."""
OVERHANG = 0.06
"""How far the body may overhang the person shown; a share of the image's height."""
REACH = 0.12
"""How far loose clothes, hair and things held may stick out; a share of the image's height."""
OUTLYING = 0.35
"""Difference from the background, of a range of 2, from which a pixel near the body is not it."""
ROUGHNESS = 5.0
"""Added to that difference per unit of the background's roughness."""
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


def trusted_background(
    image: Float[Tensor, "batch 3 height width"],
    body: Bool[Tensor, "batch height width"],
    margin: float,
) -> Bool[Tensor, "batch height width"]:
    """Tell where the background is seen: neither on the body nor on clothes, hair and things held.

    A pixel belongs to the person if it is connected to the body's margin within `REACH` and
    differs from the background beyond that reach by more than this background's own roughness.

    Args:
        image: in [-1, 1].
        body: where the bare body is.
        margin: width of the band that is never trusted, a share of the image's height.
    """
    height = body.shape[-2]
    pixel = height / 256.0
    near, person = dilate(body, round(REACH * height)), dilate(body, round(margin * height))
    far = (~near)[:, None].to(image.dtype)
    apart = (image - fill_holes(image, far)).abs().amax(1, keepdim=True)
    limit = OUTLYING + ROUGHNESS * roughness(image, far)
    odd = near & (gaussian_blur(apart, 1.5 * pixel) > limit)[:, 0]
    step = max(1, round(2.0 * pixel))
    for _ in range(round(REACH * height / step)):
        person = person | (dilate(person, step) & odd)
    return ~dilate(person, round(pixel))


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
        clear: where the background is seen (`trusted_background`).
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
