"""Image augmentation: occlusion, blur, colour and noise."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..sample_random import SampleRandom
from .textures import photo_textures

Images = Float[Tensor, "batch 3 height width"]


def augment(images: Images, rng: SampleRandom) -> Images:
    """Occlude, blur, recolour images in [-1, 1] and add noise, each at random."""
    images = _occluded(images, rng)
    images = _blurred(images, rng)
    images = _recoloured(images, rng)
    strength = 0.12 * rng.uniform(1, 1, 1).square()
    return (images + strength * rng.normal(*images.shape[1:])).clamp(-1.0, 1.0)


def _occluded(images: Images, rng: SampleRandom) -> Images:
    """Occlude four in ten images by a textured rectangle."""
    height, width = images.shape[-2:]
    sides, middles = 0.1 + 0.35 * rng.uniform(2), rng.uniform(2)
    y = ((torch.arange(height) + 0.5) / height - middles[:, :1]).abs() < sides[:, :1] / 2
    x = ((torch.arange(width) + 0.5) / width - middles[:, 1:]).abs() < sides[:, 1:] / 2
    inside = y[:, None, :, None] & x[:, None, None, :]
    occluded = images.clone()
    for row in (rng.uniform() < 0.4).nonzero()[:, 0].tolist():
        texture = photo_textures(1, max(height, width), rng.generators[row])
        occluded[row] = torch.where(inside[row], texture[0, :, :height, :width], images[row])
    return occluded


def _blurred(images: Images, rng: SampleRandom) -> Images:
    """Blur a third of the images by shrinking them up to three times and enlarging them again."""
    blurred = images.clone()
    for factor in (1.5, 2.0, 3.0):
        rows = rng.uniform() < 0.12
        if rows.any():
            small = F.interpolate(
                images[rows], scale_factor=1.0 / factor, mode="bilinear", antialias=True
            )
            blurred[rows] = F.interpolate(small, images.shape[-2:], mode="bilinear")
    return blurred


def _recoloured(images: Images, rng: SampleRandom) -> Images:
    """Change light, its colour, contrast and saturation; some images become grey."""

    def spread(amount: float, channels: int = 1) -> Tensor:
        return amount * (2.0 * rng.uniform(channels, 1, 1) - 1.0)

    grey = images.mean(1, keepdim=True)
    saturation = (1.0 + spread(0.5)) * (rng.uniform(1, 1, 1) > 0.08)
    images = torch.lerp(grey, images, saturation)
    middle = images.mean((1, 2, 3), keepdim=True)
    contrast = spread(0.45).exp()
    light = spread(0.35) + spread(0.12, 3)
    return ((images - middle) * contrast + middle + light).clamp(-1.0, 1.0)
