"""Results put back into the images that they were cut from; what they do not touch stays."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ...posexfer_core.errors import ImageError
from ...posexfer_core.transfer.framing import Framing
from ...posexfer_core.warp.filters import gaussian_blur

FEATHER = 0.04
"""Soft border inside a cut that is pasted without a mask; a share of its shorter side."""


def paste_back(
    result: Tensor,
    original: Tensor,
    framing: Framing | None,
    mask: Tensor | None,
    feather_px: int,
) -> Tensor:
    """Put results where their cuts came from; every pixel outside the mask stays bit for bit.

    Args:
        result: an IMAGE.
        original: the IMAGE that was cut; one for all, or as many.
        framing: how it was cut; None where it was not.
        mask: a MASK of what may change, in the result; None for all of it.
        feather_px: how far inside the mask's edge the result is mixed with the original.

    Raises:
        ImageError: sizes or numbers do not go together.
    """
    size = (original.shape[1], original.shape[2])
    framing = framing or Framing(offset_xy=(0.0, 0.0), scale=1.0, size=size)
    framing = _at_size(framing, (result.shape[1], result.shape[2]))
    if len(original) not in (1, len(result)):
        raise ImageError(
            f"There are {len(original)} originals for {len(result)} images, expected one or as "
            "many."
        )
    masks = None if mask is None else _soft(_masks(mask, framing, len(result)), feather_px)
    drawn = rearrange(result, "b h w c -> b c h w")
    pasted = original.new_empty(len(drawn), *original.shape[1:], dtype=torch.float32)
    for number, image in enumerate(pasted):
        image[:] = original[number % len(original)]
        framing.paste(
            drawn[[number]].float().clamp(0.0, 1.0),
            rearrange(image, "h w c -> 1 c h w"),
            changed=None if masks is None else masks[[number % len(masks)]],
            feather=FEATHER if masks is None else 0.0,
        )
    return pasted


def _soft(masks: Tensor, feather_px: int) -> Tensor:
    """Soften masks inside their edges; what lies outside stays 0."""
    hard = (masks > 0.5).float()
    if not feather_px:
        return hard
    return hard * (2.0 * gaussian_blur(hard, feather_px / 2.0) - 1.0).clamp(0.0, 1.0)


def _masks(mask: Tensor, framing: Framing, count: int) -> Tensor:
    """Bring masks to the result's size.

    Raises:
        ImageError: they are of another aspect, or of another number of images.
    """
    masks = (mask[None] if mask.ndim == 2 else mask)[:, None].float()
    ratio = [have / want for have, want in zip(masks.shape[-2:], framing.size, strict=True)]
    if len(masks) not in (1, count) or abs(ratio[0] / ratio[1] - 1.0) > 0.02:
        raise ImageError(
            f"'mask' has shape {tuple(masks[:, 0].shape)} for {count} images of "
            f"{framing.size[0]}x{framing.size[1]} pixels (height x width); connect the inpaint "
            "mask that these images were made with."
        )
    return F.interpolate(masks, size=framing.size, mode="nearest")


def _at_size(framing: Framing, size: tuple[int, int]) -> Framing:
    """Take a result that was enlarged or reduced since it was cut.

    Raises:
        ImageError: the aspect is another.
    """
    scales = [have / want for have, want in zip(size, framing.size, strict=True)]
    if abs(scales[0] / scales[1] - 1.0) > 0.005:
        raise ImageError(
            f"The image is {size[0]}x{size[1]} pixels (height x width), but {framing.size[0]}x"
            f"{framing.size[1]} were cut out. Latents of models need sides that are multiples of "
            "8 or 16: set them in Frame Pose."
        )
    return replace(framing, scale=framing.scale * scales[0], size=size)
