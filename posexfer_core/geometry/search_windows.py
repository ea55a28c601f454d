"""The windows of an image in which people are looked for."""

import math
from collections.abc import Iterator

SHARES = (1.0, 0.66)
"""Sides of the square windows, as shares of the image's shorter side."""
STEP = 0.5
"""Largest step between windows, as a share of their side."""

Window = tuple[tuple[float, float], tuple[float, float]]
"""Upper left and lower right corner, pixels, x before y."""


def search_windows(size: tuple[int, int]) -> list[Window]:
    """List the whole image, then overlapping squares of several sizes that cover it.

    An image of 640x429 pixels (width x height) has 15: itself, 2 and 4 x 3.

    Args:
        size: `(height, width)`, pixels.
    """
    height, width = size
    windows: list[Window] = [((0.0, 0.0), (float(width), float(height)))]
    for share in SHARES:
        side = share * min(size)
        if side < max(size):
            windows += [
                ((left, top), (left + side, top + side))
                for left in _starts(width, side)
                for top in _starts(height, side)
            ]
    return windows


def _starts(length: int, side: float) -> Iterator[float]:
    """Space windows of a side evenly over a length."""
    steps = math.ceil((length - side) / (STEP * side) - 1e-9)
    return ((length - side) * step / max(steps, 1) for step in range(steps + 1))
