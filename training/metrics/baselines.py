"""What no network at all reaches: the numbers that a model has to beat."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def paste_warp(
    draft: Float[Tensor, "5 height width"], body: Bool[Tensor, "height width"]
) -> Float[Tensor, "3 height width"]:
    """Fill what geometry does not know of a draft with the mean of what it knows.

    Unseen body takes the mean colour of seen body, unknown background that of known background.

    Args:
        draft: of `posexfer_core.draft.draft_picture`.
        body: where the target body is.
    """
    picture = draft[:3].clone()
    for region, known in ((body, draft[3] > 0.5), (~body, draft[4] > 0.5)):
        if known.any():
            picture[:, region & ~known] = picture[:, known].mean(1, keepdim=True)
    return picture


def mean_of(values: list[float]) -> float:
    """Average scores."""
    return float(torch.tensor(values).mean())
