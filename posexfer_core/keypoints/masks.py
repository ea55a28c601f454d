"""Masks of people: checks, cropping to the person, and resizing to the working resolution."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from numpy import ndarray

from ..errors import ImageError

WORKING_PX = 512
"""Longest side of the masks in which outlines are compared."""
MARGIN = 0.1
"""Margin around the person in crops, as a share of its extent."""

Mask = Bool[ndarray, "height width"]


def check_mask(mask: ndarray, size: tuple[int, int]) -> Mask:
    """Return a mask of an image as booleans.

    Args:
        mask: (height, width); booleans, or from 0 to 1: more than a half is the person.
        size: height and width of the image.

    Raises:
        ImageError: it is of another size, or shows nothing or everything.
    """
    if mask.shape != size:
        raise ImageError(
            f"The mask has shape {tuple(mask.shape)}, the image is {size[0]}x{size[1]} "
            "(height x width); they must be alike."
        )
    found = mask > 0.5
    if found.all() or not found.any():
        raise ImageError(
            f"The mask is {'full' if found.all() else 'empty'}; it must be 1 where the person is "
            f"and 0 around. Its values are {float(mask.min()):.3g} to {float(mask.max()):.3g}."
        )
    return found


def window(mask: Mask, pixels: Float[ndarray, "points 2"]) -> tuple[ndarray, ndarray]:
    """Crop to the person and `pixels`, with a margin; return the corner (x, y) and the crop."""
    columns, rows = (np.flatnonzero(mask.any(axis))[[0, -1]] for axis in (0, 1))
    places = np.concatenate([np.stack([columns, rows], -1) + 0.5, pixels])
    low, high = places.min(0), places.max(0)
    room = MARGIN * (high - low).max()
    left, top = np.floor(np.clip(low - room, 0, None)).astype(int)
    right, bottom = np.ceil(high + room).astype(int)
    return np.array([left, top]), mask[top:bottom, left:right]


def shrunk(mask: Mask) -> tuple[Bool[ndarray, "small_height small_width"], ndarray]:
    """Resize a mask to the working size; return the scale factors of x and y too."""
    height, width = mask.shape
    factor = min(1.0, WORKING_PX / max(height, width))
    size = max(round(factor * height), 8), max(round(factor * width), 8)
    wide = F.interpolate(torch.from_numpy(mask).float()[None, None], size=size, mode="area")
    return wide[0, 0].numpy() > 0.5, np.array([size[1] / width, size[0] / height])
