"""3D joints of people over frames, from the files of estimators that give no SMPL body."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import KeypointsError, ParamsError
from ..files.containers import read_container
from ..geometry.camera import default_focal_px
from . import mediapipe
from .joints3d import FARTHEST_M, Joints3D, name_joints, standing_axis
from .keypoints import Keypoints
from .layouts import LAYOUTS_3D
from .missing import are_missing
from .observation import FrameObservations, Observation
from .raw_people import RawPerson
from .rig_joints import (
    MHR_KEYS,
    NLF_KEY,
    RawJoints,
    is_mhr,
    is_nlf,
    mhr_frames,
    mhr_person,
    nlf_focal_px,
    nlf_frames,
)

ARRAY_KEYS = (
    *("pred_keypoints_3d", "joints3d", "joints_3d", "keypoints_3d", "keypoints3d"),
    *("pose_world_landmarks", "world_landmarks", "joints", "arr_0"),
)
"""Names under which plain arrays of joints are looked for, first one first."""
MILLIMETRES_FROM = 100.0
"""People do not span so many metres."""
NEAREST_M = 0.1
"""Joints nearer to the camera plane are not in the camera's frame."""
MOST_PX = 1e9
"""Larger focal lengths are errors."""


@dataclass(frozen=True, kw_only=True, eq=False)
class JointFrames:
    """The 3D joints of the people in each frame; people are parsed when they are asked for."""

    name: str
    """Of the file, for errors."""
    frames: Sequence[Any]
    """As they are written."""
    people: Callable[[Any], Sequence[Any]] = list
    """Returns the people of one of `frames`, as they are written."""
    read: Callable[[Any], RawJoints]
    """Returns the joints of one of these people."""
    focal_px: Callable[[tuple[int, int]], float] = default_focal_px
    """What the tool assumes for an image of some height and width."""

    @classmethod
    def of_mhr(cls, content: Any, name: str) -> "JointFrames":
        """Wrap what SAM 3D Body gives, such as an MHR_POSE_DATA value."""
        return cls(name=name, frames=mhr_frames(content), read=mhr_person)

    @classmethod
    def of_nlf(cls, content: Any, name: str) -> "JointFrames":
        """Wrap NLF's free joints, in metres or millimetres."""
        frames = [to_metres(frame) for frame in nlf_frames(content, name)]
        return cls(name=name, frames=frames, read=array_person, focal_px=nlf_focal_px)

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.frames)

    def joints(self, frame: int, person: int) -> Joints3D:
        """Return the joints of one person, for whom keypoints are known as well.

        Raises:
            KeypointsError: there is no such person, or it has too few joints.
        """
        people = self.people(self.frames[frame])
        if person >= len(people):
            raise KeypointsError(
                f"person {person} was asked for, but there are {len(people)} in {self.name}, "
                "numbered from 0."
            )
        try:
            raw = self.read(people[person])
            return name_joints(raw.xyz, raw.confidence)
        except (KeypointsError, ParamsError) as error:
            raise KeypointsError(f"person {person} of {self.name}: {error}") from error

    def observations(
        self, frame: int, image_size: tuple[int, int], focal_px: float | None = None
    ) -> FrameObservations:
        """Return everyone in a frame where the joints themselves say where they are seen.

        Args:
            frame: which frame, from 0.
            image_size: height and width of the image, pixels.
            focal_px: focal length, for files that have none; what the tool that wrote the file
                assumes when left out.
        """
        focal_px = focal_px or self.focal_px(image_size)

        def observe(person: Any) -> Observation:
            return _projected(self.read(person), focal_px, image_size)

        return FrameObservations.of(self.people(self.frames[frame]), observe, name=self.name)


def read_joint_file(path: Path) -> JointFrames:
    """Recognise a file of 3D joints by its content, and find its frames.

    Raises:
        ParamsError: it holds no 3D joints that are known.
    """
    content, name = read_container(path), path.name
    if is_mhr(content):
        return JointFrames.of_mhr(content, name)
    if is_nlf(content):
        return JointFrames.of_nlf(content, name)
    landmarks = mediapipe.find_frames(content)
    if landmarks is not None:
        return JointFrames(
            name=name, frames=landmarks.frames, people=landmarks.people, read=_world_landmarks
        )
    frames = [to_metres(frame) for frame in _array_frames(content, name)]
    return JointFrames(name=name, frames=frames, read=array_person)


