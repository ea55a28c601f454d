"""Fit one person in all frames of a video, so that it moves as people do."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy import ndarray

from ...body.model import BodyModel
from ...errors import KeypointsError
from ...geometry.so3 import exp_map, log_map
from ...keypoints.observation import Observation
from ...keypoints.tracking import Follower, People, every_sight, sights_with_gaps
from ..depth_paths import follow_limbs
from ..energy import FitEnergy
from ..fit import FitResult, FitTask, fit_people
from ..initialisation import pose_from_params
from ..kinematics import Pose, stack
from ..search import Found, SearchPlan
from ..silhouette import fit_outlines
from .smoothing import Smoothing, smooth_motion

BATCH = 32
"""Frames fitted at once."""
SEEN_SHARE = 0.5
"""Share of the frames that must show the person."""

Progress = Callable[[int], None]
"""Is told how many more frames are done; may raise to stop."""


def fit_video(
    people: Callable[[int], People],
    frames: int,
    *,
    person: int,
    body: BodyModel,
    plan: SearchPlan,
    strength: float,
    progress: Progress,
) -> list[FitResult]:
    """Fit one person in every frame: all together, or each as if alone.

    Args:
        people: of whom something is known in a frame, or raises.
        frames: how many there are.
        person: which person: its number in the first frame that shows so many, then it is
            followed (`frames.Follower`); without smoothing, its number in every frame.
        body: the model to fit.
        plan: how wide to search in each frame.
        strength: of the smoothing; at 0 each is fitted alone, and each must show the person.
        progress: as in `fit_motion`.

    Raises:
        KeypointsError, ParamsError: as `people`, or the person is seen in too few frames.
    """
    if not strength or frames == 1:
        sights = every_sight(lambda frame: people(frame).look(person), frames, body)
        return fit_in_batches(sights, body=body, plan=plan, progress=progress)
    return fit_motion(
        sights_with_gaps(Follower(people, person), frames, body),
        body=body,
        plan=plan,
        smoothing=Smoothing.of_strength(strength),
        progress=progress,
    )


def fit_motion(
    frames: Sequence[Observation | None],
    *,
    body: BodyModel | None = None,
    plan: SearchPlan | None = None,
    smoothing: Smoothing | None = None,
    progress: Progress | None = None,
) -> list[FitResult]:
    """Fit one person in every frame, each as if alone, then all of them together.

    Together, limbs no longer change sides in depth from one frame to the next, one shape holds
    for all, and nothing jerks that the keypoints do not see jerk. Frames that do not show the
    person are filled from those around; their confidence is 0, their reprojection error NaN.

    Args:
        frames: what is known of the person in each, in order; None where it was not found.
        body: the model to fit; the bundled one when left out.
        plan: how wide to search in each frame.
        smoothing: how much the motion may jerk.
        progress: called after each batch of fits, and with 0 between the steps that follow.

    Raises:
        KeypointsError: the person is seen in too few frames, or too little of it in one.
        ImageError: a mask is elsewhere.
    """
    body, plan = body or BodyModel.bundled(), plan or SearchPlan()
    seen = [index for index, sight in enumerate(frames) if sight is not None]
    if len(seen) < max(SEEN_SHARE * len(frames), 1):
        raise KeypointsError(
            f"The person is found in {len(seen)} of {len(frames)} frames; at least half of them "
            "must show it. Cut the frames that do not, or lower the detector's threshold."
        )
    sights = [sight for sight in frames if sight is not None]
    if len(frames) == 1:
        return fit_in_batches(sights, body=body, plan=plan, progress=progress)
    bare = [replace(sight, mask=None) for sight in sights]  # one shape is found below, for all
    fits = fit_in_batches(bare, body=body, plan=plan, progress=progress)
    nearest = np.abs(np.arange(len(frames))[:, None] - np.array(seen)).argmin(1)
    task = FitTask.of([sights[index] for index in nearest], body, lift=plan.lift)
    lost = np.setdiff1d(np.arange(len(frames)), seen)
    for measured in (task.energy.targets, task.energy.places, task.energy.hidden):
        if measured is not None:
            measured.forget(lost)
    pose = _filled(stack([pose_from_params(one.params, body) for one in fits]), seen, len(frames))
    pose = _together(task.energy, pose, smoothing or Smoothing(), progress or (lambda done: None))
    masks = [sight and sight.mask for sight in frames]
    pose = fit_outlines(pose, task.energy, masks, body, one_shape=True)
    energies = [fits[index].energies for index in nearest]
    results = task.results(Found(pose, energies))
    return [_unseen(one) if row in lost else one for row, one in enumerate(results)]


def _together(energy: FitEnergy, pose: Pose, smoothing: Smoothing, progress: Progress) -> Pose:
    """Smooth, bend limbs back that are on the wrong side in depth for a while, smooth again."""
    pose = smooth_motion(energy, pose, smoothing)
    progress(0)
    pose = follow_limbs(energy, pose)
    progress(0)
    return smooth_motion(energy, pose, smoothing)


def fit_in_batches(
    people: Sequence[Observation],
    *,
    body: BodyModel,
    plan: SearchPlan | None = None,
    progress: Progress | None = None,
) -> list[FitResult]:
    """Fit people, some at a time, each as if alone.

    Args:
        people: any number.
        body: the model to fit.
        plan: how wide to search.
        progress: called after each batch.
    """
    results: list[FitResult] = []
    for start in range(0, len(people), BATCH):
        fitted = fit_people(people[start : start + BATCH], body=body, plan=plan)
        results += fitted
        if progress is not None:
            progress(len(fitted))
    return results


def _filled(pose: Pose, seen: Sequence[int], frames: int) -> Pose:
    """Put poses between those of the frames before and after where there is none."""
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
    """Take out what belongs to another frame."""
    params = replace(result.params, confidence=torch.zeros_like(result.params.confidence))
    return replace(
        result,
        params=params,
        reprojection_px=float("nan"),
        names=(),
        keypoints=result.keypoints[:0],
        projected=result.projected[:0],
    )
