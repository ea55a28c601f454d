"""Bodies of a batch of images, some at a time with progress and interrupt."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import comfy.model_management
import comfy.utils
from torch import Tensor

from ...posexfer_core.body.model import BodyModel
from ...posexfer_core.body.motion import join_frames
from ...posexfer_core.body.params import HumanParams
from ...posexfer_core.errors import ImageError, KeypointsError, ParamsError
from ...posexfer_core.fit.search import IN_SPACE, SearchPlan
from ...posexfer_core.fit.video.fit_motion import fit_video
from ...posexfer_core.fit.video.smooth_bodies import smooth_bodies
from ...posexfer_core.fit.video.smoothing import Smoothing
from ...posexfer_core.keypoints.keypoints import count_people, load_keypoints
from ...posexfer_core.keypoints.masks import Mask, check_mask
from ...posexfer_core.keypoints.observation import Observation
from ...posexfer_core.keypoints.rig_joints import mhr_frames, mhr_observation
from ...posexfer_core.keypoints.tracking import People
from ...posexfer_core.pose_networks.regressor import regress_body


def fit_frames(
    keypoints: Any,
    frames: int,
    size: tuple[int, int],
    person: int,
    focal_px: float | None,
    smoothing: float,
    mask: Tensor | None = None,
) -> HumanParams:
    """Fit the bundled body to one person of every frame.

    Args:
        keypoints: a POSE_KEYPOINT value.
        frames: how many images there are.
        size: their height and width, pixels.
        person: which person; a video's, in its first frame (`fit_video`).
        focal_px: focal length in pixels; None guesses it.
        smoothing: strength of the smoothing over frames; 0 fits each alone.
        mask: (frames, height, width), 1 where the person is.

    Raises:
        KeypointsError: a frame has no such person, without smoothing; says which frame. With it,
            too few frames have.
        ImageError: the masks are of other images.
    """
    found = len(keypoints) if isinstance(keypoints, list | tuple) else 1
    if found != frames:
        raise KeypointsError(
            f"There are keypoints of {found} frames for {frames} images. Connect the same IMAGE "
            "to the pose detector and to this node."
        )

    masks = _masks(mask, frames, size)

    def people(frame: int) -> People:
        def look(number: int) -> Observation:
            seen = load_keypoints(keypoints, person=number, frame=frame, image_size=size)
            return Observation(keypoints=seen, focal_px=focal_px, mask=masks[frame])

        return People(count_people(keypoints, frame), look)

    return _fitted(people, frames, person, smoothing, SearchPlan())


def fit_pose_data(
    pose_data: Any,
    frames: int,
    size: tuple[int, int],
    person: int,
    smoothing: float,
    mask: Tensor | None = None,
) -> HumanParams:
    """Fit the bundled body to what SAM 3D Body says of one person in every frame.

    Args:
        pose_data: an MHR_POSE_DATA value; its own camera is kept.
        frames: how many images there are.
        size: their height and width, pixels.
        person: as in `fit_frames`.
        smoothing: as in `fit_frames`.
        mask: as in `fit_frames`.

    Raises:
        ImageError: as in `fit_frames`.
        ParamsError: as KeypointsError in `fit_frames`.
    """
    found = mhr_frames(pose_data)
    if len(found) != frames:
        raise ParamsError(
            f"There is pose data of {len(found)} frames for {frames} images. Connect the same "
            "IMAGE to SAM 3D Body and to this node."
        )

    masks = _masks(mask, frames, size)

    def people(frame: int) -> People:
        def look(number: int) -> Observation:
            if number >= len(found[frame]):
                raise ParamsError(
                    f"person {number} was asked for, but there are {len(found[frame])}, numbered "
                    "from 0."
                )
            sight = mhr_observation(found[frame][number], size, f"person {number}")
            return replace(sight, mask=masks[frame])

        return People(len(found[frame]), look)

    return _fitted(people, frames, person, smoothing, IN_SPACE)


def _masks(mask: Tensor | None, frames: int, size: tuple[int, int]) -> list[Mask | None]:
    """Check the mask of every frame, if there are any."""
    if mask is None:
        return [None] * frames
    if len(mask) != frames:
        raise ImageError(f"There are {len(mask)} masks for {frames} images; connect one for each.")
    return [check_mask(one.cpu().numpy(), size) for one in mask]


def _fitted(
    people: Callable[[int], People],
    frames: int,
    person: int,
    smoothing: float,
    plan: SearchPlan,
) -> HumanParams:
    """Fit all frames, some at a time, and stop between when the user says so."""
    body, bar = BodyModel.bundled(), comfy.utils.ProgressBar(frames)

    def tell(done: int) -> None:
        bar.update(done)
        comfy.model_management.throw_exception_if_processing_interrupted()

    comfy.model_management.throw_exception_if_processing_interrupted()
    results = fit_video(
        people,
        frames,
        person=person,
        body=body,
        plan=plan,
        strength=smoothing,
        progress=tell,
    )
    return join_frames([result.params for result in results])


def read_frames(
    images: Tensor, person: int, focal_px: float | None, smoothing: float
) -> HumanParams:
    """Read the one person of every image off it, without keypoints.

    Args:
        images: (batch, 3, height, width) in [-1, 1].
        person: must be 0: the network reads one person.
        focal_px: focal length in pixels; None guesses it.
        smoothing: as in `fit_frames`.

    Raises:
        KeypointsError: another person is asked for.
    """
    if person:
        raise KeypointsError(
            f"Person {person} is asked for, but without keypoints the image must show one "
            "person. Connect the POSE_KEYPOINT of a pose detector, or crop the image."
        )
    bar = comfy.utils.ProgressBar(len(images))
    parts = []
    for image in images.cpu():
        comfy.model_management.throw_exception_if_processing_interrupted()
        parts.append(regress_body(image, focal_px=focal_px).params)
        bar.update(1)
    params = join_frames(parts)
    if not smoothing or params.frames == 1:
        return params
    return smooth_bodies(
        params, BodyModel.bundled(), Smoothing.of_strength(smoothing), progress=_check_interrupt
    )


def _check_interrupt(done: int) -> None:
    comfy.model_management.throw_exception_if_processing_interrupted()
