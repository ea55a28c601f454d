"""Classifier-free guidance by pose and by identity, each with a scale of its own."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..network.guidance import FULL, NONE, POSE, Branch, Guidance, branch_condition
from .attach import Attachment

__all__ = ["FULL", "NONE", "POSE", "Branch", "Guidance", "branch_condition", "guided_prediction"]


def guided_prediction(
    attachment: Attachment,
    guidance: Guidance,
    sample: Float[Tensor, "batch channels height width"],
    timestep: Int[Tensor, ""] | Float[Tensor, ""] | int,
    context: Float[Tensor, "batch tokens token_width"],
) -> Float[Tensor, "batch channels height width"]:
    """Predict once for every branch, in one call of the UNet, and weigh the predictions.

    Args:
        attachment: holds the condition that `branch_condition` made for the same guidance.
        guidance: which branches there are and what each weighs.
        sample: noisy latents, each image once.
        timestep: one for all.
        context: what the base UNet is told, each image once.
    """
    weights = guidance.weights
    count = len(weights)
    stacked = attachment.predict(
        sample.repeat(count, 1, 1, 1), timestep, context.repeat(count, 1, 1)
    )
    parts = stacked.chunk(count)
    return torch.stack([w * part for w, part in zip(weights.values(), parts, strict=True)]).sum(0)
