"""Keypoint files of every format, recognised and read once: frames × people of `Observation`."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import KeypointsError, ParamsError, UnknownKeypointsError
from ..files.containers import describe, read_container
from ..files.folders import numbered_files
from . import arrays, coco, mediapipe, openpose
from .canvas import PixelsPerUnit, pixels_of_canvas, pixels_of_shares
from .joints3d import name_joints
from .keypoints import Keypoints
from .missing import are_missing
from .observation import FrameObservations, Observation
from .raw_people import RawPerson, names_image

logger = logging.getLogger(__name__)

SUFFIXES = (".json", ".npy")
LABEL_SUFFIXES = (".txt",)
"""Of YOLO's labels; beside the others such a file is a note."""
NUMBERED = re.compile(r"(?:frame|image|img|im|picture|photo)[^a-z0-9]*\d+", re.IGNORECASE)
"""Names of frames and images without an end."""
NORMALISED_BELOW = 1.5
"""Coordinates that never exceed this are shares of the image, not pixels."""
LARGEST_PX = 1e6
"""Coordinates beyond this are errors."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Detections:
    """The people that a detector found in each frame; frames are parsed when they are asked for."""

    name: str
    """Of the file or folder, for errors."""
    frames: Sequence[Any]
    """As they are written; the files of a folder."""
    parse: Callable[[Any], list[RawPerson]]
    """Returns the people of one of `frames`."""
    pictures: Sequence[str] = ()
    """As in `RawFrames`."""
    told: set[str] = field(default_factory=set)
    """Warnings that were given."""

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.frames)

    def people(self, frame: int) -> list[RawPerson]:
        """Return the people of a frame, from 0, in the coordinates of the file.

        Raises:
            KeypointsError: there is no such frame, or it cannot be read.
        """
        if not 0 <= frame < len(self):
            raise KeypointsError(
                f"Frame {frame} was asked for, but there are {len(self)} in {self.name}, numbered "
                "from 0."
            )
        try:
            return self.parse(self.frames[frame])
        except KeypointsError as error:
            raise KeypointsError(f"{self.name}: {error}") from error

    def of_images(self, names: Sequence[str]) -> "Detections":
        """Take the frames of images by their file names, or by an id that is in the name.

        Where the file names none of these images, all of its frames are kept.
        """
        rows = {_image_key(name): row for row, name in enumerate(self.pictures)}
        found = [rows.get(_image_key(name)) for name in names]
        if all(row is None for row in found):
            return self
        own = dict(enumerate(self.frames))
        frames = [None if row is None else own.get(row) for row in found]
        return replace(
            self,
            frames=frames,
            parse=lambda frame: [] if frame is None else self.parse(frame),
            pictures=names,
        )

    def observations(
        self,
        frame: int = 0,
        *,
        image_size: tuple[int, int] | None = None,
        focal_px: float | None = None,
    ) -> FrameObservations:
        """Return what is known of everyone in a frame; each frame is parsed once a call.

        Coordinates from 0 to 1 are turned into pixels. When the file has the size of the image
        it was made from and `image_size` differs, the points are scaled to `image_size`.
        MediaPipe's world landmarks become 3D joints.

        Args:
            frame: which frame, from 0.
            image_size: `(height, width)` of the image in pixels; needed when the file does not
                have it.
            focal_px: focal length of the image, pixels; its diagonal when left out.

        Raises:
            KeypointsError: there is no such frame, or it cannot be read.
        """

        def observe(person: RawPerson) -> Observation:
            joints = None
            if person.world is not None and len(person.points):
                joints = name_joints(person.world[:, :3], person.world[:, 3])
            keypoints = _to_pixels(person, image_size or person.image_size, self.told)
            return Observation(
                keypoints=keypoints, joints=joints, focal_px=focal_px, mask=person.mask
            )

        return FrameObservations.of(self.people(frame), observe, name=self.name)

    def observation(
        self,
        person: int = 0,
        frame: int = 0,
        *,
        image_size: tuple[int, int] | None = None,
        focal_px: float | None = None,
    ) -> Observation:
        """Return what is known of one person of a frame, both from 0; as `observations`.

        Raises:
            KeypointsError: there is no such frame or person, or it cannot be used.
        """
        people = self.observations(frame, image_size=image_size, focal_px=focal_px)
        return people.person(person)


def read_keypoints(source: Any) -> Detections:
    """Recognise the format of a file, a folder or a value by its content, and find its frames.

    Args:
        source: a `.json`, `.npy` or `.txt` file; a folder of them, one file a frame in the order of
            the numbers in their names, or one file of all; or what such a file holds: a COCO
            annotation file or detection list, MMPose's or Ultralytics' predictions, an OpenPose
            file, MediaPipe's landmarks, a `POSE_KEYPOINT` value, or an array (points, 2 or 3),
            (people, points, 2 or 3) or (frames, people, points, 2 or 3), or YOLO's labels.

    Raises:
        KeypointsError: nothing readable.
    """
    if not isinstance(source, str | Path):
        return _recognise(source, "the keypoints")
    path = Path(source)
    if not path.is_dir():
        return _recognise(_read_file(path), path.name)
    kinds = {one.suffix.lower() for one in path.glob("*")}
    labels = kinds.isdisjoint(SUFFIXES) and not kinds.isdisjoint(LABEL_SUFFIXES)
    suffixes = LABEL_SUFFIXES if labels else SUFFIXES
    files = numbered_files(path, suffixes, "keypoint files", error=KeypointsError)
    if len(files) == 1:
        return read_keypoints(files[0])
    return Detections(name=path.name, frames=files, parse=_only_frame)


def load_keypoints(
    source: Any,
    *,
    person: int = 0,
    frame: int = 0,
    image_size: tuple[int, int] | None = None,
) -> Keypoints:
    """Read one person's 2D keypoints, in pixels.

    Args:
        source: as in `read_keypoints`.
        person: which of several people, from 0.
        frame: which frame, from 0.
        image_size: as in `Detections.observations`.

    Raises:
        KeypointsError: nothing readable, no such person, or too little to see of it.
    """
    return read_keypoints(source).observation(person, frame, image_size=image_size).keypoints


def _only_frame(path: Path) -> list[RawPerson]:
    """Read one file of a folder."""
    found = read_keypoints(path)
    if len(found) != 1:
        raise KeypointsError(
            f"{path.name} holds {len(found)} frames; in a folder of several files each is one "
            "frame. Give the file itself instead of its folder."
        )
    return found.people(0)


def _read_file(path: Path) -> Any:
    """Return the content of a file."""
    try:
        return read_container(path, expected="a file of keypoints")
    except ParamsError as error:
        raise KeypointsError(str(error)) from error


def _recognise(content: Any, name: str) -> Detections:
    """Tell the formats apart by what only they have; a dict of frames is in its order."""
    if isinstance(content, Mapping) and content and all(map(_names_a_frame, content)):
        found = _recognise(list(content.values()), name)
        if len(found) == len(content):
            return replace(found, pictures=list(map(str, content)))
    nested = isinstance(content, Mapping) and isinstance(content.get("frames"), list)
    if nested and mediapipe.find_frames(content) is None:
        return _recognise(content["frames"], name)
    for find in (arrays.find_frames, openpose.find_frames, mediapipe.find_frames, coco.find_frames):
        try:
            found = find(content)
        except KeypointsError as error:
            raise KeypointsError(f"{name}: {error}") from error
        if found is not None:
            return Detections(
                name=name, frames=found.frames, parse=found.people, pictures=found.pictures
            )
    raise UnknownKeypointsError(
        f"{name} is not recognised as keypoints. It holds {describe(content)[:300]}.",
        "Expected x, y and confidence of each point of people: `keypoints` as COCO has them, "
        "`people` with `pose_keypoints_2d` as OpenPose, or MediaPipe's `pose_landmarks`.",
        "Save them as one of these (docs/estimate.md has examples); a file of a body goes to "
        "--source-params or --target.",
    )


def _names_a_frame(key: Any) -> bool:
    """Tell numbers of frames and names of images from other keys."""
    text = str(key)
    return text.isdecimal() or names_image(text) or NUMBERED.fullmatch(text) is not None


def _image_key(name: str) -> str:
    """Strip folder, suffix and leading zeros from the name of an image."""
    stem = PurePosixPath(name.replace("\\", "/")).stem
    return stem.lstrip("0") or "0" if stem.isdecimal() else stem


def _to_pixels(person: RawPerson, size: tuple[int, int] | None, told: set[str]) -> Keypoints:
    """Convert to pixels of an image of this size, and drop points that are not used.

    Warns of doubts about the size that are not in `told`, and adds them.
    """
    if not len(person.points):
        raise KeypointsError(
            "it has world landmarks alone, which do not say where in the image it is; export the "
            "image landmarks too."
        )
    if size is None:
        raise KeypointsError(
            "the file does not say how large its image is; give the image, or its size."
        )
    xy, confidence = _cleaned(person.points)
    scale = _pixels_per_unit(xy[confidence > 0.0], size, person)
    if scale.doubt and scale.doubt not in told:
        logger.warning(scale.doubt)
        told.add(scale.doubt)
    used = [index for index, name in enumerate(person.names) if name]
    keypoints = Keypoints(
        xy=(xy[used] - scale.origin) * scale.factors,
        confidence=confidence[used],
        names=tuple(person.names[index] for index in used),
        image_size=size,
    )
    _check_inside(keypoints)
    return keypoints


def _check_inside(keypoints: Keypoints) -> None:
    """Refuse somebody whose keypoints all lie outside the image; they are of another one."""
    (height, width), seen = keypoints.image_size, keypoints.xy[keypoints.confidence > 0.0]
    if not ((seen >= 0.0) & (seen <= (width, height))).all(1).any():
        (left, top), (right, bottom) = seen.min(0), seen.max(0)
        raise KeypointsError(
            f"no keypoint lies in the image of {width}x{height} pixels (width x height): they "
            f"reach from ({left:.0f}, {top:.0f}) to ({right:.0f}, {bottom:.0f}). Give the "
            "keypoints of this image at this size."
        )


def _cleaned(
    points: Float[ndarray, "points columns"],
) -> tuple[Float[ndarray, "points 2"], Float[ndarray, " points"]]:
    """Return positions, and confidences from 0 to 1, those of missing points 0.

    COCO's flags 0, 1, 2 become 0, 0.7 (annotated, but hidden) and 1.
    """
    xy = points[:, :2]
    confidence = points[:, 2] if points.shape[1] > 2 else np.ones(len(points))
    usable = ~are_missing(xy) & (np.abs(xy) < LARGEST_PX).all(1) & np.isfinite(confidence)
    known = confidence[usable]
    if np.isin(known, (0.0, 1.0, 2.0)).all() and np.any(known == 2.0):
        confidence = np.where(confidence == 1.0, 0.7, confidence)
    return np.where(usable[:, None], xy, 0.0), np.where(usable, np.clip(confidence, 0.0, 1.0), 0.0)


def _pixels_per_unit(
    seen: Float[ndarray, "seen 2"], size: tuple[int, int], person: RawPerson
) -> PixelsPerUnit:
    """Return what turns a file's coordinates into pixels."""
    if person.shares:
        return pixels_of_shares(seen, None, size)
    if len(seen) and np.abs(seen).max() <= NORMALISED_BELOW:
        return pixels_of_shares(seen, person.image_size, size)
    return pixels_of_canvas(seen, person.image_size or size, size)
