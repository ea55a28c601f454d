import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.render import openpose as skeleton
from posexfer_core.render.openpose import (
    COLOURS,
    KEYPOINT_NAMES,
    LIMBS,
    draw_discs,
    draw_skeleton,
    keypoint_visibility,
    keypoints18,
)
from tests.posexfer_core.body.sample_params import facing_params, random_params

SIZE = (64, 48)


def one_limb(first: int, second: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Place two keypoints 20 px apart on row 30.5 and hide the others."""
    pixels = torch.zeros(1, 18, 2)
    pixels[0, first] = torch.tensor([10.5, 30.5])
    pixels[0, second] = torch.tensor([30.5, 30.5])
    shown = torch.zeros(1, 18, dtype=torch.bool)
    shown[0, [first, second]] = True
    return pixels, shown


def test_there_are_18_keypoints_and_17_limbs():
    assert len(KEYPOINT_NAMES) == len(COLOURS) == 18
    assert len(LIMBS) == 17
    assert {end for limb in LIMBS for end in limb} == set(range(18))


def test_keypoints_are_the_joints_in_the_image(body: BodyModel):
    view = BodyView.of(facing_params(), body)
    points = keypoints18(view)[0]
    x, y, z = view.joints[0, 20].tolist()  # the left wrist
    expected = torch.tensor([300.0 * x / z + 88.0, 300.0 * y / z + 128.0, z])
    torch.testing.assert_close(points[KEYPOINT_NAMES.index("l_wrist")], expected)
    neck = (view.joints[0, 16] + view.joints[0, 17]) / 2
    torch.testing.assert_close(points[1, 2], neck[2])


def test_left_and_right_are_the_persons_own(body: BodyModel):
    points = keypoints18(BodyView.of(facing_params(), body))[0]
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "eye", "ear"):
        left = points[KEYPOINT_NAMES.index(f"l_{part}"), 0]
        assert left > points[KEYPOINT_NAMES.index(f"r_{part}"), 0], part


def test_a_limb_has_its_colour_at_60_percent_between_its_dots():
    image = draw_skeleton(*one_limb(3, 4), SIZE)
    colour = 0.6 * torch.tensor(COLOURS[LIMBS.index((3, 4))]) / 255.0
    torch.testing.assert_close(image[0, :, 30, 20], colour)
    for keypoint, column in ((3, 10), (4, 30)):
        dot = torch.tensor(COLOURS[keypoint]) / 255.0
        torch.testing.assert_close(image[0, :, 30, column], dot)
    assert image[0, :, 34].sum() == 0  # one pixel wide: 4 * 64 / 512 < 1


def test_a_limb_needs_both_ends():
    pixels, shown = one_limb(3, 4)
    shown[0, 4] = False
    image = draw_skeleton(pixels, shown, SIZE)
    assert image[0, :, 30, 20].sum() == 0
    assert image[0, :, 30, 10].sum() > 0


def test_nothing_shown_is_black():
    assert not draw_skeleton(
        torch.zeros(1, 18, 2), torch.zeros(1, 18, dtype=torch.bool), SIZE
    ).any()


def test_width_follows_the_image():
    pixels, shown = one_limb(3, 4)
    small = draw_skeleton(pixels, shown, (256, 192))[0].sum(dim=0)
    large = draw_skeleton(4.0 * pixels, shown, (1024, 768))[0].sum(dim=0)
    assert large.sum() / small.sum() == pytest.approx(16.0, rel=0.05)


@pytest.mark.parametrize("batch", [1, 3])
def test_compiled_and_plain_painting_agree(
    body: BodyModel, monkeypatch: pytest.MonkeyPatch, batch: int
):
    points = keypoints18(BodyView.of(random_params(frames=batch), body, frame=None))
    shown = torch.ones(batch, 18, dtype=torch.bool)
    fast = draw_skeleton(points[..., :2], shown, (256, 176))
    monkeypatch.setattr(skeleton, "_compiled_loops", lambda: None)
    plain = draw_skeleton(points[..., :2], shown, (256, 176))
    torch.testing.assert_close(fast, plain, atol=1e-4, rtol=1e-4)
    assert 0.0 <= float(plain.min()) <= float(plain.max()) <= 1.0


def test_keypoints_far_outside_or_not_finite_do_no_harm():
    pixels = torch.full((1, 18, 2), 1e9)
    pixels[0, 0] = torch.nan
    pixels[0, 1] = -1e9
    image = draw_skeleton(pixels, torch.ones(1, 18, dtype=torch.bool), SIZE)
    assert torch.isfinite(image).all()


def test_the_back_of_a_person_hides_the_face(body: BodyModel):
    view = BodyView.of(facing_params(joint_0=(0.0, 0.0, torch.pi)), body)
    seen = keypoint_visibility(keypoints18(view), view.visibility)[0]
    assert not seen[KEYPOINT_NAMES.index("nose")]
    assert seen[KEYPOINT_NAMES.index("r_elbow")]
    front = BodyView.of(facing_params(), body)
    assert keypoint_visibility(keypoints18(front), front.visibility).all()


def test_a_point_outside_the_image_is_hidden_by_nothing(body: BodyModel):
    view = BodyView.of(facing_params(), body)
    points = torch.tensor([[[-5.0, 3.0, 9.0], [500.0, 3.0, 9.0], [88.0, 128.0, -1.0]]])
    assert keypoint_visibility(points, view.visibility).tolist() == [[True, True, False]]


def test_a_disc_covers_its_area():
    disc = draw_discs(torch.tensor([[[20.3, 30.8]]]), torch.tensor([[True]]), 6.0, SIZE)
    assert disc.shape == (1, 1, *SIZE)
    assert float(disc.sum()) == pytest.approx(torch.pi * 36.0, rel=0.01)
