import numpy as np

from posexfer_core.body.estimate.body_points import RestBody
from posexfer_core.body.estimate.kinematics import Skeleton
from posexfer_core.body.estimate.layouts import COCO17
from posexfer_core.body.estimate.prior import PosePrior
from posexfer_core.body.estimate.reach import ReachPrior
from posexfer_core.body.estimate.so3 import exp_map
from posexfer_core.body.model import JOINT_NAMES


def turned(**angles):
    pose = PosePrior().mean_pose()
    for joint, angle in angles.items():
        pose[JOINT_NAMES.index(joint)] = angle
    return exp_map(pose)[None]


def test_mean_pose_costs_nothing():
    assert PosePrior().energy(turned(), 1.0)[0] < 1e-20


def test_a_knee_bends_back_but_not_forward():
    prior = PosePrior()
    back = prior.energy(turned(l_knee=[1.2, 0.0, 0.0]), 1.0)
    forward = prior.energy(turned(l_knee=[-0.5, 0.0, 0.0]), 1.0)
    assert forward > 10.0 * back


def test_sides_mirror_each_other():
    prior = PosePrior()
    left = prior.energy(turned(l_elbow=[0.1, -1.9, 0.3], l_shoulder=[0.2, 0.3, -1.0]), 1.0)
    right = prior.energy(turned(r_elbow=[0.1, 1.9, -0.3], r_shoulder=[0.2, -0.3, 1.0]), 1.0)
    np.testing.assert_allclose(left, right)


def test_a_raised_thigh_expects_a_bent_knee():
    prior = PosePrior()
    thigh = [-1.6, 0.1, 0.05]
    bent = prior.energy(turned(l_hip=thigh, l_knee=[1.5, 0.0, 0.0]), 1.0)
    straight = prior.energy(turned(l_hip=thigh, l_knee=[0.2, 0.0, 0.0]), 1.0)
    assert bent < 0.7 * straight


def test_arms_rather_move_alike():
    def cost(left, right):
        arms = turned(l_shoulder=[0.0, -0.25, left], r_shoulder=[0.0, 0.25, -right])
        return PosePrior().energy(arms, 1.0)

    assert cost(0.3, -1.5) > 1.2 * (cost(0.3, 0.3) + cost(-1.5, -1.5)) / 2.0


def test_the_root_is_free():
    assert PosePrior().energy(turned(pelvis=[1.0, 2.0, -0.5]), 1.0)[0] < 1e-20


def test_a_hand_behind_the_back_costs_more_than_one_in_front(body):
    reach = ReachPrior(Skeleton(RestBody.of(body, COCO17)))
    front = reach.energy(turned(l_shoulder=[0.0, -1.0, 0.0]), 1.0)
    behind = reach.energy(turned(l_shoulder=[0.0, 1.0, 0.0]), 1.0)
    assert behind > 1.5 * front
