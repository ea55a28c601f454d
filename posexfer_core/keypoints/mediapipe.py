"""MediaPipe's pose landmarks in JSON: image landmarks, world landmarks, or both.

MediaPipe has no file format of its own. Read are its results as Python (`pose_landmarks`,
`pose_world_landmarks`), JavaScript (`landmarks`, `worldLandmarks`, `poseLandmarks`) and protobuf
(`landmark`) name them, in any case of letters; one person or a list of them; one frame, a list of
frames, frames by number, or under `frames`; points as objects, rows, or by name.
"""

from collections.abc import Mapping
from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from .layouts import MEDIAPIPE33
from .mediapipe_landmarks import POINTS, landmark_points, plain
from .raw_people import RawFrames, RawPerson, image_size

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
HIPS = [MEDIAPIPE33.index("l_hip"), MEDIAPIPE33.index("r_hip")]
CENTRED_M = 0.02
"""World landmarks have their origin between the hips, to within this."""
SHARES_BELOW = 1.5
"""Image landmarks whose median coordinate is below this are shares of the image, not pixels."""
DEEPEST = 3
"""Levels of nesting in which people are looked for."""

Size = tuple[int, int] | None


def find_frames(content: Any) -> RawFrames | None:
    """Return the frames of a file; None if this is another format."""
    frames = _frames(content)
    if not any(_find_people(frame, None) is not None for frame in frames):
        return None
    size = _size(content) if isinstance(content, Mapping) else None
    return RawFrames(frames, partial(_people, size=size))


def _people(frame: Any, size: Size) -> list[RawPerson]:
    """List those with image landmarks; where nobody has such, those with world landmarks."""
    found = _find_people(frame, size) or []
    return [person for person in found if len(person.points)] or found


def _frames(content: Any) -> list[Any]:
    """List the frames as they are written; content without frames is one frame."""
    if landmark_points(content) is not None:
        return [content]
    if isinstance(content, list):
        return content
    if not isinstance(content, Mapping):
        return []
    keys = {plain(key): value for key, value in content.items()}
    nested = next((keys[key] for key in FRAMES_KEYS if isinstance(keys.get(key), list)), None)
    if nested is not None:
        return nested
    if keys and all(key.isdecimal() and len(key) < 10 for key in keys):
        return [keys[key] for key in sorted(keys, key=int)]
    return [content]


def _find_people(frame: Any, size: Size, depth: int = 0) -> list[RawPerson] | None:
    """Read the people of one frame; None if nothing in it looks like landmarks."""
    points = landmark_points(frame)
    if points is not None:
        return [_person(points, None, size)]
    if not isinstance(frame, Mapping) or depth > DEEPEST:
        return None
    size = _size(frame) or size
    keys = {plain(key): value for key, value in frame.items()}
    image, world = _landmarks(keys, IMAGE_KEYS), _landmarks(keys, WORLD_KEYS)
    if image is not None or world is not None:
        return [_person(*both, size) for both in zip_longest(image or [], world or [])]
    for key in PEOPLE_KEYS:
        value = keys.get(key)
        entries = value if isinstance(value, list) else [value]
        found = [_find_people(entry, size, depth + 1) for entry in entries]
        if any(people is not None for people in found):
            return [one for people in found for one in people or []]
    return None


def _person(image: ndarray | None, world: ndarray | None, size: Size) -> RawPerson:
    """Pair landmarks; a file's only kind may be world landmarks under a name of image landmarks."""
    if image is not None and world is None and _is_centred(image):
        image, world = None, image
    if image is None:
        return RawPerson(np.zeros((0, 3)), (), size, world=world)
    points = image[:, [0, 1, 3]]
    known = points[points[:, 2] > 0.0]
    shares = len(known) > 0 and float(np.median(np.abs(known[:, :2]))) <= SHARES_BELOW
    return RawPerson(points, MEDIAPIPE33, size, shares, world)


def _is_centred(points: Float[ndarray, "33 4"]) -> bool:
    hips = points[HIPS]
    return bool(hips[:, 3].min() > 0.0 and np.abs(hips[:, :2].mean(0)).max() < CENTRED_M)


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


def _size(content: Mapping[str, Any]) -> Size:
    """Find the image's height and width, beside the landmarks or one level down."""
    keys = {plain(key): value for key, value in content.items()}
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
