"""How an image is fitted into the square that CLIP sees: by padding, never by stretching."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
"""Mean colour of CLIP's training images, RGB from 0 to 1."""


def clip_square(
    image: Float[Tensor, "batch 3 height width"], side: int
) -> Float[Tensor, "batch 3 side side"]:
    """Scale an image so that its longer side is `side`, and pad it with CLIP's mean colour.

    Args:
        image: in [-1, 1], any size.
        side: of CLIP's square, pixels.

    Returns:
        The square, in [-1, 1].
    """
    height, width = image.shape[-2:]
    rows, columns = (max(1, round(one * side / max(height, width))) for one in (height, width))
    fitted = F.interpolate(
        image.float(), size=(rows, columns), mode="bicubic", antialias=True, align_corners=False
    ).clamp(-1.0, 1.0)
    top, left = (side - rows) // 2, (side - columns) // 2
    around = (left, side - columns - left, top, side - rows - top)
    mean = 2.0 * torch.tensor(CLIP_MEAN).to(fitted)[:, None, None] - 1.0
    return F.pad(fitted - mean, around) + mean
