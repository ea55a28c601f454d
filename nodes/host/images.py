"""Images between the host (batch, height, width, colours; 0 to 1) and the core (-1 to 1)."""

import torch
from einops import rearrange
from torch import Tensor

from ...posexfer_core.errors import ImageError


def check_rgb(image: Tensor, name: str) -> None:
    """Refuse what is no RGB IMAGE, or has no pixels.

    Raises:
        ImageError: says what it is.
    """
    if image.ndim != 4 or image.shape[-1] != 3 or not image.numel():
        raise ImageError(
            f"'{name}' has shape {tuple(image.shape)}, expected an RGB IMAGE (batch, height, "
            "width, 3). An image with transparency goes through 'Split Image with Alpha' first."
        )


def to_core(image: Tensor, *, name: str = "image") -> Tensor:
    """Turn an IMAGE into (batch, 3, height, width) in [-1, 1].

    Raises:
        ImageError: it is no RGB image, or has no pixels.
    """
    check_rgb(image, name)
    return rearrange(image, "b h w c -> b c h w").float() * 2.0 - 1.0


def from_core(image: Tensor) -> Tensor:
    """Turn (batch, 3, height, width) in [-1, 1] into an IMAGE."""
    return from_unit(image / 2.0 + 0.5)


def from_unit(image: Tensor) -> Tensor:
    """Turn (batch, 3, height, width) in [0, 1] into an IMAGE."""
    clipped = image.detach().float().cpu().clamp(0.0, 1.0)
    return rearrange(clipped, "b c h w -> b h w c").contiguous()


def mask_to_host(mask: Tensor) -> Tensor:
    """Turn (batch, 1, height, width) or (batch, height, width) into a MASK."""
    flat = mask[:, 0] if mask.ndim == 4 else mask
    return flat.detach().to("cpu", torch.float32).contiguous()
