"""Fine detail that latents cannot hold, put back where the warp is exact."""

import torch
from jaxtyping import Float
from torch import Tensor

from .filters import dilate, gaussian_blur

DETAIL_PX = 3.0
"""Sigma of the Gaussian that separates coarse from fine, pixels of an image of height 256."""
AGREEMENT = 0.25
"""Difference of coarse colours, of a range of 2, at which detail has weight 1/e."""


def restore_detail(
    image: Float[Tensor, "batch 3 height width"], warped: Float[Tensor, "batch 6 height width"]
) -> Float[Tensor, "batch 3 height width"]:
    """Add the warped source's fine detail where the person was seen; beside them the warp stays.

    Latents have an eighth of an image's resolution and lose eyes, prints and grain. On the person,
    `image` keeps its coarse colours and with them its light. Detail is weighted by how well the
    coarse colours agree: elsewhere the network shows something else than the warp, such as a
    shadow.

    Args:
        image: drawn from latents, in [-1, 1].
        warped: `WarpedPhoto.planes`, of the same size.
    """
    pixel = warped.shape[-2] / 256.0
    colours, trusted = warped[:, :3], warped[:, 3] > 0.5
    trusted = ~dilate(~trusted, max(1, round(pixel)))
    coarse, coarse_warp = (
        gaussian_blur(image, DETAIL_PX * pixel),
        gaussian_blur(colours, DETAIL_PX * pixel),
    )
    apart = (coarse - coarse_warp).abs().amax(1, keepdim=True) / AGREEMENT
    trust = trusted[:, None].to(image.dtype)
    trust = trust * gaussian_blur(trust, pixel) * torch.exp(-apart.square())
    restored = image + trust * (colours - coarse_warp - (image - coarse))
    person = (2.0 * gaussian_blur(warped[:, 5:], pixel) - 1.0).clamp(0.0, 1.0)
    return (colours + person * (restored - colours)).clamp(-1.0, 1.0)
