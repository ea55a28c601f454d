"""The source's colours carried to the target by attention alone: cells to points to pixels.

Two attentions with geometry as weights and colours as values; no rasteriser, nothing learned.

    point p from cell t of the source:   share_t / (1 + |c_p - c_t|^2 / TAU^2)^STEEPNESS
    pixel q from points, front to back:  alpha_p(q) times (1 - alpha) of every nearer point, with
                                         alpha_p(q) = OPACITY exp(-(q - u_p)' S_p^-1 (q - u_p) / 2)

c is the place on the rest body. A place that the source does not show takes the nearest that it
does, or the mirrored place of the other side, which counts as if it were `MIRRORED` farther off.

S is a point's footprint: how far its neighbours on the rest body lie from it in the image. So it
follows the person's size, the number of points and the slant of the surface. The nearer point hides
those behind it whatever the distance between them: a z-buffer, soft in the image alone, as 3D
Gaussian splatting composes (Kerbl et al. 2023).
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from .condition import ConditionInputs
from .encoder import pool_places
from .fourier import position_grid

CELL = 2
"""Pixels of the image to one cell that colours are read from, along each side."""
TAU, STEEPNESS, MIRRORED = 0.02, 3.0, 0.05
"""In halves of the body's height, but for the exponent."""
LEAST_SHARE = 0.02
"""Share of the body in a cell below which nothing is read from it."""
NEIGHBOURS, FOOTPRINT, LEAST_PIXELS = 6, 0.6, 0.4
"""Neighbours of a point; its standard deviation over their distance; the least one, pixels."""
OPACITY = 0.97
BAND, REACH = 8, 4.0
"""Rows that are drawn at a time, from points at most so many standard deviations away."""


def carry_colours(
    inputs: ConditionInputs,
    *,
    stride: int = 2,
    values: Float[Tensor, "batch points channels"] | None = None,
) -> Float[Tensor, "batch channels_and_coverage h w"]:
    """Draw what points show of the source, and how much of each pixel they cover. Differentiable.

    Args:
        inputs: source and points.
        stride: pixels of the image to one of the result, along each side.
        values: what points carry; by default the source's colours, in [-1, 1].

    Returns:
        The values, weighted by what is seen of each point, and coverage from 0 to 1, in float32.
    """
    height, width = (side // stride for side in inputs.image.shape[-2:])
    aspect = inputs.points.new_tensor([width / height, 1.0]).float()
    grid = aspect * position_grid(height, width, device=inputs.points.device)
    drawn = []
    values = point_colours(inputs) if values is None else values
    values = F.pad(values, (0, 1), value=1.0)
    for points, places, carried in zip(
        inputs.points.float(), inputs.points_canonical.float(), values, strict=True
    ):
        order = points[:, 2].argsort()
        centres = aspect * points[:, :2]
        spread = _footprints(centres, places, 2.0 * LEAST_PIXELS / height)
        drawn.append(_composed(grid, width, centres[order], spread[order], carried[order]))
    return rearrange(torch.stack(drawn), "b (h w) c -> b c h w", h=height)


def _composed(
    grid: Float[Tensor, "pixels 2"],
    width: int,
    centres: Float[Tensor, "points 2"],
    spread: Float[Tensor, "points 2 2"],
    values: Float[Tensor, "points channels"],
) -> Float[Tensor, "pixels channels"]:
    """Compose points, given front to back, band by band."""
    precision = torch.linalg.inv(spread)
    reach = REACH * spread[:, 1, 1].sqrt()
    bands = []
    for rows in grid.split(BAND * width):
        top, bottom = rows[0, 1] - reach, rows[-1, 1] + reach
        near = (centres[:, 1] > top) & (centres[:, 1] < bottom)
        apart = rows[:, None] - centres[near]
        distance = torch.einsum("qpi,pij,qpj->qp", apart, precision[near], apart)
        alpha = OPACITY * torch.exp(-0.5 * distance)
        passed = torch.log1p(-alpha)
        seen = alpha * torch.exp(passed.cumsum(1) - passed)
        sums = seen @ values[near]
        bands.append(torch.cat([sums[:, :-1] / sums[:, -1:].clamp(min=1e-6), sums[:, -1:]], 1))
    return torch.cat(bands)


def _footprints(
    centres: Float[Tensor, "points 2"], places: Float[Tensor, "points 3"], least: float
) -> Float[Tensor, "points 2 2"]:
    """Measure how points spread in the image, as covariances."""
    count = min(NEIGHBOURS + 1, len(places))
    around = torch.cdist(places, places).topk(count, largest=False).indices[:, 1:]
    apart = centres[around] - centres[:, None]
    spread = FOOTPRINT**2 * torch.einsum("pni,pnj->pij", apart, apart) / NEIGHBOURS
    return spread + least**2 * torch.eye(2, device=spread.device)


def point_colours(inputs: ConditionInputs) -> Float[Tensor, "batch points 3"]:
    """Attend from points to cells of the source and to their mirrored places."""
    rows, columns = (-(-side // CELL) for side in inputs.image.shape[-2:])
    image, mask = inputs.image.float(), inputs.source_maps[:, 3:].float()
    cells = pool_places(inputs.source_maps.float(), rows, columns)
    body = F.adaptive_avg_pool2d(image * mask, (rows, columns))
    body = rearrange(body, "b c h w -> b (h w) c") / cells.share.clamp(min=1e-4)
    share = torch.where(cells.share > LEAST_SHARE, cells.share, 0.0).mT
    places = inputs.points_canonical.float()
    weights = torch.zeros_like(share)
    for side, farther in ((1.0, 0.0), (-1.0, MIRRORED)):
        there = places * places.new_tensor([side, 1.0, 1.0])
        apart = torch.cdist(there, cells.canonical).square() + farther**2
        weights = weights + share / (1.0 + apart / TAU**2) ** STEEPNESS
    return weights @ body / weights.sum(-1, keepdim=True).clamp(min=1e-12)
