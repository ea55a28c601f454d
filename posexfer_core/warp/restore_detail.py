"""Fine detail that latents cannot hold, put back where the warp carried it."""

import torch
from jaxtyping import Float
from torch import Tensor

from .filters import dilate, gaussian_blur

DETAIL_PX = 3.0
"""What is finer than this is detail: the sigma of a Gaussian, pixels of an image of height 256."""
AGREEMENT = 0.25
"""Difference of coarse colours, of a range of 2, at which a warp is trusted a third."""


def restore_detail(
    image: Float[Tensor, "batch 3 height width"], warped: Float[Tensor, "batch 5 height width"]
) -> Float[Tensor, "batch 3 height width"]:
    """Put the warp's fine detail back where geometry carried it exactly.

    Latents are an eighth of an image's size, and what is finer than they can hold is lost: eyes,
    prints, grain. Where the warped was seen, or is known background, `image` takes the warp's
    fine colours. On the body it keeps its own coarse ones, hence its light; known background takes
    those too. All of it as far as the coarse colours agree: elsewhere the network has something
    else to show than the warp, such as a shadow.

    Args:
        image: drawn from latents, in [-1, 1].
        warped: of `warp_source`, of the same size.
    """
    pixel = warped.shape[-2] / 256.0
    colours, trusted = warped[:, :3], warped[:, 3:].amax(1) > 0.5
    trusted = ~dilate(~trusted, max(1, round(pixel)))
    coarse, coarse_warp = (
        gaussian_blur(image, DETAIL_PX * pixel),
        gaussian_blur(colours, DETAIL_PX * pixel),
    )
    apart = (coarse - coarse_warp).abs().amax(1, keepdim=True) / AGREEMENT
    trust = trusted[:, None].to(image.dtype)
    trust = trust * gaussian_blur(trust, pixel) * torch.exp(-apart.square())
    tone = warped[:, 4:] * (coarse_warp - coarse)
    return (image + trust * (colours - coarse_warp - (image - coarse) + tone)).clamp(-1.0, 1.0)
