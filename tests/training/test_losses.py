import pytest
import torch

from training.losses import add_noise, denoising_loss, velocity_weight


def test_velocity_and_noised_latents_give_both_parts_back(generator):
    latents, noise = (torch.randn(4, 2, 3, 3, generator=generator) for _ in range(2))
    alpha_bar = torch.tensor([0.99, 0.5, 0.1, 0.01])
    noised, velocity = add_noise(latents, noise, alpha_bar)
    a, s = (x.sqrt()[:, None, None, None] for x in (alpha_bar, 1 - alpha_bar))
    torch.testing.assert_close(a * noised - s * velocity, latents)
    torch.testing.assert_close(s * noised + a * velocity, noise)


@pytest.mark.parametrize(
    ("alpha_bar", "gamma", "wanted"),
    [(0.5, 5.0, 0.5), (0.9, 5.0, 0.5), (0.1, 5.0, 0.1), (0.9, 0.0, 1.0)],
)
def test_weight_of_a_timestep_by_hand(alpha_bar, gamma, wanted):
    """At 0.9 the snr is 9: capped at 5, over 9 + 1."""
    weight = velocity_weight(torch.tensor([alpha_bar]), gamma)
    torch.testing.assert_close(weight, torch.tensor([wanted]))


def test_loss_weighs_samples_not_pixels():
    prediction = torch.stack([torch.full((1, 2, 2), 2.0), torch.zeros(1, 2, 2)])
    loss = denoising_loss(prediction, torch.zeros(2, 1, 2, 2), torch.tensor([0.5, 1.0]))
    assert float(loss) == pytest.approx(1.0)  # (0.5 * 4 + 1 * 0) / 2
