"""Background that a mask takes for the person, between an arm and the trunk."""

import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.geometry.rasterize import interpolate
from posexfer_core.warp.dressed_person import dress
from posexfer_core.warp.filters import dilate
from posexfer_core.warp.slits import find_slits

SIZE = (384, 256)
WALL, SHIRT = 0.8, -0.6
HANGING = {"l_shoulder": [0.0, 0.0, -1.25]}


def drawn(view, *joints: str) -> torch.Tensor:
    labels = torch.isin(view.parts, torch.tensor([JOINT_INDEX[j] for j in joints])).float()
    return interpolate(view.visibility, view.faces, labels[None, :, None])[..., 0] > 0.5


def person_and_slit(view) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A dark person before a light wall, a mask without the slit at an arm, and the slit."""
    body = view.visibility.mask
    arm, trunk = drawn(view, "l_shoulder", "l_elbow"), drawn(view, "spine1", "spine2", "spine3")
    slit = dilate(arm, 8) & dilate(trunk, 8) & ~body
    assert slit.sum() > 100
    image = torch.where(body, SHIRT, WALL)[:, None].expand(1, 3, *SIZE).clone()
    return image, (body | slit)[:, None].float(), slit


def test_the_wall_between_an_arm_and_the_trunk_is_no_person(posed):
    view = posed(size=SIZE, **HANGING)
    image, mask, slit = person_and_slit(view)
    assert torch.equal(find_slits(image, mask, view), slit)


def test_clothes_of_the_wall_s_colour_are_no_slit(posed):
    view = posed(size=SIZE, **HANGING)
    image, mask, _ = person_and_slit(view)
    shirt = drawn(view, "pelvis", "spine1", "spine2", "spine3", "l_collar", "r_collar")
    image = torch.where(shirt[:, None], WALL, image)
    assert not find_slits(image, mask, view).any()


def test_a_print_of_the_wall_s_colour_far_from_the_arms_is_no_slit(posed):
    view = posed(size=SIZE, **HANGING)
    image, mask, slit = person_and_slit(view)
    arms = drawn(view, *(f"{s}_{j}" for s in "lr" for j in ("shoulder", "elbow")))
    spot = drawn(view, "spine2") & ~dilate(arms, 12)
    spot &= dilate(~spot, 1)  # its rim
    assert 20 < spot.sum() < 200
    image = torch.where(spot[:, None], WALL, image)
    assert torch.equal(find_slits(image, mask, view), slit)


def test_no_colours_are_taken_from_a_slit(posed):
    view = posed(size=SIZE, **HANGING)
    image, mask, slit = person_and_slit(view)
    field = dress(image, view, mask).field
    height, width = field.view.size
    left, top = field.offset_xy
    there = slit[:, top : top + height, left : left + width] & (field.bare[:, 0] == 0)
    assert field.step == 1 and float(there.sum()) > 0.5 * float(slit.sum())
    assert not field.safe[:, 0][dilate(there, 1)].any()
