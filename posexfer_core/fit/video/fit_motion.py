"""Fit one person in all frames of a video, smoothed over time."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy import ndarray

from ...body.model import BodyModel
from ...errors import KeypointsError
from ...geometry.so3 import exp_map, log_map
from ...keypoints.observation import Observation
from ..batch import stack
from ..fit import FitResult, FitTask, Progress, fit_people
from ..initialisation import pose_from_params
from ..kinematics import Pose
from ..search import SearchPlan
from ..silhouette import fit_silhouettes
from .smoothing import Smoothing, median_of_three, smooth_motion

SEEN_SHARE = 0.5
"""Share of the frames that must show the person."""


def fit_motion(
    frames: Sequence[Observation | None],
    *,
    body: BodyModel | None = None,
    plan: SearchPlan | None = None,
    smoothing: Smoothing | None = None,
    progress: Progress | None = None,
) -> list[FitResult]:
    """Fit one person in every frame independently, then all frames together, with one shape.

    Frames that do not show the person are interpolated; their confidence is 0, their reprojection
    error NaN.

    Args:
        frames: the person in each, in order; None where it was not found.
        body: the model to fit; the bundled one when left out.
        plan: how wide to search in each frame.
        smoothing: how much the motion may accelerate.
        progress: called after each batch of fits.

    Raises:
        KeypointsError: the person is seen in too few frames, or too little of it in one.
        ImageError: masks cover too little of the body.
    """
    body, plan = body or BodyModel.bundled(), plan or SearchPlan()
    seen = [index for index, one in enumerate(frames) if one is not None]
    if len(seen) < max(SEEN_SHARE * len(frames), 1):
        raise KeypointsError(
            f"The person is found in {len(seen)} of {len(frames)} frames; at least half of them "
            "must show it. Cut the frames that do not, or lower the detector's threshold."
        )
    observations = [one for one in frames if one is not None]
    if len(frames) == 1:
        return fit_people(observations, body=body, plan=plan, progress=progress)
    bare = [replace(one, mask=None) for one in observations]  # one shape is fitted below, for all
    fits = fit_people(bare, body=body, plan=plan, progress=progress)
    nearest = np.abs(np.arange(len(frames))[:, None] - np.array(seen)).argmin(1)
    task = FitTask.of([observations[index] for index in nearest], body, lift=plan.lift)
    lost = np.setdiff1d(np.arange(len(frames)), seen)
    task.energy.image.clear(lost)
    task.energy.space.clear(lost)
    alone = stack([pose_from_params(one.params, body) for one in fits])
    pose = _interpolated(alone, seen, len(frames))
    pose = smooth_motion(task.energy, median_of_three(pose), smoothing or Smoothing())
    masks = [one and one.mask for one in frames]
    pose = fit_silhouettes(pose, task.energy, masks, body, one_shape=True)
    results = task.results(pose)
    return [_unseen(one) if row in lost else one for row, one in enumerate(results)]


def _interpolated(pose: Pose, seen: Sequence[int], frames: int) -> Pose:
    """Interpolate the frames that do not show the person."""
    at = np.interp(np.arange(frames), seen, np.arange(len(seen)))
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(seen) - 1)
    share = at - low
    one, two = pose.take(low), pose.take(high)
    turn = log_map(one.rotations.swapaxes(-1, -2) @ two.rotations)
    return Pose(
        one.rotations @ exp_map(share[:, None, None] * turn),
        _mixed(one.betas, two.betas, share),
        _mixed(one.transl, two.transl, share),
    )


def _mixed(one: ndarray, two: ndarray, share: ndarray) -> ndarray:
    return one + share[:, None] * (two - one)


def _unseen(result: FitResult) -> FitResult:
    """Mark a frame that does not show the person."""
    unknown = torch.zeros_like(result.params.confidence)
    return FitResult(
        params=replace(result.params, confidence=unknown), reprojection_px=float("nan")
    )
