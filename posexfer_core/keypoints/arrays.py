"""Keypoints as plain arrays or nested lists of numbers, and as rows of YOLO's pose labels."""

from typing import Any

from jaxtyping import Float
from numpy import ndarray

from ..errors import KeypointsError
from .layouts import COCO17
from .missing import number_array
from .raw_people import RawFrames, raw_person

BOX = 5
YOLO_COLUMNS = [BOX + 2 * len(COCO17), *(BOX + 3 * len(COCO17) + more for more in range(3))]
"""Of YOLO's pose labels, with a box's confidence and a track id or without."""


def find_frames(content: Any) -> RawFrames | None:
    """Return the frames of an array or of nested lists of numbers; None if this is neither."""
    if not isinstance(content, ndarray) and not _is_number_list(content):
        return None
    try:
        array = number_array(content)
    except (TypeError, ValueError, OverflowError) as error:
        raise KeypointsError(f"the array is ragged or not of numbers: {error}.") from error
    if not array.ndim:
        raise KeypointsError("the array is a single number.")
    if array.ndim == 2 and array.shape[1] in YOLO_COLUMNS:
        array = _of_yolo(array)
    frames = list(array) if array.ndim == 4 else [array if array.ndim == 3 else array[None]]
    if not len(frames):
        raise KeypointsError(f"an array of shape {array.shape} holds no frame.")
    return RawFrames(frames, lambda people: [raw_person(one) for one in people])


def _of_yolo(rows: Float[ndarray, "people columns"]) -> Float[ndarray, "people points numbers"]:
    """Take the points out of labels: class, box, x and y (and visibility) of each, more behind."""
    columns = 2 if rows.shape[1] < BOX + 3 * len(COCO17) else 3
    points = rows[:, BOX : BOX + columns * len(COCO17)]
    return points.reshape(len(rows), len(COCO17), columns)


def _is_number_list(content: Any) -> bool:
    """Look at the first elements of nested lists."""
    for _ in range(5):
        if isinstance(content, int | float):
            return True
        if not isinstance(content, list | tuple) or not content:
            return False
        content = next((one for one in content if one is not None), None)
    return False
