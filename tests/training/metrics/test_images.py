import math

import pytest
import torch

from training.metrics.baselines import paste_warp
from training.metrics.images import psnr, ssim


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


def test_unseen_places_take_the_mean_of_what_is_seen_of_their_kind():
    warped = torch.zeros(5, 1, 4)
    warped[:3, 0] = torch.tensor([0.5, 0.0, -1.0, 0.0])
    warped[3, 0, 0] = 1.0  # the first pixel is body, seen
    warped[4, 0, 2] = 1.0  # the third is background, known
    body = torch.tensor([[True, True, False, False]])
    assert paste_warp(warped, body)[0, 0].tolist() == [0.5, 0.5, -1.0, -1.0]
