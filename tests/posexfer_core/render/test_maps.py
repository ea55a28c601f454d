import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.render import maps
from tests.posexfer_core.body.sample_params import facing_params, random_params
from tests.posexfer_core.geometry.backends import rasterize_by


@pytest.fixture
def view(body: BodyModel) -> BodyView:
    return BodyView.of(facing_params(), body)


def square_view(z: float) -> BodyView:
    """Make a square of 2 m at depth z that faces the camera, pelvis 4 m away, f = 10, 20 x 20."""
    corners = [[-1.0, -1.0, z], [1.0, -1.0, z], [1.0, 1.0, z], [-1.0, 1.0, z]]
    joints = torch.zeros(1, 24, 3)
    joints[..., 2] = 4.0
    faces = torch.tensor([[0, 2, 1], [0, 3, 2]])
    return BodyView(
        vertices=torch.tensor([corners]),
        joints=joints,
        faces=faces,
        canonical=torch.tensor([[-1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1, -1, 0]]),
        parts=torch.tensor([3, 3, 3, 3]),
        keypoint_vertices={},
        intrinsics=torch.tensor([[[10.0, 0.0, 10.0], [0.0, 10.0, 10.0], [0.0, 0.0, 1.0]]]),
        size=(20, 20),
    )


def test_a_square_at_2_m_fills_10_pixels_and_lies_2_m_before_the_pelvis():
    view = square_view(2.0)
    mask = maps.mask_map(view)
    assert mask.sum() == 100
    assert mask[0, 0, 5:15, 5:15].all()
    # 2 m before the pelvis is clipped to 1.5 m
    torch.testing.assert_close(maps.depth_map(view), -1.5 * mask)
    toward = torch.tensor([0.0, 0.0, -1.0])[:, None, None]
    torch.testing.assert_close(maps.normal_map(view), toward * mask)


def test_canonical_place_is_linear_on_a_square():
    drawn = maps.canonical_map(square_view(2.0))
    steps = torch.linspace(-0.9, 0.9, 10)
    torch.testing.assert_close(drawn[0, 0, 7, 5:15], steps)
    torch.testing.assert_close(drawn[0, 1, 5:15, 7], -steps)


def test_depth_counts_from_the_pelvis():
    view = square_view(3.5)
    inside = maps.depth_map(view)[0, 0, 9:11, 9:11]
    torch.testing.assert_close(inside, torch.full((2, 2), -0.5))


def test_everything_is_zero_off_the_body(view: BodyView):
    drawn = maps.prior_maps(view)
    off = drawn["mask"][0, 0] == 0
    for name in ("depth", "normal", "canonical"):
        assert not drawn[name][0][:, off].any(), name


def test_normals_are_unit_and_face_the_camera(view: BodyView):
    normals = maps.normal_map(view)[0]
    on = maps.mask_map(view)[0, 0] > 0
    torch.testing.assert_close(normals.norm(dim=0)[on], torch.ones(int(on.sum())))
    assert (normals[2][on] < 0.3).all()
    assert normals[2][on].mean() < -0.5


def test_prior_maps_equal_the_single_maps(body: BodyModel):
    view = BodyView.of(random_params(frames=2), body, frame=None)
    drawn = maps.prior_maps(view)
    assert {name: part.shape[1] for name, part in drawn.items()} == {
        "mask": 1,
        "depth": 1,
        "normal": 3,
        "canonical": 3,
        "skeleton": 3,
    }
    for name, part in drawn.items():
        torch.testing.assert_close(part, getattr(maps, f"{name}_map")(view))


def test_a_batch_draws_what_single_views_draw(body: BodyModel):
    params = random_params(frames=2)
    together = maps.prior_maps(BodyView.of(params, body, frame=None))
    alone = maps.prior_maps(BodyView.of(params, body, frame=1))
    for name, part in together.items():
        torch.testing.assert_close(part[1:], alone[name], atol=2e-3, rtol=0)  # half a grey level


def test_moving_camera_and_body_back_changes_no_relative_depth(view: BodyView):
    # the same image of a body twice as far through a lens twice as long, up to perspective
    drawn = maps.depth_map(view)
    centre = view.visibility.depth - view.joints[:, 0, 2]
    on = view.visibility.mask
    torch.testing.assert_close(drawn[:, 0][on], centre[on].clamp(-1.5, 1.5))


def test_the_skeleton_map_draws_hidden_keypoints_too(body: BodyModel):
    behind = facing_params(joint_0=(0.0, 0.0, torch.pi))  # the back is turned
    view = BodyView.of(behind, body)
    nose = view.vertices[0, view.keypoint_vertices["nose"]]
    x, y, w = (view.intrinsics[0] @ nose).tolist()
    assert maps.skeleton_map(view)[0, 0, int(y / w), int(x / w)] > 0.5  # its red dot


def test_torch_and_numba_draw_the_same(body: BodyModel):
    pytest.importorskip("numba")
    view = BodyView.of(facing_params(), body)
    other = BodyView.of(facing_params(), body)
    slow = rasterize_by("torch", view.vertices, view.faces, view.intrinsics, view.size)
    other.__dict__["visibility"] = slow
    agree = slow.face_id[0] == view.visibility.face_id[0]
    assert agree.float().mean() > 0.999
    for name in ("depth", "normal", "canonical"):
        fast, plain = maps.prior_maps(view)[name][0], maps.prior_maps(other)[name][0]
        torch.testing.assert_close(fast[:, agree], plain[:, agree], atol=1e-4, rtol=1e-4)
