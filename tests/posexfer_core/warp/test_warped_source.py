"""The image that geometry alone draws."""

import math

import pytest
import torch

from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.transfer.inputs import body_points
from posexfer_core.warp.background import fill_holes, trusted_background
from posexfer_core.warp.filters import dilate
from posexfer_core.warp.restore_detail import restore_detail
from posexfer_core.warp.warped_source import surface_colours, trusted_body, warp_source

SIZE = (128, 88)


@pytest.fixture
def view(body):
    """An upright body that faces the camera, arms to the sides."""
    pose = torch.zeros(24, 3)
    pose[0, 0] = math.pi
    intrinsics = torch.tensor([[180.0, 0.0, 44.0], [0.0, 180.0, 64.0], [0.0, 0.0, 1.0]])
    params = HumanParams.single(
        pose=pose,
        betas=torch.zeros(10),
        transl=torch.tensor([0.0, 0.1, 3.2]),
        intrinsics=intrinsics,
        image_size=SIZE,
    )
    return BodyView.of(params, body)


def test_the_same_view_gives_the_person_back(view, generator):
    image = torch.rand(1, 3, *SIZE, generator=generator) * 2 - 1
    warped = warp_source(image, view, view, body_points(view, 64), margin=0.0)
    seen = warped[:, 3] > 0.5
    assert seen.float().sum() > 0.8 * view.visibility.mask.float().sum()
    error = (warped[:, :3] - image).abs().amax(1)
    assert float(error[seen].max()) < 1e-3
    background = ~view.visibility.mask
    assert torch.equal(warped[:, 4] > 0.5, background)
    assert float(error[background].max()) < 1e-6


def test_the_back_takes_the_colour_of_the_front(view):
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, *SIZE)
    colours = surface_colours(red, torch.ones(1, 1, *SIZE), view, body_points(view, 64))
    torch.testing.assert_close(colours, red[:, :, 0, 0][:, None].expand_as(colours))


def test_holes_are_filled_from_around_them_and_nothing_else_changes():
    image = torch.linspace(-1, 1, 64).expand(1, 3, 48, 64).clone()
    known = torch.ones(1, 1, 48, 64)
    known[..., 20:28, 28:36] = 0.0
    filled = fill_holes(image, known)
    assert torch.equal(filled[known.expand_as(filled) > 0], image[known.expand_as(filled) > 0])
    assert float((filled - image).abs().max()) < 0.2  # a ramp of 2 over 64 px, a hole of 8


def test_where_nothing_is_known_the_fill_is_grey():
    assert not fill_holes(torch.ones(1, 3, 5, 7), torch.zeros(1, 1, 5, 7)).any()


def test_a_mask_grows_by_a_square():
    mask = torch.zeros(1, 7, 7, dtype=torch.bool)
    mask[0, 3, 3] = True
    assert dilate(mask, 2).sum() == 25
    assert torch.equal(dilate(mask, 0), mask)


def bar_and_spot() -> tuple[torch.Tensor, torch.Tensor]:
    """A grey image with a dark bar that touches the body, and a dark spot that does not."""
    image = torch.full((1, 3, 128, 88), 0.5)
    body = torch.zeros(1, 128, 88, dtype=torch.bool)
    body[:, 40:90, 40:48] = True
    image[:, :, 60:66, 48:60] = -0.5
    image[:, :, 30:36, 4:10] = -0.5
    return image, body


def test_what_sticks_out_of_the_body_is_not_background_and_what_lies_apart_is():
    image, body = bar_and_spot()
    clear = trusted_background(image, body, 0.02)
    assert not clear[0, 60:66, 48:60].any()
    assert clear[0, 30:36, 4:10].all()
    plain = trusted_background(torch.full_like(image, 0.5), body, 0.02)
    assert torch.equal(plain, ~dilate(dilate(body, 3), 0))  # 0.02 of 128 px, and half a pixel


def test_a_rough_background_is_trusted_up_to_the_margin(generator):
    image, body = bar_and_spot()
    rough = 2.0 * torch.rand(image.shape, generator=generator) - 1.0
    torch.testing.assert_close(
        trusted_background(rough, body, 0.02), trusted_background(0.0 * rough, body, 0.02)
    )


def person_and_a_body_too_wide() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A dark person before a grey wall, the body fitted 3 pixels too wide on the right."""
    image = torch.full((1, 3, 128, 88), 0.5)
    image[:, :, 40:90, 30:48] = -0.5
    body = torch.zeros(1, 128, 88, dtype=torch.bool)
    body[:, 40:90, 30:51] = True
    return image, body, ~dilate(body, 2)


def test_a_body_is_not_trusted_where_it_sticks_out_of_the_person():
    image, body, clear = person_and_a_body_too_wide()
    shown = trusted_body(image, body, clear)
    assert not shown[0, 40:90, 48:].any()
    assert shown[0, 44:86, 34:46].all()
    before_noise = image + 0.5 * torch.sin(torch.arange(88.0) * 2.0)
    assert torch.equal(trusted_body(before_noise, body, clear), body)


def test_what_the_body_sticks_out_to_colours_nothing(view):
    image = torch.full((1, 3, *SIZE), 0.9)
    inner = ~dilate(~view.visibility.mask, 2)
    image = torch.where(inner[:, None], torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1), image)
    warped = warp_source(image, view, view, body_points(view, 64))
    thick = ~dilate(~inner, 3)  # what is thinner may be taken off whole
    green = warped[:, 1][view.visibility.mask & dilate(thick, 5)]
    assert float((green < -0.9).float().mean()) > 0.95


def test_known_background_is_given_back_in_its_own_colours():
    wall, faded = torch.full((1, 3, 64, 48), 0.5), torch.full((1, 3, 64, 48), 0.45)
    warped = torch.cat([wall, torch.zeros(1, 1, 64, 48), torch.ones(1, 1, 64, 48)], 1)
    assert float((restore_detail(faded, warped) - wall).abs().max()) < 0.01


def test_detail_comes_back_where_it_is_trusted_and_nowhere_else(generator):
    truth = 0.5 * torch.rand(1, 3, 64, 48, generator=generator) - 0.25
    smooth = truth.mean((2, 3), keepdim=True).expand_as(truth).contiguous()
    warped = torch.cat([truth, torch.zeros(1, 2, 64, 48)], 1)
    warped[:, 3, :, :24] = 1.0
    restored = restore_detail(smooth, warped)
    before = (smooth - truth)[..., 4:20].square().mean()
    assert float((restored - truth)[..., 4:20].square().mean()) < 0.2 * float(before)
    assert torch.equal(restored[..., 24:], smooth[..., 24:])


def test_a_draft_that_disagrees_is_not_believed(generator):
    dark, light = torch.full((1, 3, 32, 32), -0.8), torch.full((1, 3, 32, 32), 0.8)
    warped = torch.cat([light + 0.1 * torch.randn(1, 3, 32, 32, generator=generator)], 1)
    warped = torch.cat([warped, torch.ones(1, 2, 32, 32)], 1)
    torch.testing.assert_close(restore_detail(dark, warped), dark, atol=1e-6, rtol=0)
