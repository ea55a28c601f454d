import pytest
import torch

from posexfer_core.network.anchor import Anchor, alpha_bar_at, anchored_velocity


def spread(values: float) -> torch.Tensor:
    return torch.full((1, 1, 1, 1), values)


def test_the_schedule_is_that_of_diffusers():
    schedule = pytest.importorskip("posexfer_core.diffusion.schedule").make_scheduler()
    torch.testing.assert_close(
        alpha_bar_at(torch.arange(1000)), schedule.alphas_cumprod, atol=1e-6, rtol=1e-4
    )


def test_nothing_known_leaves_the_output_as_it_is(generator):
    output, noised = (torch.randn(2, 3, 4, 4, generator=generator) for _ in range(2))
    nothing = Anchor(mean=torch.zeros_like(output), std=torch.ones_like(output))
    power = torch.tensor([0.9, 0.01])
    velocity = anchored_velocity(output, noised, power, nothing)
    torch.testing.assert_close(velocity, output, atol=1e-5, rtol=1e-4)


def test_a_certain_anchor_is_what_sampling_arrives_at():
    """z = 2 for sure: at a^2 = q^2 = 1/2 and noise 1, v = a e - q z = (1 - 2) / sqrt(2)."""
    half = torch.tensor([0.5])
    noised = spread((2.0 + 1.0) * 0.5**0.5)
    velocity = anchored_velocity(
        spread(5.0), noised, half, Anchor(mean=spread(2.0), std=spread(1e-6))
    )
    torch.testing.assert_close(velocity, spread(-(0.5**0.5)), atol=1e-4, rtol=1e-4)


def test_what_is_left_of_the_velocity_has_unit_variance(generator):
    mean, std, power = 0.7, 0.4, torch.tensor([0.3])
    latents = mean + std * torch.randn(1, 1, 400, 400, generator=generator)
    noise = torch.randn(latents.shape, generator=generator)
    noised = power.sqrt() * latents + (1 - power).sqrt() * noise
    velocity = power.sqrt() * noise - (1 - power).sqrt() * latents
    anchor = Anchor(mean=torch.full_like(noised, mean), std=torch.full_like(noised, std))
    known = anchored_velocity(torch.zeros_like(noised), noised, power, anchor)
    scale = anchored_velocity(torch.ones_like(noised), noised, power, anchor) - known
    left = (velocity - known) / scale
    assert float(left.std()) == pytest.approx(1.0, abs=0.01)
    assert abs(float((left * noised).mean())) < 0.01  # nothing in it can be guessed linearly
