"""Outlines of masks: where they run, and which way is out."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from numpy import ndarray

BLUR_PX = 5
"""Side of the square over which the way out is averaged."""


class Outline(NamedTuple):
    """Pixels of a mask that have one outside beside them."""

    row: Int[ndarray, " points"]
    column: Int[ndarray, " points"]
    normal: Float[ndarray, "points 2"]
    """Unit vectors (x, y) out of the mask."""

    @property
    def xy(self) -> Float[ndarray, "points 2"]:
        """Give their centres, pixels."""
        return np.stack([self.column, self.row], -1) + 0.5

    def take(self, index: ndarray) -> "Outline":
        """Pick some points."""
        return Outline(*(each[index] for each in self))

    def thinned(self, most: int) -> "Outline":
        """Keep at most so many points, evenly."""
        if len(self.row) <= most:
            return self
        return self.take(np.linspace(0, len(self.row) - 1, most).round().astype(int))


def outline_of(mask: Bool[ndarray, "height width"]) -> Outline:
    """Find the outline of a mask; where the image's border cuts it, there is none."""
    inner = mask[1:-1, 1:-1]
    around = mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    row, column = np.nonzero(inner & ~around)
    row, column = row + 1, column + 1
    wide = torch.from_numpy(mask).float()[None, None]
    wide = F.avg_pool2d(
        F.pad(wide, [BLUR_PX // 2] * 4, mode="replicate"), BLUR_PX, stride=1
    ).numpy()[0, 0]
    slope = np.stack(
        [
            wide[row, column - 1] - wide[row, column + 1],
            wide[row - 1, column] - wide[row + 1, column],
        ],
        -1,
    )
    steep = np.linalg.norm(slope, axis=-1)
    sure = steep > 1e-6
    return Outline(row[sure], column[sure], slope[sure] / steep[sure, None])
