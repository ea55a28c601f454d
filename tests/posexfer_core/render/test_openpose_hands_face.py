from dataclasses import replace

import pytest
import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.render.control_maps import MapStyle, paint_openpose
from posexfer_core.render.openpose_hands_face import HAND_LIMBS, hand_keypoints
from tests.posexfer_core.body.sample_params import facing_params
from tests.posexfer_core.render.test_control_maps import turned

HANDS = MapStyle(openpose_points="hands")


@pytest.fixture
def view(body: BodyModel) -> BodyView:
    return BodyView.of(facing_params(), body)


def test_every_finger_hangs_on_the_wrist():
    assert len(HAND_LIMBS) == 20
    assert [limb for limb in HAND_LIMBS if limb[0] == 0] == [(0, k) for k in (1, 5, 9, 13, 17)]
    assert (5, 6) in HAND_LIMBS and (19, 20) in HAND_LIMBS


def test_fingers_that_do_not_move_are_straight_from_wrist_to_tip(view: BodyView):
    left = hand_keypoints(view)[0, 0]
    wrist = view.joints[0, JOINT_INDEX["l_wrist"]]
    tip = view.vertices[0, view.keypoint_vertices["lmiddle"]]
    torch.testing.assert_close(left[0], wrist)
    torch.testing.assert_close(left[12], tip)
    torch.testing.assert_close(left[9], (wrist + tip) / 2)


def test_moving_fingers_are_where_the_regressor_puts_them(view: BodyView):
    regressor = torch.zeros(30, view.vertices.shape[1])
    regressor[3, 100] = regressor[15 + 12, 200] = 1.0  # left middle's knuckle, right thumb's first
    hands = hand_keypoints(replace(view, detail_regressors={"fingers": regressor}))[0]
    torch.testing.assert_close(hands[0, 9], view.vertices[0, 100])
    torch.testing.assert_close(hands[1, 1], view.vertices[0, 200])


def test_a_body_without_fingertips_has_no_hands(view: BodyView):
    bare = replace(view, keypoint_vertices={**view.keypoint_vertices})
    del bare.keypoint_vertices["lring"]
    assert hand_keypoints(bare).shape == (1, 0, 21, 3)
    assert torch.equal(paint_openpose(bare, HANDS), paint_openpose(bare))


def test_hands_are_drawn_with_blue_dots_where_they_are(body: BodyModel):
    view = turned(body, 0.0, (768, 512))
    painted = paint_openpose(view, HANDS)[0] - paint_openpose(view)[0]
    for hand in project_perspective(hand_keypoints(view)[0], view.intrinsics.expand(2, 3, 3)):
        tip = hand[12].long()
        torch.testing.assert_close(painted[:, tip[1], tip[0]], torch.tensor([0.0, 0.0, 1.0]))
    assert not painted[:, 300:].any(), "nothing but the hands, which are held out, has changed"


def test_a_hand_behind_the_body_is_left_out(body: BodyModel):
    side = turned(body, 90.0, (768, 512))
    shown = [
        paint_openpose(side, MapStyle(openpose_points="hands", openpose_hides=hides)).sum()
        for hides in ("face", "nothing")
    ]
    assert shown[0] < shown[1]


def test_points_of_a_face_are_white_and_seen_from_the_front_alone(body: BodyModel):
    style = MapStyle(openpose_points="hands and face")
    changed = []
    for yaw in (0.0, 180.0):
        view = turned(body, yaw, (768, 512))
        regressor = torch.zeros(51, view.vertices.shape[1])
        regressor[:, view.keypoint_vertices["nose"]] = 1.0
        with_face = paint_openpose(replace(view, detail_regressors={"face": regressor}), style)
        changed.append(with_face - paint_openpose(view, HANDS))
        assert torch.equal(paint_openpose(view, style), paint_openpose(view, HANDS))
    assert float(changed[0].max()) > 0.9 and not changed[1].any()
