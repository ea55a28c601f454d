"""Fine detail that latents cannot hold, put back where the warp is exact."""

import torch
from jaxtyping import Float
from torch import Tensor

from .filters import dilate, gaussian_blur

DETAIL_PX = 3.0
"""Sigma of the Gaussian that separates coarse from fine, pixels of an image of height 256."""
AGREEMENT = 0.25
"""Difference of coarse colours, of a range of 2, at which detail has weight 1/e."""
SOFTNESS_PX = 12.0
"""Sigma of the Gaussian over which strengths of detail are compared, of the same pixels."""


def restore_detail(
    image: Float[Tensor, "batch 3 height width"],
    warped: Float[Tensor, "batch 6 height width"],
    *,
    where_soft: bool = False,
) -> Float[Tensor, "batch 3 height width"]:
    """Add the warped source's fine detail where the person was seen; beside them the warp stays.

    Latents have an eighth of an image's resolution and lose eyes, prints and grain. On the person,
    `image` keeps its coarse colours and with them its light. Detail is weighted by how well the
    coarse colours agree: elsewhere the network shows something else than the warp, such as a
    shadow.

    Args:
        image: drawn from latents, in [-1, 1].
        warped: `WarpedPhoto.planes`, of the same size.
        where_soft: add detail that the warp borrows, too, as far as that of `image` is weaker: a
            network that is unsure blurs.
    """
    pixel = warped.shape[-2] / 256.0
    colours, body = warped[:, :3], (warped[:, 5:] > 0.5).to(image)
    covered = gaussian_blur(body, DETAIL_PX * pixel).clamp(min=1e-3)
    coarse, coarse_warp = (
        gaussian_blur(one * body, DETAIL_PX * pixel) / covered for one in (image, colours)
    )
    fine, fine_warp = image - coarse, colours - coarse_warp
    seen, inside = (
        (~dilate(~(warped[:, plane] > 0.5), max(1, round(pixel))))[:, None].to(image)
        for plane in (3, 5)
    )
    trust = seen * gaussian_blur(seen, pixel)
    if where_soft:
        power, power_warp = (
            gaussian_blur(body * one.square().mean(1, keepdim=True), SOFTNESS_PX * pixel)
            for one in (fine, fine_warp)
        )
        softer = 1.0 - (power / power_warp.clamp(min=1e-6)).square()
        trust = seen.maximum(inside * softer.clamp(min=0.0)) * gaussian_blur(inside, pixel)
    apart = (coarse - coarse_warp).abs().amax(1, keepdim=True) / AGREEMENT
    restored = image + trust * torch.exp(-apart.square()) * (fine_warp - fine)
    person = (2.0 * gaussian_blur(warped[:, 5:], pixel) - 1.0).clamp(0.0, 1.0)
    return (colours + person * (restored - colours)).clamp(-1.0, 1.0)
