"""MediaPipe's 33 landmarks of one person, as objects, rows, or by name."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from .keypoints import FEWEST
from .layouts import MEDIAPIPE_NAMES

POINTS = len(MEDIAPIPE_NAMES)
LARGEST = 1e9
"""Larger numbers count as missing."""
_CONFIDENCE_KEYS = ("visibility", "presence", "score", "confidence", "likelihood")

Row = tuple[float, float, float, float]
MISSING: Row = (0.0, 0.0, 0.0, 0.0)


def plain(key: Any) -> str:
    """Spell a key without underscores, spaces and capitals."""
    return str(key).replace("_", "").replace(" ", "").replace("-", "").lower()


_INDEX = {plain(name): index for index, name in enumerate(MEDIAPIPE_NAMES)} | {
    str(index): index for index in range(POINTS)
}


def landmark_points(value: Any) -> Float[ndarray, "33 4"] | None:
    """Read x, y, z and confidence of every landmark; None if this is something else.

    Landmarks that are missing or not finite have a confidence of 0.
    """
    if isinstance(value, Mapping):
        if len(value) <= 2 and isinstance(inner := value.get("landmark"), list):
            return landmark_points(inner)  # protobuf
        return _by_name({plain(key): point for key, point in value.items()})
    if not isinstance(value, list | tuple) or not value:
        return None
    if len(value) == POINTS:
        rows = [_row(point) for point in value]
        known = [row for row in rows if row is not None]
        return np.array(known) if len(known) == POINTS and any(map(any, known)) else None
    named = [point for point in value if isinstance(point, Mapping) and "name" in point]
    if len(named) != len(value) or len(value) > POINTS:
        return None
    return _by_name({plain(point["name"]): point for point in named})


def _by_name(points: Mapping[str, Any]) -> Float[ndarray, "33 4"] | None:
    """Order landmarks that are given by name or number."""
    found = {_INDEX[key]: _row(point) for key, point in points.items() if key in _INDEX}
    rows = {index: row for index, row in found.items() if row is not None}
    if len(rows) < FEWEST:
        return None
    return np.array([rows.get(index, MISSING) for index in range(POINTS)])


def _row(point: Any) -> Row | None:
    """Read one landmark; None if it is none."""
    if point is None:
        return MISSING
    if isinstance(point, Mapping):
        if "x" not in point or "y" not in point:
            return None
        scores = (point[key] for key in _CONFIDENCE_KEYS if _is_number(point.get(key)))
        values = [point["x"], point["y"], point.get("z", 0.0), next(scores, 1.0)]
    elif isinstance(point, list | tuple) and 2 <= len(point) <= 5:
        values = [*point[:4], *(0.0, 1.0)[len(point) - 2 :]] if len(point) < 4 else point[:4]
    else:
        return None
    if not all(value is None or isinstance(value, int | float) for value in values):
        return None
    if not all(_is_number(value) for value in values):
        return MISSING
    x, y, z, confidence = (float(value) for value in values)
    return (x, y, z, min(max(confidence, 0.0), 1.0))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < LARGEST
