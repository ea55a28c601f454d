"""What of a head is hair, and how far down it is seen over a face."""

import math

import pytest
import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.geometry.rasterize import interpolate
from posexfer_core.warp.clothed_shell import face_vertices
from posexfer_core.warp.filters import dilate
from posexfer_core.warp.hairline import COLUMNS, USUAL, Hair, HairBand, find_hair
from posexfer_core.warp.warp_to_pose import warp_to_pose

SIZE = (960, 640)
SKIN, HAIR, GLASSES = (
    torch.tensor(colour) for colour in ([0.5, 0.1, -0.1], [-0.6, -0.7, -0.75], [-0.8, -0.8, -0.8])
)
DARK, BLACK, SHINE = (
    torch.tensor(colour) for colour in ([-0.2, -0.5, -0.65], [-0.75, -0.77, -0.8], [0.9, 0.6, 0.4])
)


def drawn(view, parts, generator) -> torch.Tensor:
    """A view whose pixels take the last colour of those that hold a place, with some noise."""
    places = interpolate(view.visibility, view.faces, view.canonical[None])
    x, y, _ = places.unbind(-1)
    image = torch.full((1, *view.size, 3), -1.0)
    for where, colour in parts:
        image[where(x.abs(), y) & view.visibility.mask] = colour
    noise = 0.05 * torch.randn(image.shape, generator=generator)
    return (image + noise).clamp(-1.0, 1.0).permute(0, 3, 1, 2)


def above(low):
    return lambda x, y: y > low


def around(x, y):
    """Hair above a face and at its sides, down to the cheeks."""
    return (y > 0.6) & (((x / 0.075) ** 2 + ((y - 0.74) / 0.11) ** 2) > 1.0)


def found(view, parts, generator) -> Hair:
    shown = view.visibility.mask
    image = drawn(view, parts, generator)
    return find_hair(image, view, face_vertices(view), shown, shown)


def line_at(hair: Hair, x: float) -> float:
    return float(hair.band.line[round((x + 0.11) / 0.01 - 0.5)])


@pytest.mark.parametrize("line", [0.82, 0.84, 0.86, 0.87])
def test_hair_goes_down_to_where_skin_begins(posed, generator, line):
    hair = found(posed(size=SIZE), [(above(0.62), SKIN), (above(line), HAIR)], generator)
    assert hair.band.line[6:16].tolist() == pytest.approx([line] * 10, abs=0.01)
    assert hair.band.right < -0.03
    assert hair.band.left > 0.03


def test_dark_glasses_below_a_forehead_are_no_hair(posed, generator):
    parts = [(above(0.62), SKIN), (above(0.77), GLASSES), (above(0.80), SKIN), (above(0.86), HAIR)]
    assert line_at(found(posed(size=SIZE), parts, generator), 0.005) == pytest.approx(
        0.86, abs=0.01
    )


def test_black_hair_is_told_from_a_dark_face(posed, generator):
    hair = found(posed(size=SIZE), [(above(0.62), DARK), (above(0.85), BLACK)], generator)
    assert line_at(hair, 0.005) == pytest.approx(0.85, abs=0.01)
    assert hair.colours is not None
    assert (hair.colours.odds(torch.stack([DARK, BLACK])) > 0).tolist() == [True, False]


def test_hair_at_the_sides_goes_down_farther_than_in_the_middle(posed, generator):
    hair = found(posed(size=SIZE), [(above(0.62), SKIN), (around, HAIR)], generator)
    assert line_at(hair, 0.005) == pytest.approx(0.85, abs=0.01)
    assert line_at(hair, 0.075) < 0.83


def test_a_head_whose_face_is_not_seen_has_the_usual_line(posed, generator):
    behind = posed(size=SIZE, yaw=math.pi)
    hair = found(behind, [(above(0.62), HAIR)], generator)
    assert hair.colours is None
    assert hair.band.line.tolist() == pytest.approx([USUAL] * COLUMNS)


def test_a_place_without_hair_looks_at_its_mirror_image():
    line, top = torch.full((COLUMNS,), 0.85), torch.full((COLUMNS,), 0.89)
    band = HairBand(-0.05, 0.07, line, top)
    places = torch.tensor([[0.09, 0.87, 0.0], [-0.07, 0.95, 0.0], [0.0, 0.63, 0.0]])
    wanted = torch.tensor([[0.05, 0.87], [-0.03, 0.89], [0.0, 0.89]])
    torch.testing.assert_close(band.like(places), wanted, atol=1e-5, rtol=0.0)


@pytest.mark.parametrize(
    ("colours", "wanted"),
    [
        ([(above(0.62), SKIN), (above(0.8), SHINE), (around, HAIR)], HAIR),
        ([(above(0.62), SKIN)], SKIN),
    ],
    ids=["hair around a face with a shining forehead", "bald"],
)
def test_a_back_of_a_head_is_as_its_front_is_above_the_face(posed, generator, colours, wanted):
    view, behind = posed(size=SIZE), posed(size=SIZE, yaw=math.pi)
    image, mask = drawn(view, colours, generator), view.visibility.mask[:, None].float()
    warped = warp_to_pose(image, view, behind, mask)
    seen = warped.worn.visibility
    back = (view.parts == JOINT_INDEX["head"]) & (view.canonical[:, 2] < -0.02)
    back &= view.canonical[:, 1] > 0.68
    at = back[warped.worn.faces.long()].all(1)[seen.face_id.clamp(min=0).long()] & seen.mask
    at &= ~dilate(~seen.mask, 8)  # off the outline, which is soft
    apart = (warped.image.movedim(1, -1)[at] - wanted).abs().amax(1)
    assert at.sum() > 500
    assert float((apart < 0.3).float().mean()) > 0.97
