"""Fourier features of places, and the grids of places that feature maps stand for."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn


class FourierFeatures(nn.Module):
    """Describe coordinates by waves of doubling frequency.

    Coordinate x becomes `sin(2^k pi x), cos(2^k pi x)` for k = 0 .. bands-1 (NeRF,
    arXiv:2003.08934, equation 4). The dot product of two places' features is
    `sum_k cos(2^k pi (x - x'))`: it depends on their distance alone, and is largest at 0.
    """

    def __init__(self, coordinates: int, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.width = 2 * bands * coordinates

    def forward(
        self, places: Float[Tensor, "*batch coordinates"]
    ) -> Float[Tensor, "*batch features"]:
        """Compute the features in float32, sines first; half precision would blur high octaves."""
        octaves = torch.arange(self.bands, dtype=torch.float32, device=places.device)
        frequencies = torch.pi * 2.0**octaves
        angles = rearrange(places.float()[..., None] * frequencies, "... c k -> ... (c k)")
        return torch.cat([angles.sin(), angles.cos()], -1)


def position_grid(
    height: int, width: int, *, device: torch.device | None = None
) -> Float[Tensor, "cells 2"]:
    """Place the centres of a grid's cells in NDC, row by row.

    A grid of 1x2 cells has its centres at (u, v) = (-0.5, 0) and (0.5, 0).
    """
    u = (torch.arange(width, device=device, dtype=torch.float32) + 0.5) * (2.0 / width) - 1.0
    v = (torch.arange(height, device=device, dtype=torch.float32) + 0.5) * (2.0 / height) - 1.0
    rows, columns = torch.meshgrid(v, u, indexing="ij")
    return rearrange(torch.stack([columns, rows], -1), "h w c -> (h w) c")
