"""What is person and what is background without a mask, and detail put back."""

import torch

from posexfer_core.warp.background import background_plate, fill_holes, trusted_body
from posexfer_core.warp.filters import dilate
from posexfer_core.warp.restore_detail import restore_detail


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


def planes(colours: torch.Tensor, *, visible: bool, body: bool) -> torch.Tensor:
    """A warp that is the same everywhere."""
    masks = torch.tensor([visible, not body, body]).float().view(1, 3, 1, 1)
    return torch.cat([colours, masks.expand(1, 3, *colours.shape[-2:])], 1)


def test_beside_the_person_the_warp_stays():
    wall, drawn = torch.full((1, 3, 64, 48), 0.5), torch.full((1, 3, 64, 48), -0.5)
    assert torch.equal(restore_detail(drawn, planes(wall, visible=False, body=False)), wall)
    unseen = restore_detail(drawn, planes(wall, visible=False, body=True))
    torch.testing.assert_close(unseen, drawn)


def test_detail_comes_back_where_it_is_trusted_and_nowhere_else(generator):
    truth = 0.5 * torch.rand(1, 3, 64, 48, generator=generator) - 0.25
    smooth = truth.mean((2, 3), keepdim=True).expand_as(truth).contiguous()
    warped = planes(truth, visible=False, body=True)
    warped[:, 3, :, :24] = 1.0
    restored = restore_detail(smooth, warped)
    before = (smooth - truth)[..., 4:20].square().mean()
    assert float((restored - truth)[..., 4:20].square().mean()) < 0.2 * float(before)
    torch.testing.assert_close(restored[..., 24:], smooth[..., 24:])


def test_what_is_drawn_softer_than_the_warp_takes_its_detail(generator):
    warp = 0.5 * torch.rand(1, 3, 64, 48, generator=generator) - 0.25
    unseen = planes(warp, visible=False, body=True)
    smooth = warp.mean((2, 3), keepdim=True).expand_as(warp).contiguous()
    restored = restore_detail(smooth, unseen, where_soft=True)
    assert float((restored - warp)[..., 4:-4].std()) < 0.5 * float(warp.std())
    as_sharp = warp.flip(3)  # as much detail, of another place
    kept = restore_detail(as_sharp, unseen, where_soft=True)
    assert float((kept - as_sharp).std()) < 0.2 * float(warp.std())


def test_a_warp_that_disagrees_is_not_believed(generator):
    dark, light = torch.full((1, 3, 32, 32), -0.8), torch.full((1, 3, 32, 32), 0.8)
    noisy = light + 0.1 * torch.randn(1, 3, 32, 32, generator=generator)
    restored = restore_detail(dark, planes(noisy, visible=True, body=True))
    torch.testing.assert_close(restored, dark, atol=1e-6, rtol=0)


def test_a_plate_is_the_image_without_its_person(generator):
    wall = torch.linspace(-1.0, 1.0, 44).expand(1, 3, 64, 44).clone()
    person = torch.zeros(1, 1, 64, 44)
    person[..., 20:40, 15:25] = 1.0
    image = torch.where(person > 0.5, torch.rand(1, 3, 64, 44, generator=generator), wall)
    plate = background_plate(image, person)
    far = ~dilate(person[:, 0] > 0.5, 3)[:, None].expand_as(plate)
    assert torch.equal(plate[far], image[far])
    assert (plate - wall).abs().max() < 0.15
    repainted = torch.where(person > 0.5, 0.0, image)
    assert torch.equal(background_plate(repainted, person), plate)
