"""The loop over limbs and pixels that numba compiles; imported by `openpose` only."""

from typing import no_type_check

import numpy as np

from ..geometry.compiled import compiled

NEAR_PX = 1.5
"""As in `openpose`."""


@compiled
@no_type_check
def _inside(centre, reach, length):
    """Give the first pixel, and the one after the last, whose middle lies within reach."""
    first = np.ceil(centre - reach - 0.5)
    last = np.floor(centre + reach - 0.5)
    return int(max(first, 0.0)), int(min(last, length - 1.0)) + 1


@compiled
@no_type_check
def paint(image, ellipses, drawn, colours):
    """Do what `openpose._paint` does in place, visiting only the pixels near each ellipse."""
    batch, _, height, width = image.shape
    for i in range(batch):
        for shape in range(ellipses.shape[1]):
            if not drawn[i, shape]:
                continue
            cx, cy, dx, dy, a, b = ellipses[i, shape]
            reach_x = np.sqrt((a * dx) ** 2 + (b * dy) ** 2) + NEAR_PX
            reach_y = np.sqrt((a * dy) ** 2 + (b * dx) ** 2) + NEAR_PX
            top, bottom = _inside(cy, reach_y, height)
            left, right = _inside(cx, reach_x, width)
            for row in range(top, bottom):
                y = row + np.float32(0.5) - cy
                for column in range(left, right):
                    x = column + np.float32(0.5) - cx
                    u = (x * dx + y * dy) / a
                    v = (y * dx - x * dy) / b
                    k = np.sqrt(u * u + v * v)
                    cover = np.float32(1.0)
                    if k >= np.float32(1e-4):
                        slope = max(np.sqrt((u / a) ** 2 + (v / b) ** 2), np.float32(1e-9))
                        cover = np.float32(0.5) - k * (k - np.float32(1.0)) / slope
                    if cover <= 0:
                        continue
                    cover = min(cover, np.float32(1.0))
                    for channel in range(3):
                        old = image[i, channel, row, column]
                        image[i, channel, row, column] = old + cover * (
                            colours[shape, channel] - old
                        )
