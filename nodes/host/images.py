"""Images between the host (batch, height, width, colours; 0 to 1) and the core (-1 to 1)."""

import torch
from einops import rearrange
from torch import Tensor

from ...posexfer_core.errors import ImageError


def on_white(image: Tensor, name: str) -> Tensor:
    """Check an IMAGE, and lay one with transparency on white.

    Raises:
        ImageError: it is neither RGB nor RGBA, or has no pixels.
    """
    if image.ndim != 4 or image.shape[-1] not in (3, 4) or not image.numel():
        raise ImageError(
            f"'{name}' has shape {tuple(image.shape)}.\n"
            "Expected an IMAGE (batch, height, width, 3), or 4 with transparency.\n"
            "Connect an image, such as that of Load Image."
        )
    if image.shape[-1] == 3:
        return image
    colours, opacity = image[..., :3], image[..., 3:]
    return colours * opacity + (1.0 - opacity)


def to_core(image: Tensor, *, name: str = "image") -> Tensor:
    """Turn an IMAGE into (batch, 3, height, width) in [-1, 1].

    Raises:
        ImageError: as `on_white`.
    """
    return rearrange(on_white(image, name), "b h w c -> b c h w").float() * 2.0 - 1.0


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
