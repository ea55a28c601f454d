"""3D joints of people over frames, from the files of estimators that give no body."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from ..errors import KeypointsError, ParamsError
from ..files.containers import read_container
from ..files.fields import Fields
from ..geometry.camera import default_focal_px
from . import mediapipe
from .joints3d import FARTHEST_M, LAYOUTS_3D, Joints3D, name_joints
from .observation import Observation
from .rig_joints import (
    MHR_KEYS,
    NEAREST_M,
    NLF_KEY,
    is_mhr,
    is_nlf,
    mhr_frames,
    mhr_observation,
    nlf_focal_px,
    nlf_frames,
    placed_observation,
)

ARRAY_KEYS = (
    *("pred_keypoints_3d", "joints3d", "joints_3d", "keypoints_3d", "keypoints3d"),
    *("pose_world_landmarks", "world_landmarks", "joints", "arr_0"),
)
"""Names under which plain arrays of joints are looked for, first one first."""
MILLIMETRES_FROM = 100.0
"""People do not span so many metres."""


class JointFile:
    """Joints of an opened file; axes are the camera's: x right, y down, z away."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            ParamsError: it holds no 3D joints that are known.
        """
        self.name, self._content = path.name, read_container(path)
        self._landmarks = mediapipe.count_frames(self._content)
        self._arrays: list[ndarray] = []
        if not is_mhr(self._content) and self._landmarks is None:
            self._arrays = [_metres(frame) for frame in _frames(self._content, self.name)]

    def __len__(self) -> int:
        """Count the frames."""
        if self._landmarks is not None:
            return self._landmarks
        return len(self._arrays or mhr_frames(self._content))

    def people(self, frame: int) -> int:
        """Count the people in a frame."""
        if self._landmarks is not None:
            return len(mediapipe.find_joints(self._content, frame) or [])
        return len((self._arrays or mhr_frames(self._content))[frame])

    def joints(self, frame: int, person: int) -> Joints3D:
        """Take the joints of one person, for whom keypoints are known as well.

        Raises:
            KeypointsError, ParamsError: there is no such person, or it has too few joints.
        """
        if self._landmarks is not None:
            found = self._person(mediapipe.find_joints(self._content, frame) or [], person)
            if found is None:
                raise KeypointsError(f"{self.name}: person {person} has no world landmarks.")
            return found
        if self._arrays:
            return name_joints(self._person(self._arrays[frame], person))
        found = self._person(mhr_frames(self._content)[frame], person)
        fields = Fields(found, f"{self.name}: person {person}")
        return name_joints(fields.rows("pred_keypoints_3d", width=3, count=None))

    def sight(
        self, frame: int, person: int, size: tuple[int, int], focal_px: float | None
    ) -> Observation:
        """Take one person who has no keypoints: the joints themselves say where it is seen.

        Args:
            frame: which frame, from 0.
            person: which person, from 0.
            size: height and width of the image, pixels.
            focal_px: focal length; what the tool that wrote the file assumes when left out.

        Raises:
            KeypointsError, ParamsError: as `joints`, or the joints lie about the origin.
        """
        if not self._arrays and self._landmarks is None:
            people = mhr_frames(self._content)[frame]
            return mhr_observation(
                self._person(people, person), size, f"{self.name}: person {person}"
            )
        if (
            self._landmarks is not None
            or self._arrays[frame][person : person + 1, :, 2].min(initial=np.inf) < NEAREST_M
        ):
            raise ParamsError(
                f"{self.name} does not say where in the image the person is: its joints lie "
                "about their own origin. Give a file of keypoints as well."
            )
        joints = self._person(self._arrays[frame], person)
        return placed_observation(joints, joints, focal_px or self._focal_px(size), size, self.name)

    def _focal_px(self, size: tuple[int, int]) -> float:
        return nlf_focal_px(size) if is_nlf(self._content) else default_focal_px(size)

    def _person(self, people: Any, person: int) -> Any:
        if person >= len(people):
            raise KeypointsError(
                f"{self.name}: person {person} was asked for, but there are {len(people)}, "
                "numbered from 0."
            )
        return people[person]


def _frames(content: Any, name: str) -> list[ndarray]:
    """List the frames as (people, joints, 3)."""
    if is_nlf(content):
        return nlf_frames(content[NLF_KEY], name)
    if isinstance(content, Mapping):
        content = next((content[key] for key in ARRAY_KEYS if key in content), None)
    if not isinstance(content, ndarray) or content.dtype.kind not in "fiu":
        raise ParamsError(
            f"{name} holds no 3D joints that are known: expected NLF's {NLF_KEY}, SAM 3D Body's "
            f"{', '.join(sorted(MHR_KEYS))}, MediaPipe's world landmarks, or an array (frames, "
            f"joints, 3) of {', '.join(map(str, LAYOUTS_3D))} joints under one of "
            f"{', '.join(ARRAY_KEYS)}."
        )
    points = content[..., :3].astype(float)
    if content.ndim not in (2, 3, 4) or content.shape[-1] not in (3, 4) or not len(content):
        raise ParamsError(
            f"{name} holds joints of shape {content.shape}, expected (joints, 3), (frames, joints, "
            "3) or (frames, people, joints, 3)."
        )
    if points.ndim == 2:
        return [points[None]]
    return [frame if frame.ndim == 3 else frame[None] for frame in points]


def _metres(people: ndarray) -> ndarray:
    """Tell millimetres by the span of the people."""
    spans = [
        np.ptp(one, axis=0).max() for one in people if len(one) and (np.abs(one) < FARTHEST_M).all()
    ]
    return people / 1000.0 if max(spans, default=0.0) > MILLIMETRES_FROM else people
