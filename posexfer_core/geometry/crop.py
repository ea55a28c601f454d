"""A rectangle of an image, resized: from pixels of the image to pixels of the crop and back."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from .resample import resample


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
        """Cut and resize; edge pixels repeat beyond the image."""
        return resample(image, self.offset_xy, self.scale, self.size)

    def to_image(self, ndc: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Map NDC of the crop to pixels of the image."""
        half = ndc.new_tensor([self.size[1], self.size[0]]) / 2.0
        return (ndc + 1.0) * half / self.scale + ndc.new_tensor(self.offset_xy)
