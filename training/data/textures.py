"""Coloured noise with the spectrum of photographs, for what synthetic people do not show."""

import torch
from jaxtyping import Float
from torch import Tensor


def photo_textures(
    count: int, side: int, generator: torch.Generator
) -> Float[Tensor, "count 3 side side"]:
    """Draw noise whose amplitude falls as 1 / f^a, a in [0.8, 1.6], with correlated colours.

    Photographs have a near 1 (Field 1987). Values lie in [-1, 1].
    """
    white = torch.randn(count, 3, side, side, generator=generator)
    frequency = torch.fft.fftfreq(side)[:, None].square() + torch.fft.rfftfreq(side).square()
    slope = 0.8 + 0.8 * torch.rand(count, 1, 1, 1, generator=generator)
    falloff = frequency.sqrt().clamp(min=1.0 / side) ** -slope
    noise = torch.fft.irfft2(torch.fft.rfft2(white) * falloff, s=(side, side))
    noise = noise / noise.std((2, 3), keepdim=True)
    mixing = 0.8 * torch.ones(3, 3) / 3 + 0.4 * torch.eye(3)
    level = torch.rand(count, 3, 1, 1, generator=generator) * 1.4 - 0.7
    contrast = 0.1 + 0.4 * torch.rand(count, 1, 1, 1, generator=generator)
    return (level + contrast * torch.einsum("cd,bdhw->bchw", mixing, noise)).clamp(-1.0, 1.0)
