from dataclasses import replace

import numpy as np
import pytest

from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.body.motion import join_frames
from posexfer_core.fit.kinematics import Pose
from posexfer_core.fit.video.fit_motion import fit_motion
from posexfer_core.fit.video.smoothing import median_of_three
from posexfer_core.geometry.so3 import exp_map, log_map
from posexfer_core.keypoints.observation import Observation
from tests.benchmarks.random_motions import random_motion
from tests.benchmarks.random_people import FOCAL_PX
from tests.benchmarks.smoothing import motion_scores

ELBOW = JOINT_NAMES.index("l_elbow")


def bending_elbow(frames: int) -> Pose:
    """Bend the elbow by 0.01 rad a frame."""
    turns = np.zeros((frames, len(JOINT_NAMES), 3))
    turns[:, ELBOW, 1] = 0.01 * np.arange(frames)
    return Pose(exp_map(turns), np.zeros((frames, 10)), np.zeros((frames, 3)))


@pytest.mark.parametrize("frame", [0, 3, 7])
def test_a_lone_flipped_limb_is_replaced_by_that_of_a_neighbour(frame):
    pose = bending_elbow(8)
    pose.rotations[frame, ELBOW] = exp_map(np.array([0.0, -2.0, 0.0]))
    apart = log_map(median_of_three(pose).rotations) - log_map(bending_elbow(8).rotations)
    assert np.abs(apart).max() < 0.025


def test_the_middle_frames_of_a_steady_turn_stay():
    pose = bending_elbow(6)
    median = median_of_three(pose)
    np.testing.assert_allclose(median.rotations[1:-1], pose.rotations[1:-1])


@pytest.mark.parametrize("frames", [1, 2])
def test_fewer_than_three_frames_have_no_median(frames):
    pose = bending_elbow(frames)
    assert median_of_three(pose) is pose


def test_an_arm_does_not_leap_in_the_last_frame(body):
    motion = random_motion(np.random.default_rng(0), body, noise_px=3.0)
    observations = [Observation(keypoints=one, focal_px=FOCAL_PX) for one in motion.keypoints[-12:]]
    params = join_frames([one.params for one in fit_motion(observations, body=body)])
    last = replace(motion, joints=motion.joints[-12:])
    assert motion_scores(body, params, last)[3] == 0.0
