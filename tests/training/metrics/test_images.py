import math

import pytest
import torch

from training.metrics.baselines import paste_warp
from training.metrics.images import psnr, ssim, ssim_own_range, ssim_uniform, to_unit


def test_one_grey_level_off_is_48_decibels():
    black = torch.full((3, 16, 16), -1.0)
    assert psnr(black, black + 2 / 255) == pytest.approx(48.13, abs=0.01)


def test_a_difference_that_a_file_cannot_hold_does_not_count(generator):
    image = torch.rand(3, 16, 16, generator=generator) * 2 - 1
    stored = (image.add(1).mul(127.5).round() / 127.5) - 1
    assert psnr(image, stored) == math.inf
    assert ssim(image, stored) == pytest.approx(1.0)


def test_ssim_of_two_flat_images_is_the_luminance_term_alone():
    dark, light = torch.full((3, 16, 16), -1.0), torch.full((3, 16, 16), 1.0)
    assert ssim(dark, light) == pytest.approx(0.01**2 / (1 + 0.01**2), rel=1e-3)


@pytest.fixture
def pair(generator) -> tuple[torch.Tensor, torch.Tensor]:
    """A smooth image of little contrast and a noisy copy."""
    coarse = torch.rand(1, 3, 12, 9, generator=generator) - 0.5
    wanted = torch.nn.functional.interpolate(coarse, size=(96, 72), mode="bicubic")[0]
    return wanted + 0.1 * torch.randn(wanted.shape, generator=generator), wanted


def test_torchmetrics_computes_the_same(pair):
    """Its mean takes in a border of five pixels, whose windows leave the image; ours does not."""
    metrics = pytest.importorskip("torchmetrics.functional.image")
    image, wanted = (torch.from_numpy(to_unit(one)).permute(2, 0, 1)[None] for one in pair)
    _, full = metrics.structural_similarity_index_measure(
        image, wanted, data_range=1.0, return_full_image=True
    )
    assert ssim(*pair) == pytest.approx(float(full[..., 5:-5, 5:-5].mean()), abs=1e-4)
    expected = metrics.peak_signal_noise_ratio(image, wanted, data_range=1.0)
    assert psnr(*pair) == pytest.approx(float(expected), abs=1e-4)


def test_legacy_ssim_is_of_windows_of_51_pixels_with_the_samples_covariance(pair):
    """Written out for one window: of a single channel, 51x51 pixels."""
    image, wanted = (one[:, :51, :51] for one in pair)
    values = []
    for channel in range(3):
        x, y = (
            torch.from_numpy(to_unit(one))[..., channel].double().flatten()
            for one in (image, wanted)
        )
        covariance = torch.cov(torch.stack([x, y]))
        luminance = (2 * x.mean() * y.mean() + 1e-4) / (x.mean() ** 2 + y.mean() ** 2 + 1e-4)
        rest = (2 * covariance[0, 1] + 9e-4) / (covariance[0, 0] + covariance[1, 1] + 9e-4)
        values.append(float(luminance * rest))
    assert ssim_uniform(image, wanted) == pytest.approx(sum(values) / 3, abs=1e-4)
    assert ssim_uniform(*pair) > ssim(*pair) + 0.05  # large windows forgive noise


def test_legacy_ssim_256_is_the_other_but_for_the_range_of_what_was_drawn(pair):
    image, wanted = pair
    assert ssim_own_range(image, wanted) < ssim(image, wanted) - 0.01
    image = image.clone()
    image[:, 0, 0], image[:, 0, 1] = -1.0, 1.0  # all levels are there
    assert ssim_own_range(image, wanted) == pytest.approx(ssim(image, wanted), abs=1e-9)


def test_unseen_places_take_the_mean_of_what_is_seen_of_their_kind():
    warped = torch.zeros(5, 1, 4)
    warped[:3, 0] = torch.tensor([0.5, 0.0, -1.0, 0.0])
    warped[3, 0, 0] = 1.0  # the first pixel is body, seen
    warped[4, 0, 2] = 1.0  # the third is background, known
    body = torch.tensor([[True, True, False, False]])
    assert paste_warp(warped, body)[0, 0].tolist() == [0.5, 0.5, -1.0, -1.0]
