import pytest
import torch

pytest.importorskip("efficientnet_lite_pytorch")
from training.metrics.perceptual import perceptual_distance


@pytest.fixture
def pattern(generator) -> torch.Tensor:
    """A smooth pattern, 64x64."""
    coarse = torch.rand(1, 3, 8, 8, generator=generator) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=(64, 64), mode="bicubic")


def test_equal_images_are_not_apart_and_blur_is_worse_than_a_grey_level(pattern):
    assert float(perceptual_distance(pattern, pattern)) == 0.0
    lighter = perceptual_distance(pattern + 2.0 / 255.0, pattern)
    blurred = torch.nn.functional.avg_pool2d(pattern, 9, 1, 4)
    assert float(lighter) < 0.2 * float(perceptual_distance(blurred, pattern))


def test_only_what_is_asked_for_counts(pattern):
    other = pattern.clone()
    other[..., 40:] = 1.0
    where = torch.zeros(1, 1, 64, 64)
    where[..., :8] = 1.0
    whole = perceptual_distance(other, pattern)
    assert float(perceptual_distance(other, pattern, where)) < 0.2 * float(whole)
