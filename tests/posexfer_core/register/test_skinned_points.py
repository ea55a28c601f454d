import numpy as np
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.fit.kinematics import Pose
from posexfer_core.geometry.so3 import exp_map
from posexfer_core.register.skinned_points import UNKNOWNS, SkinRig


def random_pose(batch: int) -> Pose:
    random = np.random.default_rng(0)
    return Pose(
        exp_map(random.normal(0, 0.4, (batch, 24, 3))),
        random.normal(size=(batch, 10)),
        random.normal(size=(batch, 3)),
    )


def test_skin_points_are_where_the_body_model_puts_them(body: BodyModel):
    pose, index = random_pose(2), np.array([3, 700, 7000])
    skin = SkinRig(body, index).place(pose)
    truth = body(*(torch.from_numpy(a).float() for a in (pose.rotations, pose.betas, pose.transl)))
    np.testing.assert_allclose(skin.points, truth.vertices[:, index].numpy(), atol=2e-5)
    np.testing.assert_allclose(skin.joints, truth.joints.numpy(), atol=2e-5)


def test_the_jacobian_is_that_of_finite_differences(body: BodyModel):
    rig, pose = SkinRig(body, np.array([3, 1500, 7000])), random_pose(1)
    skin = rig.place(pose)
    jacobian = rig.jacobian(skin)[0]
    assert jacobian.shape == (3, 3, UNKNOWNS)
    for unknown in (0, 5, 9 * 3 + 2, 18 * 3 + 1, 73, UNKNOWNS - 10, UNKNOWNS - 1):
        step = np.zeros(UNKNOWNS)
        step[unknown] = 1e-6
        moved = Pose(
            pose.rotations @ exp_map(step[:72].reshape(1, 24, 3)),
            pose.betas + step[75:],
            pose.transl + step[72:75],
        )
        slope = (rig.place(moved).points - skin.points)[0] / 1e-6
        np.testing.assert_allclose(jacobian[:, :, unknown], slope, atol=1e-5)


def test_normals_have_length_one_and_point_outwards(body: BodyModel):
    rest = Pose(np.tile(np.eye(3), (1, 24, 1, 1)), np.zeros((1, 10)), np.zeros((1, 3)))
    nose = body.keypoint_vertices["nose"]
    skin = SkinRig(body, np.array([nose])).place(rest)
    np.testing.assert_allclose(np.linalg.norm(skin.normals, axis=-1), 1.0)
    assert skin.normals[0, 0, 2] > 0.8
