"""Hems: where cloth before both legs ends at once."""

from dataclasses import replace

import pytest
import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.warp.clothed_shell import wear
from posexfer_core.warp.skin import Skin
from posexfer_core.warp.skirt import LENGTHS, find_hem
from posexfer_core.warp.skirt_tube import COLUMNS, with_skirt

SIZE = (768, 512)
APART = 0.1
"""Radians that each thigh is turned outward."""
CLOSED = 0.06
"""Radians that each thigh is turned inward, until the legs touch."""
GREY = torch.zeros(1, 3, *SIZE)


@pytest.fixture
def apart(posed):
    return posed(size=SIZE, l_hip=[0.0, 0.0, APART], r_hip=[0.0, 0.0, -APART])


def _row(view, height):
    """Find the row of the image in which legs have a height on the rest body."""
    there = view.vertices[0, (view.canonical[:, 1] - height).abs() < 0.01]
    return int(project_perspective(there[None], view.intrinsics)[0, :, 1].mean())


@pytest.mark.parametrize("hem", [-0.4, -0.55, -0.75])
def test_a_hem_is_where_cloth_between_the_legs_ends(apart, hem):
    shown = with_skirt(apart, hem).visibility.mask[0].float()
    assert find_hem(apart, GREY, shown) == pytest.approx(hem, abs=0.03)
    assert find_hem(apart, GREY, shown, "none") is None


def test_wide_trousers_are_no_skirt(apart):
    """Cloth stands 5 cm off each leg, so that it parts below the crotch little by little."""
    shown = wear(apart, torch.full((len(apart.canonical),), 0.05)).visibility.mask[0].float()
    assert find_hem(apart, GREY, apart.visibility.mask[0].float()) is None
    assert find_hem(apart, GREY, shown) is None


def test_a_hem_lies_where_its_front_is_seen_from_above(apart):
    """Of a ring around both legs the camera sees the nearer part lower than its middle."""
    lower = replace(apart, vertices=apart.vertices + torch.tensor([0.0, 0.9, 0.0]))
    below = lower.reframed((0.0, 300.0), 1.0, SIZE)
    worn = with_skirt(below, -0.5)
    front, side = project_perspective(worn.vertices[:, -COLUMNS:], below.intrinsics)[0, [0, 12], 1]
    assert front - side > 10.0
    image = GREY.clone()
    image[..., : int(front), :] = 0.5
    shown = worn.visibility.mask[0].float()
    assert find_hem(below, image, shown) == pytest.approx(-0.5, abs=0.012)


