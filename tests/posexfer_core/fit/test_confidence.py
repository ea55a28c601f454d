import numpy as np
import pytest

from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.fit.confidence import (
    NEAR_M,
    joint_confidence,
    joint_spread,
    share_within,
)
from posexfer_core.fit.data_terms import NEGLIGIBLE, Targets2D, Targets3D
from posexfer_core.fit.energy import FitEnergy, Weights
from posexfer_core.fit.fit import fit_people
from posexfer_core.fit.kinematics import Pose, Skeleton
from posexfer_core.fit.pose_prior import PosePrior
from posexfer_core.geometry.so3 import exp_map
from posexfer_core.keypoints.keypoint_placement import RestBody
from posexfer_core.keypoints.layouts import COCO17, SMPL24
from posexfer_core.keypoints.observation import Observation
from tests.benchmarks.fit import fitted_joints, reliability
from tests.benchmarks.random_people import FOCAL_PX, random_person

NAMES = (*COCO17, *SMPL24)


def seen_body(body, weight: float) -> tuple[FitEnergy, Pose]:
    """A body in its usual pose whose COCO keypoints are seen where they are."""
    skeleton, prior = Skeleton(RestBody.of(body, NAMES)), PosePrior()
    rotations = exp_map(prior.mean_pose())[None]
    rotations[:, 0] = np.diag([1.0, -1.0, -1.0])
    pose = Pose(rotations, np.zeros((1, 10)), np.array([[0.0, 0.0, 4.0]]))
    points = skeleton.place(pose).points
    weights = np.zeros((1, len(NAMES)))
    weights[:, : len(COCO17)] = weight
    targets = Targets2D(np.zeros((1, len(NAMES), 2)), weights, np.array([1000.0]), np.zeros((1, 2)))
    targets.pixels = targets.project(points)
    space = Targets3D(np.zeros((1, len(NAMES), 3)), np.full((1, len(NAMES)), NEGLIGIBLE))
    return FitEnergy(skeleton, prior, targets, space), pose


def test_the_spread_is_that_of_random_draws_from_the_gaussian(body):
    energy, pose = seen_body(body, 0.2)
    spread = joint_spread(energy, pose)[0]
    matrix, _ = energy.linearise(energy.state(pose, Weights()), Weights())
    root = np.linalg.cholesky(np.linalg.inv(matrix[0]))
    rng = np.random.default_rng(0)
    steps = 0.05 * rng.normal(size=(4000, len(root))) @ root.T
    many = pose.take(np.zeros(len(steps), dtype=int))
    joints = energy.skeleton.place(energy.step(many, steps)).joints
    apart = joints - joints[:, :1]
    drawn = np.sqrt((apart - apart.mean(0)).__pow__(2).mean((0, 2))) / 0.05
    np.testing.assert_allclose(spread[1:], drawn[1:], rtol=0.06)
    assert spread[0] == 0.0


def test_sharper_keypoints_give_more_confidence(body):
    sharp, dim = (joint_confidence(*seen_body(body, weight))[0] for weight in (1.0, 0.02))
    assert (sharp >= dim).all()
    assert sharp[JOINT_NAMES.index("l_wrist")] > dim[JOINT_NAMES.index("l_wrist")] + 0.1


def test_the_share_within_a_distance_is_that_of_random_draws():
    """Distances of this density are Gamma's of shape 3; its variance along an axis is 4 s^2."""
    rng = np.random.default_rng(0)
    far = rng.gamma(3.0, 0.5, size=100_000)
    directions = rng.normal(size=(100_000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    np.testing.assert_allclose((far[:, None] * directions).std(0), 1.0, atol=0.02)
    ratios = np.array([0.0, 0.5, 1.0, 2.0])
    drawn = (far[:, None] <= ratios).mean(0)
    np.testing.assert_allclose(share_within(ratios), drawn, atol=0.01)


@pytest.mark.slow
def test_confidence_tells_how_often_joints_are_right(body):
    rng = np.random.default_rng(30)
    people = [random_person(rng, body, noise_px=5.0, missing=0.2) for _ in range(48)]
    fits = fit_people([Observation(keypoints=one.keypoints, focal_px=FOCAL_PX) for one in people])
    said = np.stack([fit.params.confidence[0, 0, 1:].numpy() for fit in fits])
    joints = np.stack([fitted_joints(body, fit) for fit in fits])
    truth = np.stack([one.joints for one in people])
    apart = np.linalg.norm(joints - joints[:, :1] - truth + truth[:, :1], axis=-1)[:, 1:]
    for mean, right, count in reliability(said, apart < NEAR_M):
        assert abs(mean - right) < 0.2 or count < 40, (mean, right, count)
