"""The source's colours carried to the target by attention alone: cells to points to pixels.

Two softmaxes with geometry in their logits and colours as values, and no rasteriser:

    point p from cell t of the source:   -|c_p - c_t|^2 / 2 tau^2 + log share_t
    pixel q from point p:                -|x_q - u_p|^2 / 2 sigma^2 - b z_p - k max(0, n_p)

c is the place on the rest body, so that a place that the source does not show takes the nearest one
that it does; n is the normal's part away from the camera. Of points at the same place in the image
the nearer and the facing one wins: a soft z-buffer. A Gaussian is the product of one across and one
down, so that no weights of pixels times points are kept. Six numbers are learned.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from .condition import ConditionInputs
from .encoder import pool_places
from .fourier import position_grid

CELL, FINE = 4, 2
"""Pixels of the image to one cell that colours are read from, and to one pixel of the result."""
LEAST_SHARE, NEVER = 0.02, -1e4
"""Share of the body in a cell below which nothing is read from it, and its logit."""
TAU, SIGMA = 0.06, 0.035
"""Before training, in halves of the body's and of the image's height."""
DEPTH_BIAS_PER_M, AWAY_BIAS = 30.0, 6.0
"""b and k before training."""


class ColourCarrier(nn.Module):
    """Draw what points show of the source, and how much of each pixel they cover."""

    def __init__(self) -> None:
        super().__init__()
        self.log_tau = nn.Parameter(torch.tensor(TAU).log())
        self.log_sigma = nn.Parameter(torch.tensor(SIGMA).log())
        self.depth_bias = nn.Parameter(torch.tensor(DEPTH_BIAS_PER_M))
        self.away_bias = nn.Parameter(torch.tensor(AWAY_BIAS))
        self.coverage = nn.Parameter(torch.tensor([3.0, 0.0]))
        """Slope of the coverage's logit over the logarithm of the points' density, and its 0."""

    def forward(self, inputs: ConditionInputs) -> Float[Tensor, "batch 4 height width"]:
        """Return colours in [-1, 1] and coverage at half the image's size, in float32.

        Normals count where they are given.
        """
        height, width = (side // FINE for side in inputs.image.shape[-2:])
        u, v, z = inputs.points.float().unbind(-1)
        grid = position_grid(height, width, device=z.device).unflatten(0, (height, width))
        precision = torch.exp(-2.0 * self.log_sigma)

        def near(centres: Tensor, places: Tensor) -> Tensor:
            apart = (centres[:, None] - places[:, None]).square()
            return torch.exp(-0.5 * precision * apart)

        across = near(width / height * grid[0, :, 0], width / height * u)
        down = near(grid[:, 0, 1], v)
        front = -self.depth_bias * z
        if inputs.normals is not None:
            front = front - self.away_bias * inputs.normals[..., 2].float().clamp(min=0.0)
        front = torch.exp(front - front.amax(1, keepdim=True))[..., None]
        values = torch.cat([front * self._colours(inputs), front, torch.ones_like(front)], -1)
        columns = rearrange(across[:, :, None] * values.mT[:, None], "b w c n -> b n (w c)")
        found = rearrange(down @ columns, "b h (w c) -> b c h w", w=width)
        colours = found[:, :3] / found[:, 3:4].clamp(min=1e-12)
        slope, middle = self.coverage
        covered = (slope * (found[:, 4:].clamp(min=1e-6).log() - middle)).sigmoid()
        return torch.cat([colours, covered], 1)

    def _colours(self, inputs: ConditionInputs) -> Float[Tensor, "batch points 3"]:
        """Attend from points to cells of the source."""
        rows, columns = (-(-side // CELL) for side in inputs.image.shape[-2:])
        image, mask = inputs.image.float(), inputs.source_maps[:, 3:].float()
        cells = pool_places(inputs.source_maps.float(), rows, columns)
        body = F.adaptive_avg_pool2d(image * mask, (rows, columns))
        body = rearrange(body, "b c h w -> b (h w) c") / cells.share.clamp(min=1e-4)
        apart = torch.cdist(inputs.points_canonical.float(), cells.canonical).square()
        logits = -0.5 * torch.exp(-2.0 * self.log_tau) * apart
        share = cells.share.mT
        logits = torch.where(share > LEAST_SHARE, logits + share.clamp(min=1e-6).log(), NEVER)
        return logits.softmax(-1) @ body