def test_legs_that_touch_down_to_the_knees_wear_a_skirt_if_their_colours_change_there(apart):
    """A short skirt, from whose hem on little is seen between the legs."""
    shown = apart.visibility.mask[0].clone()
    row = _row(apart, -0.3)
    shown[:row] |= with_skirt(apart, -0.6).visibility.mask[0, :row]
    assert find_hem(apart, GREY, shown.float()) is None
    image = GREY.clone()
    image[..., :row, :] = 0.5
    assert find_hem(apart, image, shown.float()) == pytest.approx(-0.3, abs=0.03)
    image[..., :row, SIZE[1] // 2 - 6 : SIZE[1] // 2 + 6] = -0.5  # the seam of shorts
    assert find_hem(apart, image, shown.float()) is None


def test_a_dress_down_to_the_feet_has_its_hem_there(apart):
    shown = with_skirt(apart, -1.0).visibility.mask[0].float()
    assert find_hem(apart, GREY, shown) == pytest.approx(-1.0, abs=0.04)


def test_somebody_who_sits_is_not_measured(posed):
    seated = posed(size=SIZE, l_hip=[-1.5, 0.0, 0.2], r_hip=[-1.5, 0.0, -0.2])
    shown = with_skirt(seated, -0.5).visibility.mask[0].float()
    assert find_hem(seated, GREY, shown) is None


def test_a_length_asked_for_is_taken_to_the_colours_end_near_it(posed):
    """Around closed legs, where no outline tells."""
    view = posed(size=SIZE)
    hem = float(view.joints[0, [JOINT_INDEX["l_knee"], JOINT_INDEX["r_knee"]], 1].mean())
    row = int(SIZE[0] / 2 + hem * view.px_per_m) - 20
    image = GREY.clone()
    image[:, 0, :row] = 0.5
    shown = view.visibility.mask[0].float()
    knee = find_hem(view, image, shown, "knee")
    assert knee is not None and knee != LENGTHS["knee"]
    edge = with_skirt(view, knee).vertices[:, -COLUMNS]  # before the legs, in the middle
    assert float(project_perspective(edge[None], view.intrinsics)[0, 0, 1]) == pytest.approx(
        row, abs=6
    )
    assert find_hem(view, image, shown, "calf") == LENGTHS["calf"]
    assert find_hem(view, GREY, shown, "knee") == LENGTHS["knee"]


def test_closed_cloth_that_ends_at_bare_legs_is_a_skirt_unless_a_seam_parts_it(posed):
    view = posed(size=SIZE, l_hip=[0.0, 0.0, -CLOSED], r_hip=[0.0, 0.0, CLOSED])
    skin, row = Skin(torch.tensor([0.8, 0.55, 0.4])), _row(view, -0.45)
    image = (2.0 * skin.face - 1.0)[None, :, None, None].expand(1, 3, *SIZE).clone()
    image[:, :, :row] = -0.5
    shown = with_skirt(view, -1.0).visibility.mask[0].float()  # legs in a mask without gaps
    assert find_hem(view, image, shown, skin=skin) == pytest.approx(-0.45, abs=0.04)
    assert find_hem(view, image, shown) is None
    middle = SIZE[1] // 2
    image[:, :, :row, middle - 6 : middle + 6] = 0.5
    assert find_hem(view, image, shown, skin=skin) is None


def test_a_skirt_that_stands_far_off_closed_legs_goes_down_as_far(posed):
    view = posed(size=SIZE, l_hip=[0.0, 0.0, -CLOSED], r_hip=[0.0, 0.0, CLOSED])
    row, column = torch.meshgrid(*(torch.arange(side) + 0.5 for side in SIZE), indexing="ij")
    pixels = project_perspective(view.vertices, view.intrinsics)[0]
    waist, floor = (float(pixels[view.canonical[:, 1] > low, 1].max()) for low in (0.0, -0.7))
    wide = (0.1 + 0.5 * (row - waist) / (floor - waist)) * view.px_per_m
    bell = (row > waist) & (row < floor) & ((column - SIZE[1] / 2).abs() < wide)
    shown = (bell | view.visibility.mask[0]).float()
    assert find_hem(view, GREY, shown) == pytest.approx(-0.7, abs=0.05)


def test_a_photo_that_ends_above_the_crotch_tells_nothing(apart):
    cut = apart.reframed((0.0, 0.0), 1.0, (SIZE[0] // 2, SIZE[1]))
    assert find_hem(cut, GREY[..., : cut.size[0], :], torch.ones(cut.size)) is None
    assert (
        find_hem(cut, GREY[..., : cut.size[0], :], torch.ones(cut.size), "knee") == LENGTHS["knee"]
    )


def test_a_skirt_goes_down_to_the_edge_of_the_photo_and_is_asked_for_where_it_is_dark(
    apart, caplog
):
    shown = with_skirt(apart, -0.6).visibility.mask[0].float()
    row = _row(apart, -0.5)
    cut = apart.reframed((0.0, 0.0), 1.0, (row, SIZE[1]))
    light = GREY[..., :row, :]
    assert find_hem(cut, light, shown[:row]) == pytest.approx(-0.5, abs=0.03)
    assert find_hem(cut, light, cut.visibility.mask[0].float()) is None
    assert not caplog.text
    dark = torch.full_like(light, -0.9)  # that may hide trousers' seam
    assert find_hem(cut, dark, shown[:row], "none") is None
    assert not caplog.text
    assert find_hem(cut, dark, shown[:row]) is None
    assert "skirt" in caplog.text
    seam = light.clone()
    middle = SIZE[1] // 2
    seam[..., middle - 6 : middle + 6] = 0.5
    assert find_hem(cut, seam, shown[:row]) is None


def test_a_bust_wears_no_skirt(apart, thinned, caplog):
    bust = thinned(apart, apart.canonical[:, 1] > 0.2)
    assert find_hem(bust, GREY, torch.ones(SIZE)) is None
    assert not caplog.text
    assert find_hem(bust, GREY, torch.ones(SIZE), "knee") is None
    assert "no legs" in caplog.text
