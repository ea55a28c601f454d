"""Keypoints as COCO and COCO-WholeBody write them, and what is built like that.

Read are an annotation file or excerpt (`annotations`, with `image` or `images`), one annotation,
a list of detections, openpose-editor's (`width`, `height`, `keypoints`), MMPose's predictions
(`instance_info`, `instances`) and Ultralytics' (`keypoints` of columns `x`, `y`, `visible`). A
frame is an image: the people of one id or name, or one list of several.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from ..errors import KeypointsError
from .layouts import FEET6, HANDS21, LAYOUTS, OPENPOSE18
from .raw_people import (
    RawFrames,
    RawPerson,
    filled,
    joined,
    names_image,
    part,
    plain_key,
    raw_person,
    triples,
    written_size,
)

LIST_KEYS = ("annotations", "instance_info", "instances")
PART_KEYS = {FEET6: "foot_kpts", HANDS21["l"]: "lefthand_kpts", HANDS21["r"]: "righthand_kpts"}

PICTURE_KEY = re.compile(
    r"((image|img|im|picture|photo|frame|file)"
    r"(id|name|path|file|filename|index|idx|number|num|no|key|uri|url|uuid)?|fname|uri|url"
    r"|timestamp|time)"
)
"""Under which an annotation says what image it is of, without case and underscores."""
CONFIDENCE_KEYS = ("visible", "confidence", "conf", "score", "scores", "visibility")

Sizes = dict[str | None, tuple[int, int] | None]
"""Image id → `(height, width)`; None → that of the first image."""


def find_frames(content: Any) -> RawFrames | None:
    """Return the frames of a file, people in the order written; None if this is another format."""
    entries = _entries(content)
    if entries is None:
        return None
    sizes = _image_sizes(content)
    if any(isinstance(entry, Mapping) and "instances" in entry for entry in entries):
        return RawFrames(entries, partial(_instances, sizes=sizes))
    if entries and all(_is_people(one) for one in entries):
        return RawFrames(entries, partial(_people, sizes=sizes))
    if not all(isinstance(one, Mapping) for one in entries):
        return None
    names = _image_names(content)
    people: dict[str, list[Any]] = {}
    for entry in entries:
        people.setdefault(_picture(entry), []).append(entry)
    order = [*(key for key in names if key in people), *(key for key in people if key not in names)]
    pictures = [
        names.get(key, key) for key in [*order, *(key for key in names if key not in people)]
    ]
    frames = [people[key] for key in order] or [entries]
    return RawFrames(frames, partial(_people, sizes=sizes), pictures if people else ())


def _entries(content: Any) -> Sequence[Any] | None:
    """Find the list of annotations, or of MMPose's frames."""
    if isinstance(content, Mapping) and "keypoints" in content:
        return [content]
    if isinstance(content, Mapping):
        content = next((content[key] for key in LIST_KEYS if key in content), None)
    return content if isinstance(content, list | tuple) else None


def _is_people(entry: Any) -> bool:
    """Recognise the people of one frame in a list of frames."""
    if not isinstance(entry, list | tuple):
        return False
    return all(isinstance(one, Mapping) and "keypoints" in one for one in entry)


def _picture(entry: Mapping[str, Any]) -> str:
    """Return the id or name of the image that an annotation is of.

    COCO's own `image_id` goes before file names, and these before any other number.
    """
    files = [one for one in entry.values() if isinstance(one, str) and names_image(one)]
    others = [value for key, value in entry.items() if _is_picture_key(key)]
    found = [entry.get("image_id"), *files, *others]
    return str(next((one for one in found if isinstance(one, int | float | str)), None))


def _is_picture_key(key: Any) -> bool:
    return PICTURE_KEY.fullmatch(plain_key(key)) is not None


def _field(entry: Any, key: str) -> Any:
    return entry.get(key) if isinstance(entry, Mapping) else None


def _instances(frame: Any, sizes: Sizes) -> list[RawPerson]:
    entries = _field(frame, "instances")
    if not isinstance(entries, list | tuple):
        raise KeypointsError("a frame of MMPose's predictions has no list of 'instances'.")
    return _people(entries, sizes | {None: written_size(frame) or sizes[None]})


def _people(entries: Sequence[Any], sizes: Sizes) -> list[RawPerson]:
    return [
        _person(one, sizes.get(_picture(entry), sizes[None]))
        for entry in map(_with_rows, entries)
        if entry is not None and _has_keypoints(entry)
        for one in _split(entry)
    ]


def _with_rows(entry: Any) -> Mapping[str, Any] | None:
    """Turn keypoints that are written as columns into rows; None where there is no person."""
    points = _field(entry, "keypoints")
    if not isinstance(points, Mapping) or not {"x", "y"} <= points.keys():
        return entry if isinstance(entry, Mapping) else None
    third = next((points[key] for key in CONFIDENCE_KEYS if filled(points.get(key))), None)
    columns = [points["x"], points["y"], *([] if third is None else [third])]
    try:
        return {**entry, "keypoints": list(map(list, zip(*columns, strict=True)))}
    except (TypeError, ValueError) as error:
        raise KeypointsError(f"keypoints has columns of different lengths: {error}.") from error


def _split(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Part the people that openpose-editor writes in one list, 18 points each."""
    points, one = entry["keypoints"], len(OPENPOSE18)
    rows = [len(row) if isinstance(row, list | tuple | ndarray) else 0 for row in points]
    if set(rows) == {one}:
        return [{**entry, "keypoints": person} for person in points]
    if len(rows) % one or len(rows) in LAYOUTS or set(rows) not in ({2}, {3}):
        return [entry]
    return [{**entry, "keypoints": points[i : i + one]} for i in range(0, len(rows), one)]


def _images(content: Any) -> list[Any]:
    listed = _field(content, "images")
    return [_field(content, "image"), *(listed if isinstance(listed, list | tuple) else ())]


def _image_sizes(content: Any) -> Sizes:
    sizes: Sizes = {None: written_size(content)}
    for image in _images(content):
        size = written_size(image)
        sizes[None] = sizes[None] or size
        if isinstance(name := _field(image, "id"), int | str):
            sizes[str(name)] = size
    return sizes


def _image_names(content: Any) -> dict[str, str]:
    """Return the ids of the images that a file lists → their file names."""
    ids = ((_field(image, "id"), _field(image, "file_name")) for image in _images(content))
    return {str(key): str(name or key) for key, name in ids if isinstance(key, int | str)}


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
    body = raw_person(points, _own_size(entry, points) or size)
    parts = {names: part(entry, key) for names, key in PART_KEYS.items()}
    if points.shape[1] == 3 and np.any(points[:, 2] == 2.0):
        parts = {names: _flagged(found) for names, found in parts.items()}
    return joined(body, parts)


def _own_size(entry: Mapping[str, Any], points: ndarray) -> tuple[int, int] | None:
    """Return the size of the image that an annotation has itself, and no box that points leave."""
    size = written_size(entry)
    reach = np.nan_to_num(points[:, :2]).max(initial=0.0)
    return size if size is not None and reach <= max(size) else None


def _flagged(points: ndarray | None) -> ndarray | None:
    """Write scores of hands and feet as COCO's flags of the body, where 2 stands for seen."""
    if points is None or points.shape[1] != 3:
        return points
    return np.c_[points[:, :2], np.where(points[:, 2] > 0.0, 2.0, 0.0)]
