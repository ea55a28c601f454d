"""Hems: where cloth between the legs ends at once."""

import pytest
import torch

from posexfer_core.geometry.camera import project_perspective
from posexfer_core.warp.clothed_shell import wear
from posexfer_core.warp.skirt import LENGTHS, find_hem
from posexfer_core.warp.skirt_tube import with_skirt

SIZE = (768, 512)
APART = 0.1
"""Radians that each thigh is turned outward."""


@pytest.fixture
def apart(posed):
    return posed(size=SIZE, l_hip=[0.0, 0.0, APART], r_hip=[0.0, 0.0, -APART])


@pytest.mark.parametrize("hem", [-0.4, -0.55, -0.75])
def test_a_hem_is_where_cloth_between_the_legs_ends(apart, hem):
    shown = with_skirt(apart, hem).visibility.mask[0].float()
    assert find_hem(apart, shown) == pytest.approx(hem, abs=0.03)
    assert find_hem(apart, shown, "none") is None


def test_wide_trousers_are_no_skirt(apart):
    """Cloth stands 5 cm off each leg, so that it parts below the crotch little by little."""
    shown = wear(apart, torch.full((len(apart.canonical),), 0.05)).visibility.mask[0].float()
    assert find_hem(apart, apart.visibility.mask[0].float()) is None
    assert find_hem(apart, shown) is None


def test_somebody_who_sits_is_not_measured(posed):
    seated = posed(size=SIZE, l_hip=[-1.5, 0.0, 0.2], r_hip=[-1.5, 0.0, -0.2])
    shown = with_skirt(seated, -0.5).visibility.mask[0].float()
    assert find_hem(seated, shown) is None


def test_a_length_asked_for_is_taken_to_the_hem_near_it(apart):
    shown = with_skirt(apart, -0.6).visibility.mask[0].float()
    assert find_hem(apart, shown, "knee") == pytest.approx(-0.6, abs=0.03)
    assert find_hem(apart, shown, "thigh") == LENGTHS["thigh"]
    assert find_hem(apart, torch.ones(SIZE), "calf") == LENGTHS["calf"]


def test_a_skirt_that_stands_far_off_closed_legs_goes_down_as_far(posed):
    view = posed(size=SIZE)
    row, column = torch.meshgrid(*(torch.arange(side) + 0.5 for side in SIZE), indexing="ij")
    pixels = project_perspective(view.vertices, view.intrinsics)[0]
    waist, floor = (float(pixels[view.canonical[:, 1] > low, 1].max()) for low in (0.0, -0.8))
    wide = (0.1 + 0.5 * (row - waist) / (floor - waist)) * view.px_per_m
    bell = (row > waist) & (row < floor) & ((column - SIZE[1] / 2).abs() < wide)
    shown = (bell | view.visibility.mask[0]).float()
    assert find_hem(view, shown) == pytest.approx(-0.8, abs=0.05)


def test_a_photo_that_ends_above_the_crotch_tells_nothing(apart):
    cut = apart.reframed((0.0, 0.0), 1.0, (SIZE[0] // 2, SIZE[1]))
    assert find_hem(cut, torch.ones(cut.size)) is None
    assert find_hem(cut, torch.ones(cut.size), "knee") == LENGTHS["knee"]
