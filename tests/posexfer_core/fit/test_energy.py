import numpy as np
import pytest

from posexfer_core.fit.data_terms import Targets2D, Targets3D
from posexfer_core.fit.energy import FitEnergy, Weights
from posexfer_core.fit.kinematics import Pose, Skeleton
from posexfer_core.fit.levenberg_marquardt import Stage, minimise
from posexfer_core.fit.pose_prior import PosePrior
from posexfer_core.geometry.so3 import exp_map
from posexfer_core.keypoints.keypoint_placement import RestBody
from posexfer_core.keypoints.layouts import COCO17

WEIGHTS = Weights(pose=2.0, shape=0.5, outlier_sigmas=3.0)


@pytest.fixture
def energy(body):
    rng = np.random.default_rng(0)
    image = Targets2D(
        pixels=512.0 + 200.0 * rng.normal(size=(2, 17, 2)),
        weight=0.1 * rng.random((2, 17)),
        focal_px=np.array([800.0, 1200.0]),
        center=np.full((2, 2), 512.0),
    )
    space = Targets3D(rng.normal(size=(2, 17, 3)), 3.0 * rng.random((2, 17)))
    return FitEnergy(Skeleton(RestBody.of(body, COCO17)), PosePrior(), image, space)


@pytest.fixture
def pose():
    rng = np.random.default_rng(1)
    rotations = exp_map(0.7 * rng.normal(size=(2, 24, 3)))
    return Pose(rotations, rng.normal(size=(2, 10)), np.array([[0.0, 0.0, 4.0], [0.2, 0.1, 5.0]]))


def test_gradient_agrees_with_differences(energy, pose):
    check_gradient(energy, pose)


def test_3d_targets_have_no_origin():
    rng = np.random.default_rng(3)
    points = rng.normal(size=(1, 5, 3))
    targets = Targets3D(rng.normal(size=(1, 5, 3)), rng.random((1, 5)))
    np.testing.assert_allclose(targets.residual(points + 3.0), targets.residual(points), atol=1e-12)


def test_a_batch_of_nobody_has_no_3d_residuals():
    targets = Targets3D(np.zeros((0, 5, 3)), np.zeros((0, 5)))
    assert targets.residual(np.zeros((0, 5, 3))).shape == (0, 5, 3)
    assert targets.jacobian(np.zeros((0, 5, 3, 7))).shape == (0, 5, 3, 7)


def check_gradient(energy, pose):
    _, gradient = energy.linearise(energy.state(pose, WEIGHTS), WEIGHTS)
    for column in range(gradient.shape[1]):
        step = np.zeros_like(gradient)
        step[:, column] = 1e-6
        ahead = energy.state(energy.step(pose, step), WEIGHTS).energy
        behind = energy.state(energy.step(pose, -step), WEIGHTS).energy
        np.testing.assert_allclose(
            2.0 * gradient[:, column], (ahead - behind) / 2e-6, rtol=1e-4, atol=1e-4
        )


def test_a_body_behind_the_camera_has_infinite_energy(energy, pose):
    pose.transl[0, 2] = -4.0
    assert np.isinf(energy.state(pose, WEIGHTS).energy).tolist() == [True, False]


def test_descent_never_ends_higher_and_leaves_its_start_alone(energy, pose):
    before = energy.state(pose, WEIGHTS).energy
    kept = pose.rotations.copy()
    state = minimise(energy, pose, Stage(steps=5, weights=WEIGHTS))
    assert (state.energy < before).all()
    np.testing.assert_array_equal(pose.rotations, kept)


def test_rigid_descent_moves_only_root_and_translation(energy, pose):
    state = minimise(energy, pose, Stage(steps=3, weights=WEIGHTS, rigid=True))
    np.testing.assert_allclose(state.pose.rotations[:, 1:], pose.rotations[:, 1:], atol=1e-12)
    np.testing.assert_array_equal(state.pose.betas, pose.betas)


def test_far_outliers_hardly_pull(energy, pose):
    state = energy.state(pose, WEIGHTS)
    energy.image.pixels[:, 0] += 1e5
    moved = energy.state(pose, WEIGHTS)
    assert (moved.energy - state.energy < WEIGHTS.outlier_sigmas**2).all()
