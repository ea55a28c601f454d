from dataclasses import replace

import numpy as np
import pytest
import torch

from posexfer_core.fit.video.smooth_bodies import body_observations, smooth_bodies
from posexfer_core.geometry.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from tests.benchmarks.random_motions import Motion, random_motion
from tests.benchmarks.smoothing import joints_over_frames, motion_scores


@pytest.fixture(scope="module")
def motion(body) -> Motion:
    return random_motion(np.random.default_rng(1), body, poses=2)


def test_a_body_shows_its_own_joints_in_space_and_in_the_image(body, motion):
    sight = body_observations(motion.params.select(4), body)[0]
    assert sight.joints is not None
    knee = sight.joints.xyz[sight.joints.names.index("l_knee_joint")]
    np.testing.assert_allclose(knee, motion.joints[4, 4], atol=1e-5)
    focal_px, (height, width) = sight.focal_px or 0.0, sight.keypoints.image_size
    pixel = focal_px * knee[:2] / knee[2] + np.array([width, height]) / 2.0
    shown = sight.keypoints.xy[sight.keypoints.names.index("l_knee_joint")]
    np.testing.assert_allclose(shown, pixel, atol=1e-2)


def test_jitter_is_taken_out_of_a_motion(body, motion):
    generator = torch.Generator().manual_seed(0)
    noise = 0.05 * torch.randn(motion.params.pose.shape, generator=generator)
    turned = motion.params.rotations @ axis_angle_to_matrix(noise)
    jittery = replace(motion.params, pose=matrix_to_axis_angle(turned), frame_rate=24.0)
    smoothed = smooth_bodies(jittery, body)
    before, after = (motion_scores(body, one, motion) for one in (jittery, smoothed))
    assert after[0] < before[0]
    assert after[1] < before[1] / 3.0
    assert torch.equal(smoothed.confidence, jittery.confidence)
    assert smoothed.frame_rate == 24.0


def test_a_smooth_motion_stays_where_it_is(body, motion):
    smoothed = smooth_bodies(motion.params, body)
    apart = joints_over_frames(body, smoothed) - motion.joints
    assert np.linalg.norm(apart, axis=-1).mean() < 0.03
