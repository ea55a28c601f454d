import numpy as np
import pytest
import torch

from posexfer_core.geometry.rotations import axis_angle_to_matrix
from training.synthetic.poses import Build, draw_pose


@pytest.fixture(scope="module")
def build(body):
    vertices, joints = body.rest(torch.zeros(1, 10))
    return Build.of(vertices[0].numpy(), joints[0].numpy().astype(np.float64))


@pytest.fixture(scope="module")
def poses(build):
    rng = np.random.default_rng(0)
    return np.stack([draw_pose(rng, build) for _ in range(150)])


@pytest.fixture(scope="module")
def joints(body, poses):
    rotations = axis_angle_to_matrix(torch.from_numpy(poses).float())
    count = len(poses)
    return body(rotations, torch.zeros(count, 10), torch.zeros(count, 3)).joints.numpy()


def test_the_same_seed_gives_the_same_pose(build):
    one, two = (draw_pose(np.random.default_rng(5), build) for _ in range(2))
    assert np.array_equal(one, two)


def test_poses_are_finite_and_within_half_a_turn(poses):
    assert np.isfinite(poses).all()
    assert np.linalg.norm(poses, axis=-1).max() <= np.pi + 1e-6


def test_elbows_and_knees_bend_one_way(poses):
    knees, left_elbow, right_elbow = poses[:, [4, 5]], poses[:, 18], poses[:, 19]
    assert knees[..., 0].min() > 0.0
    assert np.degrees(knees[..., 0].max()) < 150.0
    assert left_elbow[:, 1].max() < 0.0
    assert right_elbow[:, 1].min() > 0.0


def test_wrists_often_lie_before_and_behind_the_torso(joints, build):
    between = np.abs(joints[:, [20, 21], 0] - joints[:, 6:7, 0]) < build.belly[0]
    level = np.abs(joints[:, [20, 21], 1] - joints[:, 6:7, 1]) < 0.25
    depth = joints[:, [20, 21], 2] - joints[:, 6:7, 2]
    before = (between & level & (depth > 0.0)).any(1).mean()
    behind = (between & level & (depth < 0.0)).any(1).mean()
    assert before > 0.25
    assert behind > 0.08


def test_left_and_right_are_alike_on_average(joints):
    left, right = joints[:, 20].std(0), joints[:, 21].std(0)
    np.testing.assert_allclose(left, right, rtol=0.35)


def test_wrists_stay_out_of_the_torso(joints, build):
    width, front, behind = build.belly
    local = joints[:, [20, 21]] - joints[:, 6:7]
    depth = np.where(local[..., 2] > 0.0, front, behind)
    inside = (local[..., 0] / width) ** 2 + (local[..., 2] / depth) ** 2 < 0.5
    inside &= np.abs(local[..., 1]) < 0.15
    assert inside.mean() < 0.02
