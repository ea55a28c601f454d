import numpy as np
import pytest
import torch

from posexfer_core.body.motion import join_frames
from posexfer_core.errors import KeypointsError
from posexfer_core.fit.fit import fit_people
from posexfer_core.fit.video.fit_motion import fit_motion
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


@pytest.mark.slow
def test_a_motion_no_longer_jitters_and_is_no_further_off(sights, smoothed, body, motion):
    alone = join_frames([one.params for one in fit_people(sights, body=body)])
    before, after = (motion_scores(body, one, motion) for one in (alone, smoothed))
    assert after[0] < before[0]
    assert after[1] < before[1] / 4.0
    assert after[2] < before[2] / 4.0
    assert after[3] <= before[3]


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
    (together,), (alone,) = (fit(sights[:1], body=body) for fit in (fit_motion, fit_people))
    assert torch.equal(together.params.pose, alone.params.pose)


def test_two_frames_are_a_motion_too(sights, body):
    assert len(fit_motion(sights[:2], body=body)) == 2
