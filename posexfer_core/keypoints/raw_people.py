"""What every keypoint reader needs: untrusted numbers into arrays, and a person by index."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ..errors import KeypointsError
from .layouts import LAYOUTS

FEWEST = 4
"""Keypoints below which no body can be placed."""


class RawPerson(NamedTuple):
    """One person as it was written, layout known."""

    points: ndarray
    """(points, 2 or 3)."""
    names: tuple[str, ...]
    """Of each point; "" for points that are not used."""
    image_size: tuple[int, int] | None = None
    """`(height, width)`, if it was written too."""
    shares: bool = False
    """Coordinates are known to be shares of the image, even those beyond its edges."""


def filled(value: Any) -> bool:
    """Tell a part that was found from None and empty lists."""
    return isinstance(value, list | tuple | ndarray) and len(value) > 0


def triples(value: Any, what: str) -> ndarray:
    """Turn a flat list `x, y, c, x, y, c, ...`, or a list of such rows, into (points, 3)."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise KeypointsError(f"{what} is not a list of numbers: {error}.") from error
    if array.ndim == 1 and array.size % 3 == 0:
        return array.reshape(-1, 3)
    if array.ndim == 2 and array.shape[1] in (2, 3):
        return array
    raise KeypointsError(
        f"{what} has shape {array.shape}, expected x, y and confidence for each point in turn."
    )


def raw_person(
    points: ndarray, image_size: tuple[int, int] | None = None, *, what: str = "The person"
) -> RawPerson:
    """Name the points by how many there are."""
    names = LAYOUTS.get(points.shape[0]) if points.ndim == 2 else None
    if names is None or points.shape[1] not in (2, 3):
        raise KeypointsError(
            f"{what} has keypoints of shape {points.shape}, expected (points, 2) or (points, 3) "
            f"with {', '.join(map(str, sorted(LAYOUTS)))} points (COCO, OpenPose BODY_18, COCO "
            "with feet, BODY_25, COCO-WholeBody)."
        )
    return RawPerson(points, names, image_size)


def person_at(people: Sequence[RawPerson], person: int) -> RawPerson:
    """Pick one person."""
    if not people:
        raise KeypointsError("The keypoints show no person; use an image in which one is found.")
    if not 0 <= person < len(people):
        raise KeypointsError(
            f"Person {person} was asked for, but there are {len(people)}, numbered from 0."
        )
    return people[person]


def check_frame(frame: int, count: int) -> None:
    """Refuse a frame that is not there."""
    if not 0 <= frame < count:
        raise KeypointsError(
            f"Frame {frame} was asked for, but there are {count}, numbered from 0."
        )


def image_size(height: Any, width: Any) -> tuple[int, int] | None:
    """Read an image size if it is one."""
    if all(isinstance(n, int | float) and 1 <= n < 1e6 for n in (height, width)):
        return int(height), int(width)
    return None


def joined(person: RawPerson, points: ndarray, names: Sequence[str]) -> RawPerson:
    """Append keypoints of another part of the body."""
    if len(points) != len(names) or points.shape[1] != person.points.shape[1]:
        return person
    return person._replace(
        points=np.concatenate([person.points, points]), names=person.names + tuple(names)
    )


def mapping_at(data: Any, key: str) -> Mapping[str, Any]:
    """Look up a nested object; an empty one where there is none."""
    value = data.get(key) if isinstance(data, Mapping) else None
    return value if isinstance(value, Mapping) else {}
