"""Bodies of a batch of pictures, one after the other with progress and interrupt."""

from typing import Any

import comfy.model_management
import comfy.utils
from torch import Tensor

from ...posexfer_core.body.estimate.fit import fit_keypoints
from ...posexfer_core.body.estimate.keypoints import load_keypoints
from ...posexfer_core.body.estimate.regress import regress_body
from ...posexfer_core.body.formats.foreign_rigs import fit_sights, mhr_frames, mhr_sight
from ...posexfer_core.body.params import HumanParams
from ...posexfer_core.body.sequence import join_frames
from ...posexfer_core.errors import KeypointsError, ParamsError


def fit_frames(
    keypoints: Any, frames: int, size: tuple[int, int], person: int, focal_px: float | None
) -> HumanParams:
    """Fit the bundled body to one person of every frame.

    Args:
        keypoints: a POSE_KEYPOINT value.
        frames: how many pictures there are.
        size: their height and width, pixels.
        person: which person.
        focal_px: focal length in pixels; None guesses it.

    Raises:
        KeypointsError: a frame has no such person; says which frame.
    """
    found = len(keypoints) if isinstance(keypoints, list | tuple) else 1
    if found != frames:
        raise KeypointsError(
            f"There are keypoints of {found} frames for {frames} pictures. Connect the same IMAGE "
            "to the pose detector and to this node."
        )
    bar = comfy.utils.ProgressBar(frames)
    parts = []
    for frame in range(frames):
        comfy.model_management.throw_exception_if_processing_interrupted()
        try:
            seen = load_keypoints(keypoints, person=person, frame=frame, picture_size=size)
            parts.append(fit_keypoints(seen, focal_px=focal_px).params)
        except KeypointsError as error:
            raise KeypointsError(f"Frame {frame}: {error}") from error
        bar.update(1)
    return join_frames(parts)


def fit_pose_data(pose_data: Any, frames: int, size: tuple[int, int], person: int) -> HumanParams:
    """Fit the bundled body to what SAM 3D Body says of one person in every frame.

    Args:
        pose_data: an MHR_POSE_DATA value; its own camera is kept.
        frames: how many pictures there are.
        size: their height and width, pixels.
        person: which person.

    Raises:
        ParamsError: a frame has no such person; says which frame.
    """
    people = mhr_frames(pose_data)
    if len(people) != frames:
        raise ParamsError(
            f"There is pose data of {len(people)} frames for {frames} pictures. Connect the same "
            "IMAGE to SAM 3D Body and to this node."
        )
    for frame, found in enumerate(people):
        if person >= len(found):
            raise ParamsError(
                f"Frame {frame}: person {person} was asked for, but there are {len(found)}, "
                "numbered from 0."
            )
    sights = [
        mhr_sight(found[person], size, f"Frame {frame}, person {person}")
        for frame, found in enumerate(people)
    ]
    return join_frames([result.params for result in fit_sights(sights)])


def read_frames(pictures: Tensor, person: int, focal_px: float | None) -> HumanParams:
    """Read the one person of every picture off it, without keypoints.

    Args:
        pictures: (batch, 3, height, width) in [-1, 1].
        person: must be 0: the network reads one person.
        focal_px: focal length in pixels; None guesses it.

    Raises:
        KeypointsError: another person is asked for.
    """
    if person:
        raise KeypointsError(
            f"Person {person} is asked for, but without keypoints the picture must show one "
            "person. Connect the POSE_KEYPOINT of a pose detector, or crop the picture."
        )
    bar = comfy.utils.ProgressBar(len(pictures))
    parts = []
    for picture in pictures.cpu():
        comfy.model_management.throw_exception_if_processing_interrupted()
        parts.append(regress_body(picture, focal_px=focal_px).params)
        bar.update(1)
    return join_frames(parts)
