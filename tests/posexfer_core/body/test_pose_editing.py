from dataclasses import replace

import pytest
import torch

from posexfer_core.body.hands_face import HandsFace
from posexfer_core.body.joints import MIRRORED_JOINTS
from posexfer_core.body.model import BodyModel
from posexfer_core.body.pose_editing import blended, mirrored
from posexfer_core.body.view import BodyView
from posexfer_core.errors import ParamsError
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from tests.posexfer_core.body.sample_params import facing_params, random_params


def turned_camera(frames: int) -> torch.Tensor:
    camera = torch.eye(4).repeat(frames, 1, 1)
    camera[:, :3, :3] = axis_angle_to_matrix(torch.tensor([0.1, 0.4, -0.2]))
    camera[:, :3, 3] = torch.tensor([0.3, -0.1, 0.5])
    return camera


def pixels(view: BodyView) -> torch.Tensor:
    return project_perspective(view.joints, view.intrinsics)


def test_a_mirrored_image_shows_the_other_sides_joints(body: BodyModel):
    params = replace(random_params(2), camera_from_world=turned_camera(2))
    params.intrinsics[:, 0, 2] = 70.0
    before = pixels(BodyView.of(params, body, frame=None))
    after = pixels(BodyView.of(mirrored(params), body, frame=None))
    before[..., 0] = params.image_size[1] - before[..., 0]
    torch.testing.assert_close(after, before[:, MIRRORED_JOINTS.tolist()], atol=0.3, rtol=0)


def test_mirroring_twice_changes_nothing(body: BodyModel):
    params = replace(random_params(2, 2), camera_from_world=turned_camera(2))
    params = replace(params, hands_face=HandsFace.rest(params.pose).each(lambda one: one + 0.1))
    again = mirrored(mirrored(params))
    for name in ("pose", "transl", "intrinsics", "camera_from_world"):
        torch.testing.assert_close(getattr(again, name), getattr(params, name))
    assert again.hands_face is not None and params.hands_face is not None
    torch.testing.assert_close(again.hands_face.fingers, params.hands_face.fingers)


def test_a_raised_left_arm_becomes_a_raised_right_arm():
    raised = mirrored(facing_params(joint_16=(0.2, 0.3, 1.0)))
    torch.testing.assert_close(raised.pose[0, 0, 17], torch.tensor([0.2, -0.3, -1.0]))
    assert float(raised.pose[0, 0, 16].abs().max()) == 0.0


def test_the_ends_of_a_blend_are_the_poses_themselves(body: BodyModel):
    start, end = random_params(2, seed=0), random_params(2, seed=1)
    end = replace(end, camera_from_world=turned_camera(2))
    for share, own in ((0.0, start), (1.0, end)):
        seen = BodyView.of(blended(start, end, share, body), body, frame=None)
        wanted = BodyView.of(own, body, frame=None)
        torch.testing.assert_close(seen.joints, wanted.joints, atol=1e-4, rtol=0)


def test_half_way_is_half_the_angle_and_half_the_way(body: BodyModel):
    start, end = facing_params(), facing_params(joint_18=(0.0, -1.2, 0.0))
    end = replace(end, transl=end.transl + 0.4)
    middle = blended(start, end, 0.5, body)
    torch.testing.assert_close(middle.pose[0, 0, 18], torch.tensor([0.0, -0.6, 0.0]))
    torch.testing.assert_close(middle.transl, start.transl + 0.2)


def test_fingers_are_blended_too(body: BodyModel):
    start = facing_params()
    curled = HandsFace.rest(start.pose).each(torch.clone)
    curled.fingers[..., 2] = 0.8
    middle = blended(start, replace(start, hands_face=curled), 0.25, body)
    assert middle.hands_face is not None
    torch.testing.assert_close(middle.hands_face.fingers, 0.25 * curled.fingers)


def test_poses_that_do_not_go_together_get_a_sentence(body: BodyModel):
    with pytest.raises(ParamsError, match="cannot be blended"):
        blended(random_params(1), random_params(2), 0.5, body)
    with pytest.raises(ParamsError, match="expected 0"):
        blended(random_params(), random_params(), 1.5, body)
