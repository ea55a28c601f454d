"""What frozen CLIP sees in the source picture, for the `clip` appearance encoder."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from transformers import CLIPVisionModel, CLIPVisionModelWithProjection

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)

VisionModel = CLIPVisionModel | CLIPVisionModelWithProjection


def clip_hidden_states(
    image_encoder: VisionModel, picture: Float[Tensor, "batch 3 height width"]
) -> Float[Tensor, "batch tokens channels"]:
    """Compute CLIP's hidden states before its last layer, class token first.

    The picture is fitted into CLIP's square by padding with its mean colour, never stretched.

    Args:
        image_encoder: from transformers, frozen.
        picture: in [-1, 1], any size.
    """
    weights = next(image_encoder.parameters())
    height, width = picture.shape[-2:]
    side = image_encoder.config.image_size
    assert isinstance(side, int)
    fitted_height, fitted_width = (
        max(1, round(length * side / max(height, width))) for length in (height, width)
    )
    fitted = F.interpolate(
        picture.float(),
        size=(fitted_height, fitted_width),
        mode="bicubic",
        antialias=True,
        align_corners=False,
    ).clamp(-1.0, 1.0)
    mean, std = (torch.tensor(values).to(fitted)[:, None, None] for values in (CLIP_MEAN, CLIP_STD))
    normalised = ((fitted + 1.0) / 2.0 - mean) / std
    free_rows, free_columns = side - fitted_height, side - fitted_width
    padding = (
        free_columns // 2,
        free_columns - free_columns // 2,
        free_rows // 2,
        free_rows - free_rows // 2,
    )
    seen = F.pad(normalised, padding).to(weights.dtype)
    return image_encoder(pixel_values=seen, output_hidden_states=True).hidden_states[-2]
