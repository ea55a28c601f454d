import math

import numpy as np
import pytest
import torch

from posexfer_core.body.joints import JOINT_NAMES, PARENTS
from posexfer_core.body.model import ASSET, BodyModel, pose_joints
from posexfer_core.geometry.rotations import axis_angle_to_matrix


def random_pose(batch: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    axis_angle = 0.6 * torch.randn(batch, 24, 3, generator=generator)
    betas = 2 * torch.randn(batch, 10, generator=generator)
    return axis_angle, betas, torch.randn(batch, 3, generator=generator)


def smplx_body(arrays: dict[str, np.ndarray], keypoint_vertices: dict[str, int]):
    smplx = pytest.importorskip("smplx")
    from smplx.utils import Struct

    return smplx.SMPL(
        model_path="",
        data_struct=Struct(**arrays),
        vertex_ids=keypoint_vertices,
        num_betas=10,
        create_transl=False,
    )


def bundled_arrays() -> dict[str, np.ndarray]:
    with np.load(ASSET, allow_pickle=False) as file:
        return {name: file[name] for name in file.files if name != "vertex_ids"}


def test_joints_hang_on_earlier_joints():
    assert len(JOINT_NAMES) == len(PARENTS) == 24
    assert all(parent < joint for joint, parent in enumerate(PARENTS))


@pytest.mark.parametrize("pose_correction", [0.0, 1e-3])
def test_skinning_equals_smplx(body: BodyModel, generator, pose_correction: float):
    arrays = bundled_arrays()
    random = np.random.default_rng(0)
    shape = (*arrays["v_template"].shape, 207)
    arrays["posedirs"] = random.normal(0, 1, shape).astype(np.float32) * pose_correction
    ours = BodyModel.from_arrays(
        arrays, keypoint_vertices=body.keypoint_vertices, beta_space="posexfer"
    )
    theirs = smplx_body(arrays, body.keypoint_vertices)
    axis_angle, betas, transl = random_pose(3, generator)
    expected = theirs(
        betas=betas,
        global_orient=axis_angle[:, 0],
        body_pose=axis_angle[:, 1:].reshape(3, -1),
        transl=transl,
    )
    found = ours(axis_angle_to_matrix(axis_angle), betas, transl)
    torch.testing.assert_close(found.vertices, expected.vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.joints, expected.joints[:, :24], atol=1e-5, rtol=0)


def test_a_body_without_pose_correction_is_one_with_zeros(toy_smpl, generator):
    toy_smpl["posedirs"] = np.zeros_like(toy_smpl["posedirs"])
    with_zeros = BodyModel.from_arrays(toy_smpl, keypoint_vertices={}, beta_space="smpl")
    del toy_smpl["posedirs"]
    without = BodyModel.from_arrays(toy_smpl, keypoint_vertices={}, beta_space="smpl")
    axis_angle, betas, transl = random_pose(2, generator)
    pose = (axis_angle_to_matrix(axis_angle), betas, transl)
    torch.testing.assert_close(with_zeros(*pose).vertices, without(*pose).vertices)


def test_the_rest_pose_is_the_template_moved(body: BodyModel):
    transl = torch.tensor([[1.0, 2.0, 3.0]])
    geometry = body(torch.eye(3).repeat(1, 24, 1, 1), torch.zeros(1, 10), transl)
    torch.testing.assert_close(geometry.vertices[0], body.v_template + transl)
    torch.testing.assert_close(geometry.joints[0], body.joint_regressor @ body.v_template + transl)


def test_the_root_turns_about_the_pelvis_and_not_the_origin(body: BodyModel):
    rotations = torch.eye(3).repeat(1, 24, 1, 1)
    rotations[0, 0] = axis_angle_to_matrix(torch.tensor([math.pi, 0.0, 0.0]))
    zeros = torch.zeros(1, 10), torch.zeros(1, 3)
    _, rest = body.rest(zeros[0])
    turned = body(rotations, *zeros)
    torch.testing.assert_close(turned.joints[:, 0], rest[:, 0])
    head = JOINT_NAMES.index("head")  # 0.59 m above the pelvis, then as far below
    assert turned.joints[0, head, 1] - rest[0, 0, 1] == pytest.approx(-0.59, abs=1e-3)


def test_a_bent_elbow_moves_the_forearm_alone(body: BodyModel):
    rotations = torch.eye(3).repeat(1, 24, 1, 1)
    elbow = JOINT_NAMES.index("l_elbow")
    rotations[0, elbow] = axis_angle_to_matrix(torch.tensor([0.0, 0.0, math.pi / 2]))
    _, rest = body.rest(torch.zeros(1, 10))
    posed = body(rotations, torch.zeros(1, 10), torch.zeros(1, 3)).joints
    moved = (posed - rest).norm(dim=-1)[0] > 1e-5
    assert [JOINT_NAMES[j] for j in moved.nonzero().ravel().tolist()] == ["l_wrist", "l_hand"]
    forearm = rest[0, elbow + 2] - rest[0, elbow]  # (x, y, z) -> (-y, x, z)
    expected = rest[0, elbow] + torch.stack([-forearm[1], forearm[0], forearm[2]])
    torch.testing.assert_close(posed[0, elbow + 2], expected)


def test_world_rotations_multiply_down_the_skeleton():
    turn = axis_angle_to_matrix(torch.tensor([0.0, 0.0, 0.1]))
    rotations = turn.expand(1, 24, 3, 3)
    world, _ = pose_joints(rotations, torch.randn(1, 24, 3))
    hand = JOINT_NAMES.index("l_hand")  # eight joints below the pelvis, spine and collar included
    expected = axis_angle_to_matrix(torch.tensor([0.0, 0.0, 0.9]))
    torch.testing.assert_close(world[0, hand], expected)


def test_each_body_of_a_batch_is_posed_alone(body: BodyModel, generator):
    axis_angle, betas, transl = random_pose(3, generator)
    rotations = axis_angle_to_matrix(axis_angle)
    together = body(rotations, betas, transl)
    alone = body(rotations[1:2], betas[1:2], transl[1:2])
    torch.testing.assert_close(together.vertices[1:2], alone.vertices, atol=1e-6, rtol=0)


def test_no_body_is_an_empty_batch(body: BodyModel):
    geometry = body(torch.zeros(0, 24, 3, 3), torch.zeros(0, 10), torch.zeros(0, 3))
    assert geometry.vertices.shape == (0, len(body.v_template), 3)


def test_gradients_are_those_of_finite_differences(toy_smpl, generator):
    body = BodyModel.from_arrays(toy_smpl, keypoint_vertices={}, beta_space="smpl").double()
    inputs = [tensor.double().requires_grad_() for tensor in random_pose(1, generator)]

    def some_vertices(axis_angle, betas, transl):
        return body(axis_angle_to_matrix(axis_angle), betas, transl).vertices[:, ::50]

    assert torch.autograd.gradcheck(some_vertices, inputs)


def test_the_rest_body_faces_forward_with_its_left_on_positive_x(body: BodyModel):
    _, joints = body.rest(torch.zeros(1, 10))
    named = dict(zip(JOINT_NAMES, joints[0], strict=True))
    assert named["l_hand"][0] > 0.5 > -0.5 > named["r_hand"][0]
    assert named["head"][1] > named["pelvis"][1] > named["l_foot"][1]
    nose = body.v_template[body.keypoint_vertices["nose"]]
    assert nose[2] > named["head"][2] + 0.08


def test_canonical_places_have_their_origin_at_the_pelvis(body: BodyModel):
    pelvis = body.joint_regressor[0] @ body.canonical
    torch.testing.assert_close(pelvis, torch.zeros(3), atol=1e-6, rtol=0)
    assert body.canonical[:, 1].max() - body.canonical[:, 1].min() == pytest.approx(2.0)
    assert body.canonical.abs().max() < 1.1


def test_parts_are_the_joints_that_move_a_vertex_most(body: BodyModel):
    wrist = body.keypoint_vertices["lindex"]
    assert JOINT_NAMES[int(body.parts[wrist])] == "l_hand"
    assert set(body.parts.tolist()) == set(range(24))


def test_every_bundled_body_may_be_changed_alone():
    first, second = BodyModel.bundled(), BodyModel.bundled()
    first.v_template += 1.0
    assert not torch.equal(first.v_template, second.v_template)
    assert not second.state_dict()


def test_fewer_shape_directions_are_padded_and_more_are_cut(toy_smpl):
    for count in (6, 16):
        toy_smpl["shapedirs"] = np.ones((200, 3, count))
        body = BodyModel.from_arrays(toy_smpl, keypoint_vertices={}, beta_space="smpl")
        assert body.shapedirs.shape == (200, 3, 10)
        assert body.shapedirs.sum() == 600 * min(count, 10)
