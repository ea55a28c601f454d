"""The loop over limbs and pixels that numba compiles; imported by `openpose` only."""

from typing import no_type_check

import numpy as np

from ..geometry.compiled import compiled


@compiled
@no_type_check
def paint(image, ellipses, drawn, colours):
    """Do what `openpose._paint` does in place, looking only at the pixels near each ellipse."""
    batch, _, height, width = image.shape
    for i in range(batch):
        for shape in range(ellipses.shape[1]):
            if not drawn[i, shape]:
                continue
            cx, cy, dx, dy, a, b = ellipses[i, shape]
            reach_x = np.sqrt((a * dx) ** 2 + (b * dy) ** 2) + 1.5
            reach_y = np.sqrt((a * dy) ** 2 + (b * dx) ** 2) + 1.5
            if cx + reach_x < 0 or cy + reach_y < 0 or cx - reach_x > width:
                continue
            if cy - reach_y > height:
                continue
            for row in range(max(0, int(cy - reach_y)), min(height, int(cy + reach_y) + 1)):
                y = row + np.float32(0.5) - cy
                for column in range(max(0, int(cx - reach_x)), min(width, int(cx + reach_x) + 1)):
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