def _world_landmarks(person: RawPerson) -> RawJoints:
    if person.world is None:
        raise KeypointsError("it has no world landmarks.")
    return RawJoints(person.world[:, :3], person.world[:, 3])


def array_person(joints: Float[ndarray, "points columns"]) -> RawJoints:
    """Read x, y, z and, where there is one, confidence; points that are not numbers are missing.

    Joints before the camera plane of somebody who does not stand along another axis are in the
    camera's frame.
    """
    known = ~are_missing(joints[:, :3]) & np.isfinite(joints).all(1)
    xyz = np.where(known[:, None], joints[:, :3], 0.0)
    confidence = np.where(known, joints[:, 3] if joints.shape[1] > 3 else 1.0, 0.0)
    placed = len(joints) in LAYOUTS_3D and standing_axis(joints[None, :, :3]) in (None, "-y")
    before = known.any() and xyz[known, 2].min() >= NEAREST_M
    return RawJoints(xyz, confidence, placed=xyz if placed and before else None)


def _projected(raw: RawJoints, focal_px: float, size: tuple[int, int]) -> Observation:
    """Project joints to keypoints, so that the body is placed where the image has it."""
    if raw.placed is None:
        raise KeypointsError(
            "the file does not say where in the image the person is: its joints lie about their "
            "own origin. Give a file of keypoints as well."
        )
    joints = name_joints(raw.xyz, raw.confidence)
    placed = name_joints(raw.placed, raw.confidence).xyz
    focal_px = raw.focal_px or focal_px
    depth = np.where(joints.confidence > 0.0, placed[:, 2], 1.0)
    if not (depth.min() > NEAREST_M and 0.0 < focal_px < MOST_PX):
        raise KeypointsError(
            f"the joints reach to {depth.min():.3g} m in depth with a focal length of "
            f"{focal_px:.3g} px, expected all of them before the camera."
        )
    height, width = size
    keypoints = Keypoints(
        xy=focal_px * placed[:, :2] / depth[:, None] + np.array([width, height]) / 2.0,
        confidence=joints.confidence,
        names=joints.names,
        image_size=size,
    )
    return Observation(keypoints=keypoints, joints=joints, focal_px=focal_px)


def _array_frames(content: Any, name: str) -> list[Float[ndarray, "people points 3"]]:
    if isinstance(content, Mapping):
        content = next((content[key] for key in ARRAY_KEYS if key in content), None)
    if not isinstance(content, ndarray) or content.dtype.kind not in "fiu":
        raise ParamsError(
            f"{name} holds no 3D joints that are known: expected NLF's {NLF_KEY}, SAM 3D Body's "
            f"{', '.join(sorted(MHR_KEYS))}, MediaPipe's world landmarks, or an array (frames, "
            f"joints, 3) of {', '.join(map(str, LAYOUTS_3D))} joints under one of "
            f"{', '.join(ARRAY_KEYS)}."
        )
    if content.ndim not in (2, 3, 4) or content.shape[-1] not in (3, 4) or not content.size:
        raise ParamsError(
            f"{name} holds joints of shape {content.shape}, expected (joints, 3), (frames, joints, "
            "3) or (frames, people, joints, 3)."
        )
    points = content.astype(float)
    frames = points[None] if points.ndim == 2 else points
    return [frame if frame.ndim == 3 else frame[None] for frame in frames]


def to_metres(
    people: Float[ndarray, "people points columns"],
) -> Float[ndarray, "people points columns"]:
    """Convert millimetres, which are told by the extent of the people; confidences stay."""
    xyz = people[..., :3]
    extents = [np.ptp(one, axis=0).max() for one in xyz if (np.abs(one) < FARTHEST_M).all()]
    if max(extents, default=0.0) <= MILLIMETRES_FROM:
        return people
    return np.concatenate([xyz / 1000.0, people[..., 3:]], axis=-1)
