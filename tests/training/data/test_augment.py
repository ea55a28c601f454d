import torch

from training.data.augment import augment
from training.sample_random import SampleRandom


def test_images_are_augmented_differently_and_stay_images():
    images = torch.linspace(-0.8, 0.8, 3 * 64 * 48).reshape(1, 3, 64, 48).repeat(16, 1, 1, 1)
    augmented = augment(images, SampleRandom.seeded(0, range(16)))
    assert augmented.shape == images.shape
    assert float(augmented.min()) >= -1.0 and float(augmented.max()) <= 1.0
    assert not torch.equal(augmented[0], augmented[1])
    assert not torch.equal(augmented, images)


def test_an_image_is_augmented_alike_in_any_batch():
    images = torch.linspace(-0.8, 0.8, 3 * 32 * 24).reshape(1, 3, 32, 24).repeat(16, 1, 1, 1)
    whole = augment(images, SampleRandom.seeded(1, range(16)))
    half = augment(images[:8], SampleRandom.seeded(1, range(8, 16)))
    torch.testing.assert_close(half, whole[8:], rtol=0, atol=1e-5)
