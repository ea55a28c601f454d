"""Keypoints as ComfyUI's pose nodes pass them on: `POSE_KEYPOINT`, a list of one dict per frame."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from . import openpose
from .detections import NORMALISED_BELOW, read_keypoints
from .layouts import OPENPOSE18
from .raw_people import RawPerson

Frame = dict[str, Any]
"""People of one image, and the image's width and height in pixels where they are known."""


def load_pose_keypoints(path: str | Path) -> list[Frame]:
    """Read a keypoint file as the frames that a pose detector's node would give.

    What OpenPose or a ComfyUI node wrote passes as it is, hands and face included; people of
    other formats get the 18 points of OpenPose's COCO model, the neck in the middle of the
    shoulders, in pixels where the size of the image is known.

    Raises:
        KeypointsError: the file holds no people that could be read.
    """
    detections = read_keypoints(path)
    if detections.parse is not openpose.read_people:
        return [_frame(detections.people(number)) for number in range(len(detections))]
    for frame in detections.frames:
        openpose.list_people(frame)
    return [dict(frame) for frame in detections.frames]


def _frame(people: list[RawPerson]) -> Frame:
    """Write shares of the image as pixels where its size is known; drop points far outside."""
    size = next((person.image_size for person in people if person.image_size), None)
    placed = []
    for person in people:
        points = person.points.copy()
        if person.shares:
            points[(np.abs(points[:, :2]) > NORMALISED_BELOW).any(1)] = 0.0
            points[:, :2] *= (size[1], size[0]) if size else (1.0, 1.0)
        placed.append(openpose18(person._replace(points=points)))
    return pose_frame(placed, size)


def pose_frame(people: Sequence[Float[ndarray, "18 3"]], size: tuple[int, int] | None) -> Frame:
    """Write people of one image as a frame.

    Args:
        people: x and y in pixels, and confidence, in OpenPose's order; missing points are 0.
        size: `(height, width)` of the image, pixels.
    """
    frame: Frame = {
        "people": [
            {"pose_keypoints_2d": points.astype(float).ravel().tolist()} for points in people
        ]
    }
    if size is not None:
        frame["canvas_height"], frame["canvas_width"] = size
    return frame


def openpose18(person: RawPerson) -> Float[ndarray, "18 3"]:
    """Take OpenPose's 18 points from a person in another layout; confidences become 0 or 1."""
    rows = {
        name: np.append(point[:2], float(point[2] > 0.0) if len(point) > 2 else 1.0)
        for name, point in zip(person.names, person.points, strict=True)
        if name
    }
    left, right = rows.get("l_shoulder"), rows.get("r_shoulder")
    if "neck" not in rows and left is not None and right is not None:
        both = min(left[2], right[2])
        rows["neck"] = np.append((left[:2] + right[:2]) / 2.0, both)
    points = np.array([rows.get(name, np.zeros(3)) for name in OPENPOSE18])
    return points * points[:, 2:]
