"""The 2D keypoints of one person, under one set of names, in pixels of one image."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import KeypointsError
from ..files.npz import parse_npy
from ..files.pickles import read_bytes
from . import coco, mediapipe, openpose
from .raw_people import FEWEST, RawPerson, check_frame, person_at, raw_person

EXPECTED = (
    "expected COCO-17, COCO-WholeBody, OpenPose BODY_18 or BODY_25, MediaPipe's pose landmarks, or "
    "a ComfyUI POSE_KEYPOINT value"
)
NORMALISED_BELOW = 1.5
"""Coordinates that never exceed this are shares of the image, not pixels."""
MOST_BYTES = 100_000_000
"""Largest file that is read: keypoints of thousands of frames."""
FAINTEST = 0.05
"""Confidence up to which a keypoint counts as not seen."""
LARGEST = 1e6
"""Pixels beyond which a coordinate is taken for an error."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Keypoints:
    """One person's keypoints. Names are those of `layouts`, such as "nose" or "l_big_toe"."""

    xy: Float[ndarray, "points 2"]
    """Pixels of the image, x right, y down."""
    confidence: Float[ndarray, " points"]
    """0 (not seen) to 1."""
    names: tuple[str, ...]
    image_size: tuple[int, int]
    """`(height, width)`, pixels."""

    def __post_init__(self) -> None:
        """Refuse what no body can be fitted to."""
        seen = self.confidence > 0.0
        if not seen.any():
            raise KeypointsError(
                "The person has no keypoint with a confidence above zero; check the detector's "
                "threshold, or pick another person."
            )
        if seen.sum() < FEWEST or np.ptp(self.xy[seen], axis=0).max() < 2.0:
            raise KeypointsError(
                f"The person has {int(seen.sum())} visible keypoints of use, within "
                f"{np.ptp(self.xy[seen], axis=0).max():.0f} px; a fit needs at least {FEWEST}, "
                "apart from each other. Pick another person, or an image that shows more of it."
            )

    def only(self, names: Sequence[str]) -> "Keypoints":
        """Keep the named keypoints, in the order of `names`."""
        index = [self.names.index(name) for name in names]
        return replace(
            self, xy=self.xy[index], confidence=self.confidence[index], names=tuple(names)
        )


def load_keypoints(
    source: str | Path | Mapping[str, Any] | Sequence[Any] | ndarray,
    *,
    person: int = 0,
    frame: int = 0,
    image_size: tuple[int, int] | None = None,
) -> Keypoints:
    """Read one person's keypoints, whatever wrote them; the layout is told from the content.

    Coordinates from 0 to 1 are turned into pixels. When the file knows the size of the image
    it was made from and `image_size` differs, the points are scaled to `image_size`.

    Args:
        source: a `.json` or `.npy` file, or what such a file holds: a COCO annotation file or
            detection list, an OpenPose file, MediaPipe's landmarks, a `POSE_KEYPOINT` value, or
            an array (points, 2 or 3), (persons, points, 2 or 3) or (frames, persons, points, 2
            or 3).
        person: which of several people, from 0.
        frame: which frame, from 0, where `count_frames` finds several.
        image_size: `(height, width)` of the image in pixels; needed when `source` does not
            say it.

    Raises:
        KeypointsError: nothing readable, no such person, or nothing to see of it.
    """
    data = read_keypoint_file(source) if isinstance(source, str | Path) else source
    raw = person_at(_people(data, frame), person)
    size = image_size or raw.image_size
    if size is None:
        raise KeypointsError(
            "The keypoints do not say how large their image is; give the image, or its size."
        )
    xy, confidence = _cleaned(raw.points)
    xy = xy * _pixels_per_unit(xy[confidence > 0.0], size, raw)
    used = [index for index, name in enumerate(raw.names) if name]
    return Keypoints(
        xy=xy[used],
        confidence=confidence[used],
        names=tuple(raw.names[index] for index in used),
        image_size=size,
    )


