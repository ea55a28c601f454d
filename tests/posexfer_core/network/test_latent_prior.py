import pytest
import torch

from posexfer_core.network.latent_prior import LatentPrior, precondition_velocity
from posexfer_core.network.noise_schedule import alpha_bar_at


def spread(values: float) -> torch.Tensor:
    return torch.full((1, 1, 1, 1), values)


def test_nothing_known_leaves_the_output_as_it_is(generator):
    output, noised = (torch.randn(2, 3, 4, 4, generator=generator) for _ in range(2))
    nothing = LatentPrior(mean=torch.zeros_like(output), std=torch.ones_like(output))
    velocity = precondition_velocity(output, noised, torch.tensor([20, 950]), nothing)
    torch.testing.assert_close(velocity, output, atol=1e-5, rtol=1e-4)


def test_a_certain_prior_is_what_sampling_arrives_at():
    """z = 2 for sure and noise 1: v = a e - q z = a - 2 q, whatever the UNet says."""
    step = torch.tensor([500])
    power = alpha_bar_at(step)
    signal, noise = power.sqrt(), (1 - power).sqrt()
    noised = spread(float(2.0 * signal + noise))
    certain = LatentPrior(mean=spread(2.0), std=spread(1e-6))
    velocity = precondition_velocity(spread(5.0), noised, step, certain)
    torch.testing.assert_close(velocity, spread(float(signal - 2.0 * noise)), atol=1e-4, rtol=1e-4)


def test_what_is_left_of_the_velocity_has_unit_variance(generator):
    mean, std, step = 0.7, 0.4, torch.tensor([600])
    power = alpha_bar_at(step)
    latents = mean + std * torch.randn(1, 1, 400, 400, generator=generator)
    noise = torch.randn(latents.shape, generator=generator)
    noised = power.sqrt() * latents + (1 - power).sqrt() * noise
    velocity = power.sqrt() * noise - (1 - power).sqrt() * latents
    prior = LatentPrior(mean=torch.full_like(noised, mean), std=torch.full_like(noised, std))
    known = precondition_velocity(torch.zeros_like(noised), noised, step, prior)
    scale = precondition_velocity(torch.ones_like(noised), noised, step, prior) - known
    left = (velocity - known) / scale
    assert float(left.std()) == pytest.approx(1.0, abs=0.01)
    assert abs(float((left * noised).mean())) < 0.01  # nothing in it can be guessed linearly


def test_temperature_scales_the_deviation_where_something_is_known():
    prior = LatentPrior(
        mean=spread(2.0).repeat(2, 1, 1, 1), std=torch.tensor([0.4, 1.0])[:, None, None, None]
    )
    cool = prior.with_temperature(0.25)
    assert cool.std.flatten().tolist() == pytest.approx([0.1, 1.0])
    assert torch.equal(cool.mean, prior.mean)
