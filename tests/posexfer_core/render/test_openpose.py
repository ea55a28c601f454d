import pytest
import torch

from posexfer_core.body.joints import OPENPOSE18
from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.render import openpose
from posexfer_core.render.openpose import (
    COLOURS,
    LIMB_BRIGHTNESS,
    LIMBS,
    NEAR_PX,
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
    assert len(OPENPOSE18) == len(COLOURS) == 18
    assert len(LIMBS) == 17
    assert {end for limb in LIMBS for end in limb} == set(range(18))


def test_keypoints_are_the_joints_in_the_image(body: BodyModel):
    view = BodyView.of(facing_params(), body)
    points = keypoints18(view)[0]
    x, y, z = view.joints[0, 20].tolist()  # the left wrist
    expected = torch.tensor([300.0 * x / z + 88.0, 300.0 * y / z + 128.0, z])
    torch.testing.assert_close(points[OPENPOSE18.index("l_wrist")], expected)
    neck = (view.joints[0, 16] + view.joints[0, 17]) / 2
    torch.testing.assert_close(points[1, 2], neck[2])


def test_left_and_right_are_the_persons_own(body: BodyModel):
    points = keypoints18(BodyView.of(facing_params(), body))[0]
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "eye", "ear"):
        left = points[OPENPOSE18.index(f"l_{part}"), 0]
        assert left > points[OPENPOSE18.index(f"r_{part}"), 0], part


def test_a_limb_has_its_colour_at_60_percent_between_its_dots():
    image = draw_skeleton(*one_limb(3, 4), SIZE, radius_px=1.0)
    colour = 0.6 * torch.tensor(COLOURS[LIMBS.index((3, 4))]) / 255.0
    torch.testing.assert_close(image[0, :, 30, 20], colour)
    for keypoint, column in ((3, 10), (4, 30)):
        dot = torch.tensor(COLOURS[keypoint]) / 255.0
        torch.testing.assert_close(image[0, :, 30, column], dot)
    assert image[0, :, 34].sum() == 0


def test_a_limb_needs_both_ends():
    pixels, shown = one_limb(3, 4)
    shown[0, 4] = False
    image = draw_skeleton(pixels, shown, SIZE, radius_px=1.0)
    assert image[0, :, 30, 20].sum() == 0
    assert image[0, :, 30, 10].sum() > 0


def test_nothing_shown_is_black():
    nothing = torch.zeros(1, 18, dtype=torch.bool)
    assert not draw_skeleton(torch.zeros(1, 18, 2), nothing, SIZE, radius_px=4.0).any()


def test_width_follows_the_radius():
    pixels, shown = one_limb(3, 4)
    small = draw_skeleton(pixels, shown, (256, 192), radius_px=2.0)[0].sum()
    large = draw_skeleton(4.0 * pixels, shown, (1024, 768), radius_px=8.0)[0].sum()
    assert float(large / small) == pytest.approx(16.0, rel=0.05)


def drawn_twice(pixels: torch.Tensor, size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw all keypoints, and once more by blending whole images."""
    shown = torch.ones(len(pixels), 18, dtype=torch.bool)
    ellipses, drawn = openpose._ellipses(pixels, shown, LIMBS, 2.0, 2.0)
    colours = torch.tensor(COLOURS) / 255.0
    colours = torch.cat([colours[: len(LIMBS)] * LIMB_BRIGHTNESS, colours])
    rows, columns = torch.arange(size[0])[:, None] + 0.5, torch.arange(size[1])[None] + 0.5
    plain = torch.zeros(len(pixels), 3, *size)
    for shape in range(ellipses.shape[1]):
        cx, cy, dx, dy, a, b = ellipses[:, shape, :, None, None].unbind(1)
        x, y = columns - cx, rows - cy
        u, v = x * dx + y * dy, y * dx - x * dy
        k = torch.sqrt((u / a) ** 2 + (v / b) ** 2)
        slope = torch.sqrt((u / a**2) ** 2 + (v / b**2) ** 2).clamp(min=1e-9)
        cover = (0.5 - k * (k - 1.0) / slope).clamp(0.0, 1.0)
        cover = torch.where(k < 1e-4, 1.0, cover) * drawn[:, shape, None, None]
        cover = cover * (x.abs() <= torch.hypot(a * dx, b * dy) + NEAR_PX)
        cover = cover * (y.abs() <= torch.hypot(a * dy, b * dx) + NEAR_PX)
        plain = plain + cover[:, None] * (colours[shape, :, None, None] - plain)
    return draw_skeleton(pixels, shown, size, radius_px=2.0), plain


@pytest.mark.parametrize("batch", [1, 3])
def test_painting_near_the_shapes_and_plain_painting_agree(body: BodyModel, batch: int):
    points = keypoints18(BodyView.of(random_params(frames=batch), body, frame=None))
    fast, plain = drawn_twice(points[..., :2], (256, 176))
    torch.testing.assert_close(fast, plain, atol=1e-5, rtol=0)
    assert 0.0 <= float(plain.min()) <= float(plain.max()) <= 1.0


def test_painting_and_plain_painting_agree_on_points_outside_or_not_finite(
    generator: torch.Generator,
):
    pixels = 60.0 * torch.rand(4, 18, 2, generator=generator)
    pixels[0, 4] = torch.tensor([-2000.0, 900.0])  # a wrist far outside: the forearm crosses
    pixels[1, [0, 2]] = torch.nan
    pixels[2, [0, 7]] = torch.inf
    pixels[3, [3, 9]] = -1e9
    fast, plain = drawn_twice(pixels, SIZE)
    torch.testing.assert_close(fast, plain, atol=1e-5, rtol=0)
    assert (fast.amax(dim=(1, 2, 3)) > 0.5).all(), "the other keypoints are drawn"


def test_keypoints_far_outside_or_not_finite_are_not_drawn():
    pixels = torch.full((1, 18, 2), 1e9)
    pixels[0, :4] = torch.tensor([torch.nan, torch.inf, -torch.inf, -1e9])[:, None]
    shown = torch.ones(1, 18, dtype=torch.bool)
    assert not draw_skeleton(pixels, shown, SIZE, radius_px=4.0).any()


def test_the_back_of_a_person_hides_the_face(body: BodyModel):
    view = BodyView.of(facing_params(joint_0=(0.0, 0.0, torch.pi)), body)
    seen = keypoint_visibility(keypoints18(view), view.visibility)[0]
    assert not seen[OPENPOSE18.index("nose")]
    assert seen[OPENPOSE18.index("r_elbow")]
    front = BodyView.of(facing_params(), body)
    assert keypoint_visibility(keypoints18(front), front.visibility).all()


def test_a_point_outside_the_image_is_hidden_by_nothing(body: BodyModel):
    view = BodyView.of(facing_params(), body)
    points = torch.tensor([[[-5.0, 3.0, 9.0], [500.0, 3.0, 9.0], [88.0, 128.0, -1.0]]])
    assert keypoint_visibility(points, view.visibility).tolist() == [[True, True, False]]
