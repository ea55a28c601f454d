"""Keypoints as ComfyUI's pose nodes pass them on: `POSE_KEYPOINT`, a list of one dict per frame."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import KeypointsError
from . import coco, mediapipe, openpose
from .keypoints import EXPECTED, NORMALISED_BELOW, read_keypoint_file
from .layouts import OPENPOSE18
from .raw_people import RawPerson

Frame = dict[str, Any]
"""People of one image, and the image's width and height in pixels where they are known."""


def load_pose_keypoints(path: str | Path) -> list[Frame]:
    """Read a keypoint file as the frames that a pose detector's node would give.

    What OpenPose or a ComfyUI node wrote passes as it is, hands and face included; people of a
    COCO file or of MediaPipe get the 18 points of OpenPose's COCO model, the neck in the middle of
    the shoulders.

    Raises:
        KeypointsError: the file holds no people that could be read.
    """
    data = read_keypoint_file(path)
    frames = data if isinstance(data, list) and data else [data]
    if openpose.find_people(frames[0], 0) is not None:
        for frame in frames:
            if openpose.find_people(frame, 0) is None:
                raise KeypointsError(f"A frame of {Path(path).name} has no list of people.")
        return [dict(frame) for frame in frames]
    frames = None if isinstance(data, ndarray) else mediapipe.count_frames(data)
    if frames is not None:
        return [
            _mediapipe_frame(mediapipe.find_people(data, frame) or []) for frame in range(frames)
        ]
    people = None if isinstance(data, ndarray) else coco.find_people(data)
    if people is None:
        raise KeypointsError(f"{Path(path).name} is in no known format: {EXPECTED}.")
    sizes = [person.image_size for person in people if person.image_size]
    return [pose_frame([openpose18(person) for person in people], sizes[0] if sizes else None)]


def _mediapipe_frame(people: list[RawPerson]) -> Frame:
    """Write shares of the image in pixels where its size is known, and leave out what is off."""
    size = people[0].image_size if people else None
    placed = []
    for person in people:
        points = person.points.copy()
        points[(np.abs(points[:, :2]) > NORMALISED_BELOW).any(1) & person.shares] = 0.0
        if size is not None and person.shares:
            points[:, :2] *= (size[1], size[0])
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
    rows: Mapping[str, ndarray] = {
        name: np.append(point[:2], float(point[2] > 0.0) if len(point) > 2 else 1.0)
        for name, point in zip(person.names, person.points, strict=True)
        if name
    }
    left, right = rows.get("l_shoulder"), rows.get("r_shoulder")
    if "neck" not in rows and left is not None and right is not None:
        both = min(left[2], right[2])
        rows = {**rows, "neck": np.append((left[:2] + right[:2]) / 2.0, both)}
    points = np.array([rows.get(name, np.zeros(3)) for name in OPENPOSE18])
    return points * points[:, 2:]
