"""Image augmentation: occlusion, blur, colour and noise."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from .textures import photo_textures

TEXTURES = 8
Images = Float[Tensor, "batch 3 height width"]


def augment(images: Images, generator: torch.Generator) -> Images:
    """Occlude, blur, recolour images in [-1, 1] and add noise, each at random."""
    images = _occluded(images, generator)
    images = _blurred(images, generator)
    images = _recoloured(images, generator)
    strength = 0.12 * torch.rand(len(images), 1, 1, 1, generator=generator).square()
    noise = torch.randn(images.shape, generator=generator)
    return (images + strength * noise).clamp(-1.0, 1.0)


def _occluded(images: Images, generator: torch.Generator) -> Images:
    """Occlude four in ten images by a textured rectangle."""
    batch, _, height, width = images.shape
    textures = photo_textures(TEXTURES, max(height, width), generator)[..., :height, :width]
    chosen = textures[torch.randint(TEXTURES, (batch,), generator=generator)]
    sides = 0.1 + 0.35 * torch.rand(batch, 2, generator=generator)
    middles = torch.rand(batch, 2, generator=generator)
    y = ((torch.arange(height) + 0.5) / height - middles[:, :1]).abs() < sides[:, :1] / 2
    x = ((torch.arange(width) + 0.5) / width - middles[:, 1:]).abs() < sides[:, 1:] / 2
    covers = torch.rand(batch, generator=generator) < 0.4
    inside = y[:, None, :, None] & x[:, None, None, :] & covers[:, None, None, None]
    return torch.where(inside, chosen, images)


def _blurred(images: Images, generator: torch.Generator) -> Images:
    """Blur a third of the images by shrinking them up to three times and enlarging them again."""
    blurred = images.clone()
    for factor in (1.5, 2.0, 3.0):
        rows = torch.rand(len(images), generator=generator) < 0.12
        if rows.any():
            small = F.interpolate(
                images[rows], scale_factor=1.0 / factor, mode="bilinear", antialias=True
            )
            blurred[rows] = F.interpolate(small, images.shape[-2:], mode="bilinear")
    return blurred


def _recoloured(images: Images, generator: torch.Generator) -> Images:
    """Change light, its colour, contrast and saturation; some images become grey."""
    batch = len(images)

    def spread(amount: float, channels: int = 1) -> Tensor:
        return amount * (2.0 * torch.rand(batch, channels, 1, 1, generator=generator) - 1.0)

    grey = images.mean(1, keepdim=True)
    saturation = (1.0 + spread(0.5)) * (torch.rand(batch, 1, 1, 1, generator=generator) > 0.08)
    images = torch.lerp(grey, images, saturation)
    middle = images.mean((1, 2, 3), keepdim=True)
    contrast = spread(0.45).exp()
    light = spread(0.35) + spread(0.12, 3)
    return ((images - middle) * contrast + middle + light).clamp(-1.0, 1.0)
