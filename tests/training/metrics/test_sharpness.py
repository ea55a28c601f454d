import math

import pytest
import torch

from training.metrics.sharpness import sharpness


def test_half_the_contrast_is_half_as_sharp_and_a_flat_truth_has_none(generator):
    wanted = torch.rand(3, 12, 9, generator=generator) * 2 - 1
    assert sharpness(0.5 * wanted, wanted) == pytest.approx(0.5)
    assert sharpness(wanted + 0.25, wanted) == pytest.approx(1.0)
    assert math.isnan(sharpness(wanted, torch.zeros(3, 12, 9)))


def test_only_neighbours_that_both_count_are_compared():
    wanted = torch.zeros(3, 4, 6)
    wanted[..., ::2] = 1.0
    drawn = wanted.clone()
    drawn[..., 3:] = 0.0
    left = torch.zeros(4, 6, dtype=torch.bool)
    left[:, :3] = True
    assert sharpness(drawn, wanted, left) == pytest.approx(1.0)
    assert sharpness(drawn, wanted, ~left) == 0.0
