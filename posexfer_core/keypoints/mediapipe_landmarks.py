"""MediaPipe's 33 landmarks of one person, however they are written down."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from .raw_people import FEWEST

_SIDED = ("shoulder", "elbow", "wrist", "pinky", "index", "thumb", "hip", "knee", "ankle", "heel")
NAMES = (
    "nose",
    *(f"{side}eye{part}" for side in ("left", "right") for part in ("inner", "", "outer")),
    *("leftear", "rightear", "mouthleft", "mouthright"),
    *(f"{side}{part}" for part in (*_SIDED, "footindex") for side in ("left", "right")),
)
"""Without underscores, lower case, in MediaPipe's order."""
POINTS = len(NAMES)
LEFT_HIP, RIGHT_HIP = NAMES.index("lefthip"), NAMES.index("righthip")
_INDEX = {name: index for index, name in enumerate(NAMES)} | {str(i): i for i in range(POINTS)}
_CONFIDENCE = ("visibility", "presence", "score", "confidence", "likelihood")
_LARGEST = 1e9

Row = tuple[float, float, float, float]


def landmark_points(value: Any) -> Float[ndarray, "33 4"] | None:
    """Read x, y, z and confidence of every point; None if this is something else.

    Points that are missing or not finite have a confidence of 0.
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
        return np.array(known) if len(known) == POINTS and np.any(known) else None
    named = [point for point in value if isinstance(point, Mapping) and "name" in point]
    if len(named) != len(value) or len(value) > POINTS:
        return None
    return _by_name({plain(point["name"]): point for point in named})


def plain(key: Any) -> str:
    """Spell a key without underscores, spaces and capitals."""
    return str(key).replace("_", "").replace(" ", "").replace("-", "").lower()


def _by_name(points: Mapping[str, Any]) -> ndarray | None:
    """Place points by their names or numbers."""
    found = {_INDEX[key]: _row(point) for key, point in points.items() if key in _INDEX}
    rows = {index: row for index, row in found.items() if row is not None}
    if len(rows) < FEWEST:
        return None
    return np.array([rows.get(index, (0.0, 0.0, 0.0, 0.0)) for index in range(POINTS)])


def _row(point: Any) -> Row | None:
    """Read one point; None if it is none."""
    if point is None:
        return (0.0, 0.0, 0.0, 0.0)
    if isinstance(point, Mapping):
        if "x" not in point or "y" not in point:
            return None
        trust = next((point[key] for key in _CONFIDENCE if _is_number(point.get(key))), 1.0)
        values = [point["x"], point["y"], point.get("z", 0.0), trust]
    elif isinstance(point, list | tuple) and 2 <= len(point) <= 5:
        values = [*point[:4], *(0.0, 1.0)[len(point) - 2 :]] if len(point) < 4 else point[:4]
    else:
        return None
    if not all(value is None or isinstance(value, int | float) for value in values):
        return None
    if not all(_is_number(value) for value in values):
        return (0.0, 0.0, 0.0, 0.0)
    x, y, z, trust = (float(value) for value in values)
    return (x, y, z, min(max(trust, 0.0), 1.0))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < _LARGEST
