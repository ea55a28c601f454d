"""Keypoints as COCO and COCO-WholeBody write them: annotation files and lists of detections."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from .layouts import FEET6, HAND21
from .raw_people import (
    RawPerson,
    check_frame,
    filled,
    image_size,
    joined,
    mapping_at,
    raw_person,
    triples,
)

ONLY = ""
HANDS = {"l": "lefthand_kpts", "r": "righthand_kpts"}


def find_people(data: Any, frame: int = 0) -> list[RawPerson] | None:
    """Return all people with keypoints, in the order written; None if this is another format.

    Taken are an annotation file or excerpt (`annotations`, with `image` or `images`), one
    annotation, a list of detections, and MMPose's predictions (`instance_info`, `instances`),
    which alone know frames.
    """
    sizes = _image_sizes(data)
    frames = _mmpose_frames(data)
    if len(frames) > 1:
        check_frame(frame, len(frames))
        data = frames[frame]
    entries = _entries(data)
    if entries is None:
        return None
    return [
        _person(entry, sizes.get(str(entry.get("image_id")), sizes[ONLY]))
        for entry in entries
        if isinstance(entry, Mapping) and _has_keypoints(entry)
    ]


def count_frames(data: Any) -> int:
    """Count the frames of MMPose's predictions; 1 for every other format."""
    return max(len(_mmpose_frames(data)), 1)


def _mmpose_frames(data: Any) -> list[Any]:
    """List the frames of MMPose's predictions over a video."""
    if isinstance(data, Mapping):
        data = data.get("instance_info")
    if not isinstance(data, list | tuple):
        return []
    frames = [one for one in data if isinstance(one, Mapping) and "instances" in one]
    return frames if len(frames) == len(data) else []


def _entries(data: Any) -> list[Any] | None:
    """Find the list of annotations."""
    if isinstance(data, Mapping):
        if "keypoints" in data:
            return [data]
        nested = next(
            (data[key] for key in ("annotations", "instance_info", "instances") if key in data),
            None,
        )
        return _entries(nested) if isinstance(nested, list | tuple) else None
    if not isinstance(data, list | tuple):
        return None
    if data and isinstance(data[0], Mapping) and isinstance(data[0].get("instances"), list):
        return list(data[0]["instances"])  # MMPose: a list of frames
    return list(data) if all(isinstance(entry, Mapping) for entry in data) else None


def _image_sizes(data: Any) -> dict[str, tuple[int, int] | None]:
    """Map image ids to sizes; ONLY stands for the only image."""
    single = mapping_at(data, "image")
    sizes = {ONLY: image_size(single.get("height"), single.get("width"))}
    images = data.get("images") if isinstance(data, Mapping) else None
    for image in images if isinstance(images, list | tuple) else ():
        if isinstance(image, Mapping) and isinstance(image.get("id"), int | str):
            size = image_size(image.get("height"), image.get("width"))
            sizes[str(image["id"])] = size
            sizes[ONLY] = sizes[ONLY] or size
    return sizes


def _has_keypoints(entry: Mapping[str, Any]) -> bool:
    """Skip crowds and people that were boxed only."""
    points = entry.get("keypoints")
    return filled(points) and bool(np.any(np.asarray(points, dtype=object) != 0))


def _person(entry: Mapping[str, Any], size: tuple[int, int] | None) -> RawPerson:
    points = triples(entry["keypoints"], "keypoints")
    scores = entry.get("keypoint_scores")
    if points.shape[1] == 2 and isinstance(scores, list | tuple) and len(scores) == len(points):
        scores = triples([[score, 0.0, 0.0] for score in scores], "keypoint_scores")[:, :1]
        points = np.concatenate([points, scores], axis=1)
    raw = raw_person(points, size)
    if filled(feet := entry.get("foot_kpts")):
        raw = joined(raw, _flagged(triples(feet, "foot_kpts"), raw), FEET6)
    for side, key in HANDS.items():
        if filled(entry.get(key)):
            names = [f"{side}_{name}" if name else "" for name in HAND21]
            raw = joined(raw, _flagged(triples(entry[key], key), raw), names)
    return raw


def _flagged(points: ndarray, raw: RawPerson) -> ndarray:
    """Write the scores of hands and feet on the body's scale, where 2 stands for seen."""
    if raw.points.shape[1] == 3 and points.shape[1] == 3 and np.any(raw.points[:, 2] == 2.0):
        return np.c_[points[:, :2], np.where(points[:, 2] > 0.0, 2.0, 0.0)]
    return points
