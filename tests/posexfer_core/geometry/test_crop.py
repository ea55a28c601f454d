import pytest
import torch

from posexfer_core.geometry.crop import Crop
from posexfer_core.geometry.resample import resample

SIZE = (64, 48)


def test_a_crop_around_a_box_is_centred_on_it():
    crop = Crop.around(torch.tensor([10.0, 20.0]), torch.tensor([30.0, 100.0]), SIZE, 0.8)
    assert crop.scale == pytest.approx(0.8 * 64.0 / 80.0)
    middle = crop.to_image(torch.zeros(2))
    torch.testing.assert_close(middle, torch.tensor([20.0, 60.0]))


def test_a_box_is_cut_out_and_made_smaller_but_never_larger():
    crop = Crop.of_box((10.0, 20.0), (110.0, 60.0), 50)
    assert (crop.scale, crop.size) == (0.5, (20, 50))
    assert Crop.of_box((10.0, 20.0), (110.0, 60.0), 500).size == (40, 100)


def test_what_is_cut_is_where_the_crop_says(generator):
    image = torch.rand(1, 3, 80, 120, generator=generator)
    crop = Crop.of_box((10.0, 20.0), (60.0, 70.0), 100)
    assert torch.allclose(crop.cut(image), image[..., 20:70, 10:60])
    torch.testing.assert_close(crop.to_image(torch.tensor([-1.0, 1.0])), torch.tensor([10.0, 70.0]))


@pytest.mark.parametrize("offset", [(0.0, 0.0), (37.0, 11.0), (-60.0, 150.0)])
def test_blocks_that_are_averaged_first_change_little(offset, generator):
    smooth = torch.nn.functional.interpolate(
        torch.rand(1, 3, 12, 18, generator=generator), size=(480, 720), mode="bicubic"
    )
    crop = Crop(offset_xy=offset, scale=0.1, size=(30, 40))
    torch.testing.assert_close(
        crop.cut(smooth), resample(smooth, offset, 0.1, (30, 40)), atol=0.03, rtol=0.0
    )
