"""Borrowed looks as bright as what is beside them."""

import math

import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.geometry.rasterize import interpolate
from posexfer_core.warp.filters import dilate
from posexfer_core.warp.seam_light import MOST, light_gain, relit
from posexfer_core.warp.warp_to_pose import warp_to_pose

COUNT = 60
SHADE, LIGHT = 0.0, 0.5
CHAIN = torch.stack(
    [(torch.arange(COUNT) - 1).clamp(min=0), (torch.arange(COUNT) + 1).clamp(max=COUNT - 1)], 1
)
"""Neighbours along a row of vertices."""


def levels(value: float) -> torch.Tensor:
    """Grey of a range from 0 to 2."""
    return torch.full((3, COUNT), value - 1.0)


def test_a_look_is_as_bright_as_what_is_seen_where_both_are_known():
    known = torch.arange(COUNT) < 20
    gain = light_gain(levels(0.6), levels(0.9), known, CHAIN)
    assert 0.68 < float(gain[5]) < 0.74  # 0.7 / 1.0: a little is added to both
    assert float(gain[20]) < 0.85
    assert float((relit(levels(0.9), gain)[:, 20] + 1.0).max()) < 0.77


def test_far_from_seams_a_look_keeps_its_light():
    known = torch.arange(COUNT) < 3
    gain = light_gain(levels(0.6), levels(0.9), known, CHAIN)
    assert float((gain[-15:] - 1.0).abs().max()) < 0.02
    assert torch.equal(light_gain(levels(0.6), levels(0.9), ~known & known, CHAIN), torch.ones(60))


def test_another_garment_is_no_other_light():
    apart = math.exp(MOST) * 1.5
    gain = light_gain(levels(0.3), levels(0.3 * apart), torch.ones(COUNT) > 0, CHAIN)
    torch.testing.assert_close(gain, torch.ones(COUNT), atol=1e-3, rtol=0)


def test_black_stays_black_and_white_is_the_most():
    colours = torch.tensor([[-1.0, 0.9], [-1.0, 0.9], [-1.0, 0.9]])
    lit = relit(colours, torch.tensor([1.5, 1.5]))
    torch.testing.assert_close(lit, torch.tensor([-1.0, 1.0]).expand(3, 2))


def test_a_side_that_only_its_mirror_image_shows_has_the_light_of_its_own_limb(posed):
    """Seen from its right, somebody's left leg is in the shade and the right one is not."""
    view, other_side = (posed(size=(384, 256), yaw=yaw) for yaw in (-0.9, 0.9))
    left = torch.isin(view.parts, torch.tensor([JOINT_INDEX["l_hip"], JOINT_INDEX["l_knee"]]))
    colours = torch.where(left[:, None], SHADE, LIGHT).expand(-1, 3).contiguous()
    body = view.visibility.mask[:, None]
    person = interpolate(view.visibility, view.faces, colours[None]).permute(0, 3, 1, 2)
    image = torch.where(body, person, -0.9)
    warped = warp_to_pose(image, view, other_side, body.float())
    told = interpolate(warped.worn.visibility, warped.worn.faces, left.float()[None, :, None])
    leg = (told[..., 0] > 0.99)[0] & ~dilate(~warped.body[0], 3)[0]
    beside = leg & ~warped.visible[0, 0] & dilate(warped.visible[0] & leg, 4)[0]
    unseen = warped.image[0, 0][beside]
    assert unseen.numel() > 20
    assert float(unseen.mean()) < SHADE + 0.5 * (LIGHT - SHADE)
