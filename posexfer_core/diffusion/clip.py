"""Frozen CLIP's hidden states of the source image, for the `clip` appearance encoder."""

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import CLIPVisionModel, CLIPVisionModelWithProjection

from ..network.clip_square import CLIP_MEAN, clip_square

CLIP_STD = (0.26862954, 0.26130258, 0.27577711)

VisionModel = CLIPVisionModel | CLIPVisionModelWithProjection


def clip_hidden_states(
    image_encoder: VisionModel, image: Float[Tensor, "batch 3 height width"]
) -> Float[Tensor, "batch tokens channels"]:
    """Compute CLIP's hidden states before its last layer, class token first.

    The image is fitted into CLIP's square by padding with its mean colour, never stretched.

    Args:
        image_encoder: from transformers, frozen.
        image: in [-1, 1], any size.
    """
    weights = next(image_encoder.parameters())
    side = image_encoder.config.image_size
    assert isinstance(side, int)
    square = clip_square(image, side)
    mean, std = (torch.tensor(values).to(square)[:, None, None] for values in (CLIP_MEAN, CLIP_STD))
    seen = (((square + 1.0) / 2.0 - mean) / std).to(weights.dtype)
    return image_encoder(pixel_values=seen, output_hidden_states=True).hidden_states[-2]
