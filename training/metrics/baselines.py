"""Baselines without a network."""

from jaxtyping import Bool, Float
from torch import Tensor


def paste_warp(
    warped: Float[Tensor, "5 height width"], body: Bool[Tensor, "height width"]
) -> Float[Tensor, "3 height width"]:
    """Fill what the warp leaves unknown with mean colours.

    Unseen body takes the mean colour of seen body, unknown background that of known background.

    Args:
        warped: as `warp_source` returns it.
        body: where the target body is.
    """
    image = warped[:3].clone()
    for region, known in ((body, warped[3] > 0.5), (~body, warped[4] > 0.5)):
        if known.any():
            image[:, region & ~known] = image[:, known].mean(1, keepdim=True)
    return image
