import pytest
import torch

from posexfer_core.errors import ImageError
from posexfer_core.warp.person_mask import check_person_mask, estimate_mask


def person_and_body(shirt: float, wall: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A photo of somebody whose clothes are wider than the body on one side and narrower on the
    other, the body, and where the person is."""
    person = torch.zeros(1, 160, 120, dtype=torch.bool)
    person[:, 20:140, 40:86] = True
    body = torch.zeros_like(person)
    body[:, 20:140, 36:80] = True
    generator = torch.Generator().manual_seed(0)
    noise = 0.05 * torch.randn(1, 3, 160, 120, generator=generator)
    image = torch.where(person[:, None], shirt, wall) + noise
    return image, body, person


def overlap(one: torch.Tensor, other: torch.Tensor) -> float:
    """Intersection over union."""
    return float((one & other).sum() / (one | other).sum())


def test_colours_correct_the_body_where_it_is_too_narrow_or_too_wide():
    image, body, person = person_and_body(shirt=-0.5, wall=0.4)
    found = estimate_mask(image, body)[:, 0] > 0.5
    assert overlap(found, person) > 0.95 > 0.9 > overlap(body, person)


def test_where_colours_say_nothing_the_body_decides():
    image, body, _ = person_and_body(shirt=0.4, wall=0.4)
    found = estimate_mask(image, body)[:, 0] > 0.5
    assert overlap(found, body) > 0.9


def test_somebody_else_in_the_same_clothes_is_not_taken_along():
    image, body, person = person_and_body(shirt=-0.5, wall=0.4)
    image[..., 104:] = -0.5  # 24 pixels from the body, a fifth of its extent
    found = estimate_mask(image, body)[:, 0] > 0.5
    assert not found[..., 104:].any() and overlap(found, person) > 0.95


def test_somebody_else_before_or_beside_the_body_is_not_taken_along():
    image, body, person = person_and_body(shirt=-0.5, wall=0.4)
    theirs = torch.zeros_like(person)
    theirs[:, 80:, 60:110] = True
    image = torch.where(theirs[:, None], 0.1, image)
    found = estimate_mask(image, body, theirs)[:, 0] > 0.5
    assert overlap(found, person & ~theirs) > 0.85
    assert float((found & theirs).sum()) < 0.4 * float((body & theirs).sum())
    assert not (found & theirs & ~body).any()


def test_nobody_in_the_image_is_nobody():
    mask = estimate_mask(torch.zeros(1, 3, 40, 30), torch.zeros(1, 40, 30, dtype=torch.bool))
    assert not mask.any()


@pytest.mark.parametrize("scale", [1, 5])
def test_a_mask_that_is_not_the_persons_is_refused(posed, scale, caplog):
    view = posed(size=(scale * 192, scale * 128))
    mask = view.visibility.mask[:, None].float()
    check_person_mask(mask, view)
    assert not caplog.records
    half = mask.clone()
    half[:, :, : scale * 96] = 0.0  # hidden down to the waist
    check_person_mask(half, view)
    assert "of the person's body, expected most of it" in caplog.text
    for why, wrong in {
        "empty: its brightest place is 0% white": 0.002 * mask,
        "somebody else's": mask.roll(scale * 64, -1),
        "are inside and outside exchanged": 1.0 - mask,
        "covers 100% of what is around": torch.ones_like(mask),
    }.items():
        with pytest.raises(ImageError, match=why):
            check_person_mask(wrong, view)


def test_who_fills_the_image_may_have_a_mask_that_is_white_all_over(posed):
    view = posed().reframed((50.0, 60.0), 1.0, (40, 28))  # nothing but the trunk
    assert float(view.visibility.mask.float().mean()) > 0.5
    check_person_mask(torch.ones(1, 1, 40, 28), view)