def read_keypoint_file(path: str | Path) -> Any:
    """Read what a `.json` or `.npy` file holds, whatever it means.

    Raises:
        KeypointsError: it is no such file, or too large.
    """
    path = Path(path)
    data = read_bytes(path, error=KeypointsError)
    if len(data) > MOST_BYTES:
        raise KeypointsError(
            f"{path.name} has {len(data):,} bytes; at most {MOST_BYTES:,} are read."
        )
    if path.suffix.lower() == ".npy":
        array = parse_npy(data, path.name, error=KeypointsError)
        if not isinstance(array, ndarray):
            raise KeypointsError(f"{path.name} holds objects, no numbers; {EXPECTED}.")
        return array
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise KeypointsError(
            f"{path.name} does not hold keypoints: {error or 'nested too deep'}; {EXPECTED}, as "
            ".json or .npy."
        ) from error


def count_frames(data: Any) -> int:
    """Count the frames of what a keypoint file holds: 1 where the format knows no frames."""
    if isinstance(data, ndarray):
        return len(data) if data.ndim == 4 else 1
    if _is_number_list(data):
        return 1
    if isinstance(data, list | tuple) and openpose.find_people(data, 0) is not None:
        return len(data)
    return mediapipe.count_frames(data) or coco.count_frames(data)


def count_people(data: Any, frame: int) -> int:
    """Count the people in a frame of what a keypoint file holds.

    Raises:
        KeypointsError: nothing readable, or no such frame.
    """
    return len(_people(data, frame))


def _people(data: Any, frame: int) -> Sequence[RawPerson]:
    """Tell the formats apart by what only they have."""
    if isinstance(data, ndarray) or _is_number_list(data):
        return _from_array(data, frame)
    for find in (openpose.find_people, mediapipe.find_people, coco.find_people):
        found = find(data, frame)
        if found is not None:
            return found
    raise KeypointsError(f"The keypoints are in no known format: {EXPECTED}.")


def _is_number_list(data: Any) -> bool:
    """Look down the first elements of nested lists."""
    for _ in range(4):
        if isinstance(data, int | float):
            return True
        if not isinstance(data, list | tuple) or not data:
            return False
        data = data[0]
    return False


def _from_array(data: Any, frame: int) -> list[RawPerson]:
    try:
        array = np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise KeypointsError(f"The keypoint array is ragged or not of numbers: {error}.") from error
    if array.ndim == 4:
        check_frame(frame, len(array))
        array = array[frame]
    people = array if array.ndim == 3 else array[None]
    if not len(people):
        raise KeypointsError("The keypoint array holds no person; pick another image.")
    return [raw_person(one) for one in people]


def _cleaned(points: ndarray) -> tuple[ndarray, ndarray]:
    """Split off confidences from 0 to 1; points at the very origin count as missing.

    COCO's flags 0, 1, 2 become 0, 0.7 (marked, but hidden) and 1.
    """
    xy = points[:, :2]
    confidence = points[:, 2] if points.shape[1] > 2 else np.ones(len(points))
    usable = np.isfinite(xy).all(1) & (np.abs(xy) < LARGEST).all(1) & np.isfinite(confidence)
    usable &= np.any(xy != 0.0, axis=1)
    known = confidence[usable]
    if np.isin(known, (0.0, 1.0, 2.0)).all() and np.any(known == 2.0):
        confidence = np.where(confidence == 1.0, 0.7, confidence)
    return np.where(usable[:, None], xy, 0.0), np.where(usable, np.clip(confidence, 0.0, 1.0), 0.0)


def _pixels_per_unit(seen: ndarray, size: tuple[int, int], raw: RawPerson) -> Float[ndarray, " 2"]:
    if raw.shares or (len(seen) and np.abs(seen).max() <= NORMALISED_BELOW):
        return np.array([size[1], size[0]], dtype=float)
    if raw.image_size is None:
        return np.ones(2)
    return np.array([size[1] / raw.image_size[1], size[0] / raw.image_size[0]])
