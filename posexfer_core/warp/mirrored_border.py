"""More image around a photo: its mirror image, without the person, sharp or ever softer."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..geometry.resample import mirrored
from .filters import box_blur

SOFTENING = 0.15
"""Radius of the blur of a soft border, against the distance from the photo."""


def with_mirror(
    image: Float[Tensor, "1 3 height width"],
    hole: Bool[Tensor, "1 height width"],
    filled: Float[Tensor, "3 pixels"],
    border: Bool[Tensor, "1 height width"],
    *,
    soft: bool = False,
) -> tuple[Bool[Tensor, "1 height width"], Float[Tensor, "3 filled"]]:
    """Fill a border by the mirror image of what lies inside it, its hole filled.

    Args:
        image: of which the inside is used.
        hole: where the person is cut out.
        filled: colours of the hole, row by row.
        border: all around a rectangle.
        soft: the farther from the rectangle, the softer, so that nothing is recognised twice.

    Returns:
        Hole and border, and the colours of both, row by row.
    """
    inside = ~border[0]
    if not bool(inside.any()):
        return hole, filled
    plate = image[0].clone()
    plate[:, hole[0]] = filled
    away = torch.zeros_like(plate[0])
    for axis in (0, 1):
        lines = inside.any(1 - axis).nonzero()[:, 0]
        first, length = int(lines[0]), len(lines)
        at = first + mirrored(lines.new_tensor(range(inside.shape[axis])) - first, length)
        plate = plate.index_select(1 + axis, at)
        if soft:
            away = torch.maximum(away, _distance(lines, inside.shape[axis], axis).to(away))
    if soft:
        plate = _blurred(plate[None], SOFTENING * away)[0]
    whole = hole | border
    return whole, plate[:, whole[0]]


def _distance(lines: Tensor, length: int, axis: int) -> Tensor:
    """Measure how far every row (0) or column (1) lies from some that follow each other, pixels."""
    at = torch.arange(length, device=lines.device)
    apart = torch.maximum(lines[0] - at, at - lines[-1]).clamp(min=0)
    return apart[:, None] if axis == 0 else apart[None]


def _blurred(
    image: Float[Tensor, "1 channels height width"], radius: Float[Tensor, "height width"]
) -> Float[Tensor, "1 channels height width"]:
    """Blur every pixel by its own radius, between images that are blurred by doubled ones."""
    result, level, size = image, image, 1
    strength = radius.clamp(min=0.5).log2() + 1.0
    for step in range(int(strength.max()) + 1):
        level = box_blur(box_blur(level, size), size)
        result = torch.lerp(result, level, (strength - step).clamp(0.0, 1.0))
        size *= 2
    return result
