"""Contours of masks, with their outward normals."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from numpy import ndarray

BLUR_PX = 5
"""Side of the box filter over which normals are taken."""


class Contour(NamedTuple):
    """Pixels of a mask beside one outside of it."""

    row: Int[ndarray, " points"]
    column: Int[ndarray, " points"]
    normal: Float[ndarray, "points 2"]
    """Unit vectors (x, y) out of the mask."""

    @property
    def xy(self) -> Float[ndarray, "points 2"]:
        """Return the centres, pixels."""
        return np.stack([self.column, self.row], -1) + 0.5

    def take(self, index: ndarray) -> "Contour":
        """Pick some points."""
        return Contour(*(each[index] for each in self))

    def thinned(self, most: int) -> "Contour":
        """Keep at most so many points, evenly spaced."""
        if len(self.row) <= most:
            return self
        return self.take(np.linspace(0, len(self.row) - 1, most).round().astype(int))


def contour_of(mask: Bool[ndarray, "height width"]) -> Contour:
    """Trace a mask; there is no contour where the image's border cuts it."""
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
    steep_enough = steep > 1e-6
    return Contour(
        row[steep_enough], column[steep_enough], slope[steep_enough] / steep[steep_enough, None]
    )
