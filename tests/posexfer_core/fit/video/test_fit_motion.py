import numpy as np
import pytest
import torch

from posexfer_core.body.motion import join_frames
from posexfer_core.errors import KeypointsError
from posexfer_core.fit.depth_paths import cheapest_path, follow_limbs
from posexfer_core.fit.energy import join
from posexfer_core.fit.fit import FitTask
from posexfer_core.fit.initialisation import pose_from_params
from posexfer_core.fit.kinematics import stack
from posexfer_core.fit.levenberg_marquardt import minimise
from posexfer_core.fit.limb_flips import FLIPS, LIMBS, flipped_limb
from posexfer_core.fit.search import FINE
from posexfer_core.fit.video.fit_motion import fit_in_batches, fit_motion
from posexfer_core.fit.video.smoothing import Smoothing, smooth_motion
from posexfer_core.keypoints.observation import Observation
from tests.benchmarks.random_motions import random_motion
from tests.benchmarks.random_people import FOCAL_PX
from tests.benchmarks.smoothing import joints_over_frames, motion_scores


@pytest.fixture(scope="module")
def motion(body):
    return random_motion(np.random.default_rng(3), body, poses=2)


@pytest.fixture(scope="module")
def sights(motion):
    return [Observation(keypoints=one, focal_px=FOCAL_PX) for one in motion.keypoints]


@pytest.fixture(scope="module")
def smoothed(sights, body):
    return join_frames([one.params for one in fit_motion(sights, body=body)])


def test_a_motion_no_longer_jitters_and_is_no_further_off(sights, smoothed, body, motion):
    alone = join_frames([one.params for one in fit_in_batches(sights, body=body)])
    before, after = (motion_scores(body, one, motion) for one in (alone, smoothed))
    assert after[0] < before[0]
    assert after[1] < before[1] / 4.0
    assert after[2] < before[2] / 4.0
    assert after[3] <= before[3]


def test_limbs_bent_to_the_wrong_side_for_some_frames_are_bent_back(sights, body):
    task = FitTask.of(sights, body)
    fits = fit_in_batches(sights, body=body)
    alone = stack([pose_from_params(one.params, body) for one in fits])
    clean = smooth_motion(task.energy, alone, Smoothing())
    posed = task.energy.skeleton.place(clean)
    bent = flipped_limb(task.energy.skeleton, clean, posed, LIMBS[0], FLIPS[2])
    some = np.arange(6, 12)
    wrong = clean.take(np.arange(len(sights)))
    wrong.put(some, minimise(task.energy.take(some), bent.take(some), FINE).pose)
    mended = smooth_motion(task.energy, follow_limbs(task.energy, wrong), Smoothing())
    tips = [
        task.energy.skeleton.place(one).joints[some, LIMBS[0].tip] for one in (clean, wrong, mended)
    ]
    assert np.linalg.norm(tips[1] - tips[0], axis=-1).max() > 0.2
    assert np.linalg.norm(tips[2] - tips[0], axis=-1).max() < 0.03


def test_the_cheapest_path_keeps_to_its_side(sights, body):
    task = FitTask.of(sights[:3], body)
    pose = stack(
        [pose_from_params(one.params, body) for one in fit_in_batches(sights[:3], body=body)]
    )
    state = task.energy.state(pose, FINE.weights)
    fits = join([state, state])
    fits.posed.joints[3:, 20] += 1.0  # a left wrist a metre off
    fits.energy[:] = (5.0, 0.0, 5.0, 4.0, 6.0, 4.0)  # here and there cheaper for a frame
    choices = np.array([[0, 1, 2], [3, 4, 5]])
    assert cheapest_path(fits, choices).tolist() == [0, 1, 2]  # 10, against 14 and 8 with two leaps
    fits.energy[1] = 60.0
    assert cheapest_path(fits, choices).tolist() == [3, 4, 5]


def test_one_shape_holds_for_all_frames(smoothed):
    assert torch.equal(smoothed.betas, smoothed.betas[:1].expand_as(smoothed.betas))


def test_progress_counts_every_frame(sights, body):
    done: list[int] = []
    fit_motion(sights[:5], body=body, progress=done.append)
    assert sum(done) == 5


def test_frames_without_the_person_are_filled_and_not_trusted(sights, smoothed, body):
    gap = [None if 8 <= index < 11 else sight for index, sight in enumerate(sights)]
    results = fit_motion(gap, body=body)
    filled = join_frames([one.params for one in results])
    assert filled.confidence[9].max() == 0.0
    assert filled.confidence[12].max() > 0.5
    assert np.isnan(results[9].reprojection_px)
    apart = joints_over_frames(body, filled)[9] - joints_over_frames(body, smoothed)[9]
    assert np.linalg.norm(apart, axis=-1).mean() < 0.08


def test_a_person_seen_in_few_frames_gets_a_sentence(sights, body):
    with pytest.raises(KeypointsError, match="found in 1 of 4 frames"):
        fit_motion([None, sights[0], None, None], body=body)


def test_a_single_frame_is_fitted_as_ever(sights, body):
    (together,), (alone,) = (fit(sights[:1], body=body) for fit in (fit_motion, fit_in_batches))
    assert torch.equal(together.params.pose, alone.params.pose)


def test_two_frames_are_a_motion_too(sights, body):
    assert len(fit_motion(sights[:2], body=body)) == 2
