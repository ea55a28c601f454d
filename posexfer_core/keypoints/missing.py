"""What tools write for a point that is not there: null, NaN, zeros, -1, or any value again."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

REPEATED = 4
"""Points at exactly one place from which that place is a marker: detections never agree so."""
LARGEST_INTEGERS = (2.0**15 - 1.0, 2.0**16 - 1.0)
"""Of 16 bits; no image is as large."""


def number_array(value: Any) -> Float[ndarray, "..."]:
    """Turn nested lists of numbers into an array; null, for a number or a whole point, is NaN.

    Raises:
        TypeError, ValueError, OverflowError: lists of several lengths, or no numbers.
    """
    return np.asarray(_without_nulls(value), dtype=np.float64)


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, list | tuple) or not any(
        one is None or isinstance(one, list | tuple) for one in value
    ):
        return value
    parts = [None if one is None else _without_nulls(one) for one in value]
    like = next((one for one in parts if isinstance(one, list | tuple | ndarray)), None)
    if like is None:
        return [np.nan if one is None else one for one in parts]
    missing = np.full(np.shape(like), np.nan).tolist()
    return [missing if one is None else one for one in parts]


def are_missing(points: Float[ndarray, "points axes"]) -> Bool[ndarray, " points"]:
    """Tell points that are markers: not finite, the origin, one such number, or repeated.

    Such numbers are negative, or the largest of 16 bits.
    In space one point may be the origin.

    Args:
        points: coordinates of one person's points, in the image or in space.
    """
    finite = np.asarray(np.isfinite(points).all(1))
    places = np.where(finite[:, None], points, 0.0)
    _, row, counts = np.unique(places, axis=0, return_inverse=True, return_counts=True)
    repeated = np.asarray((counts >= REPEATED) & (counts <= len(points) / 2))
    zero = (places == 0.0).all(1)
    if points.shape[1] == 3 and (zero & finite).sum() == 1:
        zero &= ~finite
    first, alike = places[:, 0], (places == places[:, :1]).all(1)
    marked = alike & ((first < 0.0) | np.isin(first, LARGEST_INTEGERS))
    return ~finite | zero | marked | repeated[row.reshape(-1)]
