"""Cut an image of any size around a person to the network's size, and paste the result back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.view import BodyView
from ..errors import ImageError
from ..geometry.camera import project_perspective
from ..geometry.resample import resample

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels; may reach outside the image."""
Outside = Literal["crop", "mirror", "fill"]
"""A pose that leaves the photo is cut off, or the photo goes on in its mirror image,
which is sharp ("mirror") or the softer the farther ("fill")."""
GROWN_BORDER = 0.04
"""Free space beyond a pose that leaves the image, as a share of the extent of all."""
BAND_PIXELS = 1 << 20
"""Pixels of a large image that are pasted at once."""
CUT_OFF = 0.1
"""Share of a person's extent beyond the image's edge from which the person is cut off by it."""


@dataclass(frozen=True, kw_only=True)
class Framing:
    """A cut without stretching: position `p` in the image lands at `scale * (p - offset_xy)`.

    Worked number: offset (10, 20), scale 0.5: pixel position (30, 60) lands at (10, 20).
    """

    offset_xy: tuple[float, float]
    """Upper left corner of the cut, pixels of the image; negative where it is padded."""
    scale: float
    """Pixels of the cut per pixel of the image, the same along both axes."""
    size: tuple[int, int]
    """Height and width of the cut, pixels."""

    @classmethod
    def around(
        cls, boxes: Sequence[Box], size: tuple[int, int], *, margin: float = 0.06
    ) -> "Framing":
        """Fit every box inside the cut, centred.

        Args:
            boxes: at least one; for a transfer, the person's box and the wanted pose's.
            size: height and width of the cut, pixels.
            margin: free border on each side, as a share of the boxes' extent.
        """
        left, top = (min(box[i] for box in boxes) for i in (0, 1))
        right, bottom = (max(box[i] for box in boxes) for i in (2, 3))
        width, height = (right - left) * (1 + 2 * margin), (bottom - top) * (1 + 2 * margin)
        scale = min(size[0] / max(height, 1e-6), size[1] / max(width, 1e-6))
        return cls(
            offset_xy=(
                (left + right - size[1] / scale) / 2,
                (top + bottom - size[0] / scale) / 2,
            ),
            scale=scale,
            size=size,
        )

    @classmethod
    def whole(cls, image_size: tuple[int, int], size: tuple[int, int]) -> "Framing":
        """Fit the whole image (height, width) inside the cut."""
        return cls.around(
            [(0.0, 0.0, float(image_size[1]), float(image_size[0]))], size, margin=0.0
        )

    def apply(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels framed_height framed_width"]:
        """Cut and resize; beyond its edges the image goes on in its mirror image."""
        return resample(image, self.offset_xy, self.scale, self.size, mirror=True)

    def apply_to_mask(
        self, mask: Float[Tensor, "batch 1 height width"]
    ) -> Float[Tensor, "batch 1 framed_height framed_width"]:
        """Cut and resize a mask; beyond its edges there is nobody."""
        beyond = self.beyond((mask.shape[-2], mask.shape[-1])).to(mask.device)
        framed = self.apply(mask)
        return framed * ~beyond if bool(beyond.any()) else framed

    def beyond(self, image_size: tuple[int, int]) -> Bool[Tensor, "1 framed_height framed_width"]:
        """Tell which pixels of the cut have their centre outside an image of (height, width)."""
        outside = []
        for length, framed, offset in zip(image_size, self.size, self.offset_xy[::-1], strict=True):
            position = (torch.arange(framed) + 0.5) / self.scale + offset
            outside.append((position < 0) | (position > length))
        return (outside[0][:, None] | outside[1])[None]

    def reframe(self, view: BodyView) -> BodyView:
        """See the same bodies in the cut."""
        return view.reframed(self.offset_xy, self.scale, self.size)

    def paste(
        self,
        result: Float[Tensor, "batch channels framed_height framed_width"],
        onto: Float[Tensor, "batch channels height width"],
        *,
        changed: Float[Tensor, "batch 1 framed_height framed_width"] | None = None,
        feather: float = 0.04,
    ) -> Float[Tensor, "batch channels height width"]:
        """Undo the cut: put `result` where it came from, at the original resolution.

        Args:
            result: what was made of the cut, of size `size`.
            onto: the image that was cut; it is changed in place, and returned.
            changed: share of the result in each pixel of the cut, if not 1; where it is 0 the
                original's own pixels stay, bit for bit.
            feather: width of the soft border at those of the cut's edges that lie inside the
                image, as a share of the cut's shorter side.
        """
        if tuple(result.shape[-2:]) != self.size:
            raise ImageError(
                f"The result is {tuple(result.shape[-2:])} pixels, expected the cut's {self.size}."
            )
        size, border_px = (onto.shape[-2], onto.shape[-1]), max(feather * min(self.size), 1e-3)
        edges = self._inside(size, border_px)
        band = max(1, BAND_PIXELS // size[1])
        for top in range(0, size[0], band):
            rows = onto[..., top : top + band, :]
            back = Framing(
                offset_xy=(-self.scale * self.offset_xy[0], self.scale * (top - self.offset_xy[1])),
                scale=1.0 / self.scale,
                size=(rows.shape[-2], size[1]),
            )
            share = (edges[0][top : top + band, None] * edges[1]).to(onto)
            if changed is not None:
                share = share * back.apply(changed).clamp(0.0, 1.0)
                share = share * (back.apply((changed > 0).to(share)) > 0.5)
            if bool(share.any()):
                rows += torch.where(share > 0, share * (back.apply(result) - rows), 0.0)
        return onto

    def _inside(self, size: tuple[int, int], border_px: float) -> list[Float[Tensor, "length"]]:
        """Share of the cut in rows and columns of the image: 1 inside, ramps to 0 at its edges."""
        ramps = []
        for length, framed, offset in zip(size, self.size, self.offset_xy[::-1], strict=True):
            position = self.scale * (torch.arange(length) + 0.5 - offset)
            before = position if offset > 0 else position.new_tensor(torch.inf)
            ends = offset + framed / self.scale < length
            after = framed - position if ends else position.new_tensor(torch.inf)
            ramps.append((torch.minimum(before, after) / border_px).clamp(0.0, 1.0).expand(length))
        return ramps


def body_box(view: BodyView) -> Box:
    """Bound the bodies of a view, in pixels of its image; limbs outside the image count."""
    pixels = project_perspective(view.vertices, view.intrinsics)
    low, high = pixels.amin(dim=(0, 1)), pixels.amax(dim=(0, 1))
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def cut_off_edges(person: Box, image_size: tuple[int, int]) -> tuple[bool, bool, bool, bool]:
    """Tell at which edges (left, top, right, bottom) the image cuts the person off.

    Args:
        person: the box of the whole body.
        image_size: height and width, pixels.
    """
    left, top, right, bottom = person
    across, down = CUT_OFF * (right - left), CUT_OFF * (bottom - top)
    height, width = image_size
    return left < -across, top < -down, right > width + across, bottom > height + down


def frame_person(
    person: Box, others: Sequence[Box], size: tuple[int, int], image_size: tuple[int, int]
) -> Framing:
    """Frame a person and other boxes; edges that cut the person off are not padded.

    Padding below a half-length portrait would show no legs. An image that has the size and holds
    everything stays as it is.

    Args:
        person: the box of the whole body in the image.
        others: what the cut must hold too, such as the box of the pose wanted.
        size: height and width of the cut, pixels.
        image_size: height and width of the image, pixels.
    """
    limits = (0.0, 0.0, float(image_size[1]), float(image_size[0]))
    cut = cut_off_edges(person, image_size)
    left, top, right, bottom = _bounds(person, others, image_size)
    inside = left >= 0 and top >= 0 and right <= limits[2] and bottom <= limits[3]
    if image_size == size and inside:
        return Framing(offset_xy=(0.0, 0.0), scale=1.0, size=size)
    framing = Framing.around([(left, top, right, bottom)], size)
    offsets = []
    for axis in (0, 1):
        offset, length = framing.offset_xy[axis], size[1 - axis] / framing.scale
        if cut[axis + 2]:
            offset = min(offset, limits[axis + 2] - length)
        elif cut[axis]:
            offset = max(offset, 0.0)
        offsets.append(offset)
    return replace(framing, offset_xy=(offsets[0], offsets[1]))


def frame_photo(
    person: Box,
    others: Sequence[Box],
    image_size: tuple[int, int],
    *,
    scale: float = 1.0,
    grown: bool = False,
    multiple: int = 1,
) -> Framing:
    """Frame the whole image, or as much more as the boxes need.

    Args:
        person: the box of the whole body in the image.
        others: what the cut should hold too.
        image_size: height and width of the image, pixels.
        scale: pixels of the cut per pixel of the image.
        grown: give more than the image where a box leaves it, edges that cut the person off apart.
        multiple: the cut's sides are multiples of this, by leaving out a few pixels at the right
            and at the bottom.
    """
    left, top, right, bottom = 0.0, 0.0, float(image_size[1]), float(image_size[0])
    if grown:
        bounds = _bounds(person, others, image_size)
        border = GROWN_BORDER * max(bounds[2] - bounds[0], bounds[3] - bounds[1])
        left, top = (
            limit if bound >= limit else math.floor(bound - border)
            for bound, limit in zip(bounds[:2], (left, top), strict=True)
        )
        right, bottom = (
            limit if bound <= limit else math.ceil(bound + border)
            for bound, limit in zip(bounds[2:], (right, bottom), strict=True)
        )
    sides = (
        round(scale * length) // multiple * multiple for length in (bottom - top, right - left)
    )
    height, width = (max(side, multiple) for side in sides)
    return Framing(offset_xy=(float(left), float(top)), scale=scale, size=(height, width))


def _bounds(person: Box, others: Sequence[Box], image_size: tuple[int, int]) -> Box:
    """Bound all boxes; at edges that cut the person off, by the image."""
    limits = (0.0, 0.0, float(image_size[1]), float(image_size[0]))
    cut = cut_off_edges(person, image_size)
    left, top, right, bottom = (
        limits[edge] if cut[edge] else pick(box[edge] for box in (person, *others))
        for edge, pick in enumerate((min, min, max, max))
    )
    return left, top, right, bottom
