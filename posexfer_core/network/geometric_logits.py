"""Distance and depth in attention logits, as a dot product: a soft z-buffer made of attention.

A query at x = (x, y) of the image has for a point at (u, v), z metres deep, the logit

    -(a^2 (x - u)^2 + (y - v)^2) / 2 sigma^2 - b z

with a = width / height, so that sigma counts in halves of the image's height. Multiplied out, and
without what is the same for every point, it is a dot product of five terms:

    query  (a^2 x,       y,           a^2,              1,                1  )
    key    (u / sigma^2, v / sigma^2, -u^2 / 2 sigma^2, -v^2 / 2 sigma^2, -b z)

Nothing of the size queries x points is added. Among points at the same place the nearer wins.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .config import NetworkConfig
from .fourier import position_grid
from .sites import AttentionSite, level_sizes

NARROWEST, WIDEST = 0.5, 4.0
"""Sigma of the first and of the last head before training, cells of the site's usual grid."""
STEEPEST_PER_M = 14.0
"""b of the first head before training; it falls to 0 at the last."""


class GeometricLogits(nn.Module):
    """Sigma and b of every head at one site."""

    TERMS = 5

    def __init__(self, site: AttentionSite, config: NetworkConfig) -> None:
        super().__init__()
        cell = 2.0 / level_sizes(*config.unet.sample_size, config.unet)[site.level][0]
        rank = torch.linspace(0.0, 1.0, site.heads)
        sigma = cell * NARROWEST * (WIDEST / NARROWEST) ** rank
        self.log_sigma = nn.Parameter(sigma.log())
        depth = STEEPEST_PER_M * (1.0 - rank)
        self.depth_bias = nn.Parameter(depth) if config.depth_logits else None

    def of_keys(
        self, uvz: Float[Tensor, "batch points 3"]
    ) -> Float[Tensor, "batch heads points 5"]:
        """Compute the keys' terms, in float32."""
        u, v, z = uvz[:, None].float().unbind(-1)
        precision = torch.exp(-2.0 * self.log_sigma.float())[:, None]
        nearness = torch.zeros_like(precision * z)
        if self.depth_bias is not None:
            nearness = -self.depth_bias.float()[:, None] * z
        terms = [precision * u, precision * v, -0.5 * precision * u**2, -0.5 * precision * v**2]
        return torch.stack([*terms, nearness], -1)


def query_terms(
    height: int, width: int, *, device: torch.device | None = None
) -> Float[Tensor, "queries 5"]:
    """Compute the terms of a grid's queries, row by row."""
    x, y = position_grid(height, width, device=device).unbind(-1)
    aspect = torch.full_like(x, (width / height) ** 2)
    one = torch.ones_like(x)
    return torch.stack([aspect * x, y, aspect, one, one], -1)
