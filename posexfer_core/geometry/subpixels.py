"""The grid of subpixels that corners of faces are rounded to before any pixel is tested.

Edge tests are exact in whole numbers: neighbouring faces leave no gap and never both cover a pixel,
and numba and torch agree.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .camera import project_perspective

SUBPIXEL_BITS = 12
UNIT = 1 << SUBPIXEL_BITS
"""Subpixels per pixel; 1/4096 px is about what float32 resolves at 1000 px."""
HALF = UNIT // 2
REACH_PX = 1 << 17
"""Corners farther out are pulled in to this, so that products fit 64 bits."""
NEAR_M = 1e-3
"""Faces with a corner nearer to the camera plane than this, or behind it, are left out."""


def to_subpixels(
    vertices: Float[Tensor, "batch vertices 3"], intrinsics: Float[Tensor, "batch 3 3"]
) -> tuple[Int[Tensor, "batch vertices 2"], Float[Tensor, "batch vertices"]]:
    """Project vertices onto the grid.

    With fx = fy = 100 and cx = cy = 50, (1, 2, 4) falls on pixel (75, 100), that is on (307200,
    409600), and 1/z is 0.25.

    Returns:
        Positions in subpixels (int32) and 1/z in 1/metres, 0 for vertices that are too near.
    """
    depth = vertices[..., 2]
    ahead = depth > NEAR_M
    safe = torch.where(ahead[..., None], vertices, torch.ones_like(vertices))
    pixels = project_perspective(safe, intrinsics).clamp(-REACH_PX, REACH_PX)
    inverse = torch.where(ahead, 1 / safe[..., 2], torch.zeros_like(depth))
    return (pixels * UNIT).round().to(torch.int32), inverse
