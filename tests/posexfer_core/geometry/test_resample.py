import torch

from posexfer_core.geometry.resample import resample


def test_scale_one_at_a_whole_offset_copies_pixels(generator):
    image = torch.rand(1, 3, 10, 12, generator=generator)
    torch.testing.assert_close(
        resample(image, (3.0, 2.0), 1.0, (5, 6)), image[..., 2:7, 3:9], rtol=0, atol=1e-6
    )


def test_edge_pixels_repeat_beyond_the_image():
    image = torch.arange(4.0).expand(1, 1, 3, 4)
    wide = resample(image, (-2.0, 0.0), 1.0, (3, 8))
    torch.testing.assert_close(wide[0, 0, 0], torch.tensor([0.0, 0, 0, 1, 2, 3, 3, 3]))


def test_halving_keeps_the_mean_of_a_fine_grating():
    stripes = torch.tensor([0.0, 1.0] * 32).expand(1, 1, 64, 64)
    small = resample(stripes, (0.0, 0.0), 0.25, (16, 16))
    torch.testing.assert_close(small[..., 2:-2, 2:-2], torch.full((1, 1, 12, 12), 0.5))
