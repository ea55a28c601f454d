"""How far down hair is seen over a face."""

import pytest
import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.geometry.rasterize import interpolate
from posexfer_core.warp.clothed_shell import face_vertices
from posexfer_core.warp.hairline import BALD, HAIRLINES, USUAL, find_hairline
from posexfer_core.warp.skin import find_skin

SKIN, HAIR, GLASSES = (
    torch.tensor(colour) for colour in ([0.5, 0.1, -0.1], [-0.6, -0.7, -0.75], [-0.8, -0.8, -0.8])
)


def found(view, colours) -> float:
    """The hairline of a view whose pixels take a colour for each height on the rest body."""
    heights = interpolate(view.visibility, view.faces, view.canonical[None, :, 1:2])[..., 0]
    image = torch.full((1, *view.size, 3), -1.0)
    for low, colour in colours:
        image[heights > low] = colour
    image, shown = image.permute(0, 3, 1, 2), view.visibility.mask
    skin = find_skin(image, view, face_vertices(view), shown)
    return find_hairline(image, view, shown, skin)


@pytest.mark.parametrize("line", HAIRLINES[:-1])
def test_hair_goes_down_to_where_skin_begins(posed, line):
    view = posed(size=(960, 640))
    assert found(view, [(0.62, SKIN), (line - 0.002, HAIR)]) == line


def test_dark_glasses_below_a_forehead_are_no_hair(posed):
    view = posed(size=(960, 640))
    colours = [(0.62, SKIN), (0.77, GLASSES), (0.80, SKIN), (0.868, HAIR)]
    assert found(view, colours) == 0.87


def test_a_bald_head_and_one_whose_face_is_hidden_have_lines_of_their_own(posed):
    view = posed(size=(960, 640))
    assert found(view, [(0.62, SKIN)]) == BALD
    assert found(view, [(0.62, GLASSES)]) == USUAL
    behind = posed(size=(960, 640), yaw=3.14159)
    assert (behind.parts == JOINT_INDEX["head"]).any()
    assert found(behind, [(0.62, SKIN)]) == USUAL
