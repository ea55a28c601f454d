"""A rectangle of an image, resized: from pixels of the image to pixels of the crop and back."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from .resample import resample

BLOCK = 0.7
"""Side of the blocks that are averaged, as a share of a pixel of the crop: from 2 pixels up."""


@dataclass(frozen=True, kw_only=True)
class Crop:
    """The part of an image that a network is given: `p` lands at `scale * (p - offset_xy)`."""

    offset_xy: tuple[float, float]
    scale: float
    size: tuple[int, int]
    """`(height, width)` of the crop, pixels."""

    @classmethod
    def around(cls, low: Tensor, high: Tensor, size: tuple[int, int], filled: float) -> "Crop":
        """Centre a box, corners in pixels of the image, that fills a share of the crop's side."""
        extent = (high - low).clamp_min(1.0)
        scale = filled * float((extent.new_tensor([size[1], size[0]]) / extent).min())
        corner = (low + high) / 2.0 - extent.new_tensor([size[1], size[0]]) / (2.0 * scale)
        return cls(offset_xy=(float(corner[0]), float(corner[1])), scale=scale, size=size)

    @classmethod
    def of_box(cls, low: tuple[float, float], high: tuple[float, float], longest_px: int) -> "Crop":
        """Cut out a box, corners in pixels of the image; it is made smaller, never larger."""
        width, height = high[0] - low[0], high[1] - low[1]
        scale = min(1.0, longest_px / max(width, height))
        size = max(round(height * scale), 1), max(round(width * scale), 1)
        return cls(offset_xy=low, scale=scale, size=size)

    def cut(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels crop_height crop_width"]:
        """Cut and resize; edge pixels repeat beyond the image.

        Of a large image blocks of pixels are averaged first: `resample` multiplies matrices.
        """
        block = max(1, int(BLOCK / self.scale))
        room = math.ceil(1.0 / self.scale) + 1
        spans = []
        for length, offset, side in zip(
            image.shape[-2:], self.offset_xy[::-1], self.size, strict=True
        ):
            first = min(max(math.floor(offset) - room, 0), length - 1)
            last = math.ceil(offset + side / self.scale) + room
            spans.append((first, min(max(last, first + block), length)))
        (top, bottom), (left, right) = spans
        part = image[..., top:bottom, left:right]
        if block > 1:
            part = F.avg_pool2d(part, block, ceil_mode=True, count_include_pad=False)
        corner = ((self.offset_xy[0] - left) / block, (self.offset_xy[1] - top) / block)
        return resample(part, corner, self.scale * block, self.size)

    def inside(
        self, low: tuple[float, float], high: tuple[float, float]
    ) -> Bool[Tensor, "crop_height crop_width"]:
        """Tell which pixels of the crop lie in a box, corners in pixels of the image."""
        spans = []
        for side, offset, least, most in zip(
            self.size, self.offset_xy[::-1], low[::-1], high[::-1], strict=True
        ):
            at = (torch.arange(side) + 0.5) / self.scale + offset
            spans.append((at >= least) & (at <= most))
        return spans[0][:, None] & spans[1]

    def to_image(self, ndc: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Map NDC of the crop to pixels of the image."""
        half = ndc.new_tensor([self.size[1], self.size[0]]) / 2.0
        return (ndc + 1.0) * half / self.scale + ndc.new_tensor(self.offset_xy)


@dataclass(frozen=True, kw_only=True)
class ShrunkImage:
    """An image of which many crops are cut, made smaller once by a whole number."""

    pixels: Float[Tensor, "1 channels height width"]
    factor: int
    """Pixels of the image along a pixel of `pixels`."""

    @classmethod
    def of(cls, image: Float[Tensor, "channels height width"], longest_px: int) -> "ShrunkImage":
        """Average blocks, so that the longest side is from `longest_px` to twice that."""
        factor = max(1, max(image.shape[-2:]) // longest_px)
        if factor == 1:
            return cls(pixels=image[None], factor=1)
        pixels = F.avg_pool2d(image[None], factor, ceil_mode=True, count_include_pad=False)
        return cls(pixels=pixels, factor=factor)

    def cut(self, crop: Crop) -> Float[Tensor, "1 channels crop_height crop_width"]:
        """Cut and resize; the crop is in pixels of the image."""
        x, y = crop.offset_xy
        corner = (x / self.factor, y / self.factor)
        return resample(self.pixels, corner, crop.scale * self.factor, crop.size)
