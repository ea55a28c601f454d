from dataclasses import replace
from typing import get_args

import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.retarget import Framing, floor_row, retarget
from posexfer_core.body.view import BodyView
from posexfer_core.errors import ParamsError
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from tests.posexfer_core.body.sample_params import facing_params, random_params


def tall() -> HumanParams:
    params = facing_params()
    betas = params.betas.clone()
    betas[..., 0] = 2.0
    return replace(params, betas=betas)


def test_a_body_onto_itself_stays(body: BodyModel):
    params = random_params()
    for framing in get_args(Framing):
        same = retarget(params, params, body, framing=framing)
        torch.testing.assert_close(same.transl, params.transl, atol=1e-4, rtol=0)
        torch.testing.assert_close(
            axis_angle_to_matrix(same.pose), params.rotations, atol=1e-4, rtol=0
        )


@pytest.mark.parametrize("framing", get_args(Framing))
def test_feet_stand_on_the_framing_bodys_row(body: BodyModel, framing: Framing):
    source, target = tall(), random_params(seed=3)
    result = retarget(source, target, body, framing=framing)
    frame = source if framing == "source" else target
    view, expected = BodyView.of(result, body), BodyView.of(frame, body)
    torch.testing.assert_close(floor_row(view), floor_row(expected), atol=0.02, rtol=0)
    torch.testing.assert_close(view.joints[:, 0, 2], expected.joints[:, 0, 2])
    torch.testing.assert_close(view.joints[:, 0, 0], expected.joints[:, 0, 0], atol=1e-5, rtol=0)
    assert torch.equal(result.betas, source.betas)
    assert result.image_size == frame.image_size


def test_the_pose_is_the_targets(body: BodyModel):
    target = random_params(seed=3)
    result = retarget(tall(), target, body)
    torch.testing.assert_close(result.pose[:, :, 1:], target.pose[:, :, 1:])
    torch.testing.assert_close(result.rotations, target.rotations, atol=1e-5, rtol=0)


def test_the_floor_row_of_one_point_worked_by_hand(body: BodyModel):
    view = BodyView.of(facing_params(), body)
    flat = torch.tensor([[[0.0, 0.5, 2.0], [0.1, 0.2, 1.0]]])
    two = replace(view, vertices=flat, canonical=torch.zeros(2, 3), parts=torch.zeros(2).long())
    # 300 * 0.5 / 2 + 128 = 203, 300 * 0.2 / 1 + 128 = 188
    torch.testing.assert_close(floor_row(two), torch.tensor([203.0]))


def side_seen(root_of: HumanParams, placed_as: HumanParams, body: BodyModel) -> torch.Tensor:
    """Return the direction across, in which a camera looks at a pelvis, in the body's own axes."""
    root = root_of.camera_from_world[:, :3, :3] @ root_of.rotations[:, 0, 0]
    pelvis = BodyView.of(placed_as, body, frame=None).joints[:, 0]
    across = pelvis * torch.tensor([1.0, 0.0, 1.0])
    ray = across / across.norm(dim=-1, keepdim=True)
    return (root.mT @ ray[..., None])[..., 0]


def aside(params: HumanParams, metres: float) -> HumanParams:
    return replace(params, transl=params.transl + torch.tensor([metres, 0.0, 0.0]))


@pytest.mark.parametrize("metres", [-2.0, 0.0, 2.0])
def test_another_place_in_the_image_shows_the_same_side(body: BodyModel, metres: float):
    source, target = aside(facing_params(), metres), random_params(seed=5)
    result = retarget(source, target, body, framing="source")
    seen, expected = side_seen(result, source, body), side_seen(target, target, body)
    torch.testing.assert_close(seen, expected, atol=1e-4, rtol=0)
    assert torch.equal(result.camera_from_world, source.camera_from_world)


def test_a_person_at_the_edge_is_turned_by_the_angle_of_its_ray_worked_by_hand(body: BodyModel):
    target = facing_params()
    ahead = replace(target, transl=target.transl.clone())
    ahead.transl[..., :2] -= BodyView.of(target, body).joints[0, 0, :2]  # on the optical axis
    depth = float(BodyView.of(ahead, body).joints[0, 0, 2])
    result = retarget(aside(ahead, depth), ahead, body, framing="source")  # 45 degrees aside
    turn = result.rotations[0, 0, 0] @ ahead.rotations[0, 0, 0].T
    expected = axis_angle_to_matrix(torch.tensor([0.0, torch.pi / 4.0, 0.0]))
    torch.testing.assert_close(turn, expected, atol=1e-4, rtol=0)


def test_another_camera_sees_the_same_side(body: BodyModel):
    turn = torch.eye(4)
    turn[:3, :3] = axis_angle_to_matrix(torch.tensor([0.0, 0.3, 0.0]))
    target = random_params(seed=5)
    target = target.with_camera(target.intrinsics, target.image_size, turn[None])
    source = facing_params()
    result = retarget(source, target, body, framing="source")
    seen, expected = side_seen(result, source, body), side_seen(target, target, body)
    torch.testing.assert_close(seen, expected, atol=1e-4, rtol=0)


def test_a_body_that_is_in_place_stays_as_it_is(body: BodyModel):
    once = retarget(aside(facing_params(), 1.0), random_params(seed=5), body, framing="source")
    twice = retarget(aside(facing_params(), 1.0), once, body, framing="source")
    torch.testing.assert_close(twice.rotations, once.rotations, atol=1e-4, rtol=0)
    torch.testing.assert_close(twice.transl, once.transl, atol=1e-3, rtol=0)


@pytest.mark.parametrize("framing", get_args(Framing))
def test_every_frame_of_the_target_is_kept(body: BodyModel, framing: Framing):
    target = random_params(frames=3)
    result = retarget(tall(), target, body, framing=framing)
    assert (result.frames, result.persons) == (3, 1)
    last = retarget(tall(), target.select(2), body, framing=framing)
    torch.testing.assert_close(result.transl[2:], last.transl, atol=1e-4, rtol=0)


def test_a_target_of_another_body_gives_its_pose(body: BodyModel):
    target = replace(random_params(), beta_space="smpl")
    result = retarget(tall(), target, body)
    assert result.beta_space == "posexfer"
    assert torch.equal(result.betas, tall().betas)


def test_crowds_and_unknown_framings_are_refused(body: BodyModel):
    with pytest.raises(ParamsError, match="2 and 1 frame"):
        retarget(random_params(persons=2), random_params(), body)
    with pytest.raises(ParamsError, match="choose with select"):
        retarget(random_params(), random_params(persons=2), body)
