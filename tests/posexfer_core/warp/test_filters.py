"""Blurs and dilations are those of plain loops over a square."""

import pytest
import torch
import torch.nn.functional as F

from posexfer_core.warp.filters import box_blur, dilate


def test_one_pixel_grows_to_a_square_that_the_image_cuts():
    mask = torch.zeros(1, 4, 5, dtype=torch.bool)
    mask[0, 0, 3] = True
    grown = torch.zeros(1, 4, 5, dtype=torch.bool)
    grown[0, :3, 1:] = True
    assert torch.equal(dilate(mask, 2), grown)
    assert torch.equal(dilate(mask, 0), mask)


def test_a_box_averages_what_lies_within_the_image():
    image = torch.tensor([[[[1.0, 2.0, 6.0]]]])
    torch.testing.assert_close(box_blur(image, 1), torch.tensor([[[[1.5, 3.0, 4.0]]]]))
    assert torch.equal(box_blur(image, 0), image)


@pytest.mark.parametrize("radius_px", [1, 3, 40])
@pytest.mark.parametrize("batch", [1, 3])
def test_both_agree_with_pooling(radius_px: int, batch: int, generator: torch.Generator):
    image = torch.rand(batch, 2, 13, 9, generator=generator)
    side = 2 * radius_px + 1
    padded, counted = (F.pad(one, (radius_px,) * 4) for one in (image, torch.ones_like(image)))
    expected = F.avg_pool2d(padded, side, 1) / F.avg_pool2d(counted, side, 1)
    torch.testing.assert_close(box_blur(image, radius_px), expected)
    mask = image[:, 0] > 0.95
    grown = F.max_pool2d(F.pad(mask.float(), (radius_px,) * 4), side, 1) > 0.5
    assert torch.equal(dilate(mask, radius_px), grown)
