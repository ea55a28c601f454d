import torch

from training.data.augment import augment


def test_images_are_augmented_differently_and_stay_images(generator):
    images = torch.linspace(-0.8, 0.8, 3 * 64 * 48).reshape(1, 3, 64, 48).repeat(16, 1, 1, 1)
    augmented = augment(images, generator)
    assert augmented.shape == images.shape
    assert float(augmented.min()) >= -1.0 and float(augmented.max()) <= 1.0
    assert not torch.equal(augmented[0], augmented[1])
    assert not torch.equal(augmented, images)


def test_the_same_generator_augments_alike():
    images = torch.zeros(4, 3, 32, 24)
    first, second = (augment(images, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second)
