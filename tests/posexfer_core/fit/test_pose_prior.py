import numpy as np
import pytest

from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.fit.pose_prior import PosePrior, soft_limits
from posexfer_core.geometry.so3 import exp_map


@pytest.fixture
def rng_poses():
    return exp_map(PosePrior().mean_pose() + 0.1 * np.random.default_rng(0).normal(size=(3, 24, 3)))


def turned(**angles):
    pose = PosePrior().mean_pose()
    for joint, angle in angles.items():
        pose[JOINT_NAMES.index(joint)] = angle
    return exp_map(pose)[None]


def cost(**angles):
    """Energy of a turned pose above that of the mean pose."""
    prior = PosePrior()
    return float((prior.energy(turned(**angles), 1.0) - prior.energy(turned(), 1.0))[0])


@pytest.mark.parametrize("joint", ["spine2", "head", "l_shoulder", "r_elbow", "l_ankle"])
def test_every_turn_from_the_mean_costs(joint):
    mean = PosePrior().mean_pose()[JOINT_NAMES.index(joint)]
    for axis in np.eye(3):
        assert cost(**{joint: mean + 0.3 * axis}) > 0.1


def test_a_knee_bends_back_but_not_forward():
    assert cost(l_knee=[-0.5, 0.0, 0.0]) > 10.0 * cost(l_knee=[1.2, 0.0, 0.0])


def test_sides_mirror_each_other():
    prior = PosePrior()
    left = prior.energy(turned(l_elbow=[0.1, -1.9, 0.3], l_shoulder=[0.2, 0.3, -1.0]), 1.0)
    right = prior.energy(turned(r_elbow=[0.1, 1.9, -0.3], r_shoulder=[0.2, -0.3, 1.0]), 1.0)
    np.testing.assert_allclose(left, right)


def test_a_raised_thigh_expects_a_bent_knee():
    thigh = [-1.6, 0.1, 0.05]
    bent = cost(l_hip=thigh, l_knee=[1.5, 0.0, 0.0])
    straight = cost(l_hip=thigh, l_knee=[0.2, 0.0, 0.0])
    assert bent < 0.7 * straight


def test_the_curvature_is_that_of_the_energy(rng_poses):
    """Gradient and Gauss-Newton matrix against differences of the energy."""
    prior, step = PosePrior(), 1e-5
    terms = prior.terms(rng_poses, 1.0)
    for joint in (1, 5, 16):
        for axis in range(3):
            turn = np.zeros(3)
            turn[axis] = step
            ends = []
            for sign in (1.0, -1.0):
                moved = rng_poses.copy()
                moved[:, joint] = moved[:, joint] @ exp_map(sign * turn)
                ends.append(prior.energy(moved, 1.0))
            slope = (ends[0] - ends[1]) / (2.0 * step)
            np.testing.assert_allclose(2.0 * terms.gradient[:, joint, axis], slope, rtol=1e-4)


def test_arms_rather_move_alike():
    def arms(left, right):
        return cost(l_shoulder=[0.0, -0.25, left], r_shoulder=[0.0, 0.25, -right])

    assert arms(0.3, -1.5) > 1.2 * (arms(0.3, 0.3) + arms(-1.5, -1.5)) / 2.0


def test_the_root_is_free():
    assert abs(cost(pelvis=[1.0, 2.0, -0.5])) < 1e-12


def test_soft_limits_are_those_of_the_energy_and_none_where_joints_are_free():
    limits, prior = soft_limits(), PosePrior()
    assert len(limits) == 24 and limits[0] is None
    for number, limit in enumerate(limits[1:]):
        if limit is None:
            assert prior.upper[number].min() > np.pi
        else:
            assert limit["lower"] == prior.lower[number].tolist()
            assert limit["upper"] == prior.upper[number].tolist()
    limited = {JOINT_NAMES[n] for n, limit in enumerate(limits) if limit is not None}
    assert limited == {f"{s}_{j}" for s in "lr" for j in ("hip", "knee", "shoulder", "elbow")}
