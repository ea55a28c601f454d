import numpy as np
import pytest
import torch

from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.conventions import BETA_COUNT
from posexfer_core.fit.kinematics import Pose, Skeleton
from posexfer_core.geometry.so3 import exp_map
from posexfer_core.keypoints.keypoint_placement import RestBody
from posexfer_core.keypoints.layouts import COCO17, FEET6

NAMES = (*COCO17, *FEET6, "l_knuckle", "r_knuckle", "neck", "mid_hip")


@pytest.fixture
def skeleton(body):
    return Skeleton(RestBody.of(body, NAMES))


@pytest.fixture
def pose():
    rng = np.random.default_rng(0)
    rotations = exp_map(0.6 * rng.normal(size=(3, 24, 3)))
    return Pose(rotations, rng.normal(size=(3, BETA_COUNT)), rng.normal((0, 0, 5), 1.0, (3, 3)))


def test_joints_are_those_of_the_body_model(body, skeleton, pose):
    with torch.no_grad():
        model = body(*(torch.tensor(x).float() for x in (pose.rotations, pose.betas, pose.transl)))
    np.testing.assert_allclose(skeleton.place(pose).joints, model.joints.numpy(), atol=1e-5)


def test_face_keypoints_ride_with_the_skin(body, skeleton, pose):
    with torch.no_grad():
        model = body(*(torch.tensor(x).float() for x in (pose.rotations, pose.betas, pose.transl)))
    nose = model.vertices[:, body.keypoint_vertices["nose"]].numpy()
    np.testing.assert_allclose(skeleton.place(pose).points[:, 0], nose, atol=0.01)


def test_jacobian_agrees_with_differences(skeleton, pose):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(3, len(NAMES), 2, 3))
    jacobian = skeleton.jacobian(skeleton.place(pose), rows)
    measure = lambda moved: (rows @ skeleton.place(moved).points[..., None])[..., 0]  # noqa: E731
    for column in range(skeleton.unknowns):
        ahead, behind = (_moved(skeleton, pose, column, size) for size in (1e-6, -1e-6))
        difference = (measure(ahead) - measure(behind)) / 2e-6
        np.testing.assert_allclose(jacobian[..., column], difference, atol=1e-6)


def test_only_joints_that_move_a_keypoint_are_unknown(body):
    active = Skeleton(RestBody.of(body, COCO17)).active
    names = {JOINT_NAMES[joint] for joint in active}
    assert {"l_hand", "r_wrist", "l_ankle", "r_foot"}.isdisjoint(names)
    assert {"pelvis", "l_knee", "r_elbow", "head"} <= names


def _moved(skeleton, pose, column, size):
    moved = pose.take(np.arange(3))
    turns = 3 * len(skeleton.active)
    if column < turns:
        joint = skeleton.active[column // 3]
        moved.rotations[:, joint] = moved.rotations[:, joint] @ exp_map(
            size * np.eye(3)[column % 3]
        )
    elif column < turns + 3:
        moved.transl[:, column - turns] += size
    else:
        moved.betas[:, column - turns - 3] += size
    return moved
