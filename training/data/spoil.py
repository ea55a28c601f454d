"""What cameras, light and things in the way do to a picture: colour, blur, noise, occlusion."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from .textures import photo_textures

TEXTURES = 8
Pictures = Float[Tensor, "batch 3 height width"]


def spoil(pictures: Pictures, generator: torch.Generator) -> Pictures:
    """Cover, blur, recolour and roughen pictures in [-1, 1], each in its own way."""
    pictures = _covered(pictures, generator)
    pictures = _blurred(pictures, generator)
    pictures = _recoloured(pictures, generator)
    strength = 0.12 * torch.rand(len(pictures), 1, 1, 1, generator=generator).square()
    noise = torch.randn(pictures.shape, generator=generator)
    return (pictures + strength * noise).clamp(-1.0, 1.0)


def _covered(pictures: Pictures, generator: torch.Generator) -> Pictures:
    """Put a textured rectangle before four in ten pictures."""
    batch, _, height, width = pictures.shape
    textures = photo_textures(TEXTURES, max(height, width), generator)[..., :height, :width]
    chosen = textures[torch.randint(TEXTURES, (batch,), generator=generator)]
    sides = 0.1 + 0.35 * torch.rand(batch, 2, generator=generator)
    middles = torch.rand(batch, 2, generator=generator)
    y = ((torch.arange(height) + 0.5) / height - middles[:, :1]).abs() < sides[:, :1] / 2
    x = ((torch.arange(width) + 0.5) / width - middles[:, 1:]).abs() < sides[:, 1:] / 2
    covers = torch.rand(batch, generator=generator) < 0.4
    inside = y[:, None, :, None] & x[:, None, None, :] & covers[:, None, None, None]
    return torch.where(inside, chosen, pictures)


def _blurred(pictures: Pictures, generator: torch.Generator) -> Pictures:
    """Shrink a third of the pictures up to three times and enlarge them again."""
    blurred = pictures.clone()
    for factor in (1.5, 2.0, 3.0):
        rows = torch.rand(len(pictures), generator=generator) < 0.12
        if rows.any():
            small = F.interpolate(
                pictures[rows], scale_factor=1.0 / factor, mode="bilinear", antialias=True
            )
            blurred[rows] = F.interpolate(small, pictures.shape[-2:], mode="bilinear")
    return blurred


def _recoloured(pictures: Pictures, generator: torch.Generator) -> Pictures:
    """Change light, its colour, contrast and saturation; some pictures become grey."""
    batch = len(pictures)

    def spread(amount: float, channels: int = 1) -> Tensor:
        return amount * (2.0 * torch.rand(batch, channels, 1, 1, generator=generator) - 1.0)

    grey = pictures.mean(1, keepdim=True)
    saturation = (1.0 + spread(0.5)) * (torch.rand(batch, 1, 1, 1, generator=generator) > 0.08)
    pictures = torch.lerp(grey, pictures, saturation)
    middle = pictures.mean((1, 2, 3), keepdim=True)
    contrast = spread(0.45).exp()
    light = spread(0.35) + spread(0.12, 3)
    return ((pictures - middle) * contrast + middle + light).clamp(-1.0, 1.0)
