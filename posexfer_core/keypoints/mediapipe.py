"""Pose landmarks as people dump what MediaPipe found: image landmarks, world landmarks, or both.

MediaPipe has no file format of its own. Read are its results as Python (`pose_landmarks`,
`pose_world_landmarks`), JavaScript (`landmarks`, `worldLandmarks`, `poseLandmarks`) and protobuf
(`landmark`) name them, in any case of letters; one person or a list of them; one frame, a list of
frames, frames by number, or under `frames`; points as objects, rows, or by name.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from .joints3d import MEDIAPIPE33, Joints3D, name_joints
from .mediapipe_landmarks import LEFT_HIP, POINTS, RIGHT_HIP, landmark_points, plain
from .raw_people import RawPerson, check_frame, image_size

IMAGE_KEYS = (
    *("poselandmarks", "normalizedlandmarks", "imagelandmarks", "landmarks", "landmark"),
    *("keypoints", "pose"),
)
WORLD_KEYS = ("poseworldlandmarks", "worldlandmarks", "landmarks3d", "keypoints3d", "world")
PEOPLE_KEYS = ("poses", "people", "persons", "pose", "posedata", "result")
FRAMES_KEYS = ("frames", "results", "data", "sequence", "landmarkshistory")
SIZE_KEYS = ("imagesize", "videosize", "size", "shape", "videoinfo", "videometa", "metadata")
WIDTH_KEYS = ("width", "imagewidth", "videowidth", "framewidth", "imagew")
HEIGHT_KEYS = ("height", "imageheight", "videoheight", "frameheight", "imageh")
CENTRED_M = 0.02
"""World landmarks have their origin between the hips."""
SHARES_BELOW = 1.5
"""Most image landmarks are shares of the image below this; those out of it may lie beyond."""
DEEPEST = 3


class Detection(NamedTuple):
    """One person in one frame; x, y, z and confidence of 33 points each."""

    image: Float[ndarray, "33 4"] | None
    world: Float[ndarray, "33 4"] | None
    """Metres; x right, y down, z away from the camera."""
    image_size: tuple[int, int] | None


def count_frames(data: Any) -> int | None:
    """Count the frames, or return None if this is another format."""
    raw = _raw_frames(data)
    return len(raw) if any(_people(frame, None) is not None for frame in raw) else None


def find_people(data: Any, frame: int) -> list[RawPerson] | None:
    """Return the people of one frame who have image landmarks; None if this is another format."""
    found = find_detections(data, frame)
    if found is None:
        return None
    return [_raw_person(one) for one in found if one.image is not None]


def find_joints(data: Any, frame: int) -> list[Joints3D | None] | None:
    """Return everyone's world landmarks, in the order of `find_people`; None: another format.

    When nobody has image landmarks, everyone with world landmarks is there.
    """
    found = find_detections(data, frame)
    if found is None:
        return None
    shown = [one for one in found if one.image is not None] or found
    return [
        None if one.world is None else name_joints(one.world[:, :3], one.world[:, 3])
        for one in shown
    ]


def find_detections(data: Any, frame: int) -> list[Detection] | None:
    """Return what is known of the people of one frame, or None if this is another format."""
    count = count_frames(data)
    if count is None:
        return None
    check_frame(frame, count)
    size = _size(data) if isinstance(data, Mapping) else None
    return _people(_raw_frames(data)[frame], size) or []


def _raw_person(found: Detection) -> RawPerson:
    assert found.image is not None
    points = found.image[:, [0, 1, 3]]
    known = points[points[:, 2] > 0.0]
    shares = len(known) > 0 and float(np.median(np.abs(known[:, :2]))) <= SHARES_BELOW
    return RawPerson(points, MEDIAPIPE33, found.image_size, shares=shares)


def _raw_frames(data: Any) -> list[Any]:
    """List the frames as they are written; something that is none is one frame."""
    if landmark_points(data) is not None:
        return [data]
    if isinstance(data, list):
        return data
    if not isinstance(data, Mapping):
        return []
    keys = {plain(key): value for key, value in data.items()}
    nested = next((keys[key] for key in FRAMES_KEYS if isinstance(keys.get(key), list)), None)
    if nested is not None:
        return nested
    if keys and all(key.isdecimal() and len(key) < 10 for key in keys):
        return [keys[key] for key in sorted(keys, key=int)]
    return [data]


def _people(frame: Any, size: tuple[int, int] | None, depth: int = 0) -> list[Detection] | None:
    """Read the people of one frame; None if nothing in it looks like landmarks."""
    points = landmark_points(frame)
    if points is not None:
        return [_detection(points, None, size)]
    if not isinstance(frame, Mapping) or depth > DEEPEST:
        return None
    size = _size(frame) or size
    keys = {plain(key): value for key, value in frame.items()}
    image = _landmarks(keys, IMAGE_KEYS)
    world = _landmarks(keys, WORLD_KEYS)
    if image is not None or world is not None:
        return list(_paired(image or [], world or [], size))
    for key in PEOPLE_KEYS:
        value = keys.get(key)
        entries = value if isinstance(value, list) else [value]
        found = [_people(entry, size, depth + 1) for entry in entries]
        if any(people is not None for people in found):
            return [one for people in found for one in people or []]
    return None


def _paired(
    image: list[ndarray], world: list[ndarray], size: tuple[int, int] | None
) -> Iterator[Detection]:
    for index in range(max(len(image), len(world))):
        yield _detection(
            image[index] if index < len(image) else None,
            world[index] if index < len(world) else None,
            size,
        )


def _detection(
    image: ndarray | None, world: ndarray | None, size: tuple[int, int] | None
) -> Detection:
    """Tell world landmarks from image landmarks where the file has one kind alone."""
    if image is not None and world is None and _is_centred(image):
        return Detection(None, image, size)
    return Detection(image, world, size)


def _is_centred(points: Float[ndarray, "33 4"]) -> bool:
    hips = points[[LEFT_HIP, RIGHT_HIP]]
    middle = np.abs(hips[:, :2].mean(0)).max()
    return bool(hips[:, 3].min() > 0.0 and middle < CENTRED_M)


def _landmarks(keys: Mapping[str, Any], names: tuple[str, ...]) -> list[ndarray] | None:
    """Read the landmarks of everyone under the first of some keys that holds such."""
    for name in names:
        if name not in keys:
            continue
        value = keys[name]
        points = landmark_points(value)
        if points is not None:
            return [points]
        if value is None or (isinstance(value, list | Mapping) and not value):
            if name.endswith("landmarks"):
                return []  # nobody was found
        elif isinstance(value, list):
            people = [landmark_points(one) for one in value[: 10 * POINTS]]
            if all(one is not None for one in people):
                return [one for one in people if one is not None]
    return None


def _size(data: Mapping[str, Any]) -> tuple[int, int] | None:
    """Find the image's height and width, beside the landmarks or one level down."""
    keys = {plain(key): value for key, value in data.items()}
    width, height = (
        next((keys[key] for key in names if key in keys), None)
        for names in (WIDTH_KEYS, HEIGHT_KEYS)
    )
    size = image_size(height, width)
    for key in SIZE_KEYS:
        nested = keys.get(key)
        if size is None and isinstance(nested, Mapping):
            inner = {plain(name): value for name, value in nested.items()}
            size = image_size(inner.get("height"), inner.get("width"))
    return size
