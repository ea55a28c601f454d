import torch

from training.data.spoil import spoil


def test_images_are_spoilt_differently_and_stay_images(generator):
    images = torch.linspace(-0.8, 0.8, 3 * 64 * 48).reshape(1, 3, 64, 48).repeat(16, 1, 1, 1)
    spoilt = spoil(images, generator)
    assert spoilt.shape == images.shape
    assert float(spoilt.min()) >= -1.0 and float(spoilt.max()) <= 1.0
    assert not torch.equal(spoilt[0], spoilt[1])
    assert not torch.equal(spoilt, images)


def test_the_same_generator_spoils_alike():
    images = torch.zeros(4, 3, 32, 24)
    first, second = (spoil(images, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second)
