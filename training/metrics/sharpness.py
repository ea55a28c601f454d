"""How sharp a drawn image is, beside the truth: blur is what means of many guesses look like."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue in brightness (ITU-R BT.601)."""


def sharpness(
    image: Float[Tensor, "3 height width"],
    wanted: Float[Tensor, "3 height width"],
    where: Bool[Tensor, "height width"] | None = None,
) -> float:
    """Return the mean length of the brightness gradient, over that of the truth.

    Forward differences between neighbours that both count. 1 is as sharp as the truth, 0.5 half as
    sharp; noise and wrong edges count as well. NaN where the truth is flat or nothing counts.

    Args:
        image: what was drawn.
        wanted: the truth.
        where: pixels that count; everything by default.
    """
    found, right = (_mean_gradient(one, where) for one in (image, wanted))
    return found / right if right > 0.0 else float("nan")


def _mean_gradient(image: Tensor, where: Tensor | None) -> float:
    luma = torch.einsum("chw,c->hw", image.float(), image.new_tensor(LUMA))
    here = luma[:-1, :-1]
    length = torch.hypot(luma[:-1, 1:] - here, luma[1:, :-1] - here)
    if where is None:
        return float(length.mean())
    counts = where[:-1, :-1] & where[:-1, 1:] & where[1:, :-1]
    return float(length[counts].mean()) if counts.any() else 0.0
