import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from posexfer_core.geometry.rotations import axis_angle_to_matrix, matrix_to_rotation_6d
from posexfer_core.network.latent_prior import LatentPrior
from training.config import NetworkTraining
from training.losses import (
    BETAS_WEIGHT,
    HUMAN_PARAM_LOSSES,
    ROOT_WEIGHT,
    add_noise,
    human_param_loss,
    human_param_loss_axis_angle,
    noise_weight,
    overall_loss,
    prior_head_loss,
    velocity_weight,
)


def test_velocity_and_noised_latents_give_both_parts_back(generator):
    latents, noise = (torch.randn(4, 2, 3, 3, generator=generator) for _ in range(2))
    alpha_bar = torch.tensor([0.99, 0.5, 0.1, 0.01])
    noised, velocity = add_noise(latents, noise, alpha_bar)
    a, s = (x.sqrt()[:, None, None, None] for x in (alpha_bar, 1 - alpha_bar))
    torch.testing.assert_close(a * noised - s * velocity, latents)
    torch.testing.assert_close(s * noised + a * velocity, noise)


def test_weight_of_noise_by_hand():
    weight = noise_weight(torch.tensor([0.9, 0.5]), 5.0)  # snr 9 and 1
    torch.testing.assert_close(weight, torch.tensor([5.0 / 9.0, 1.0]))
    assert torch.equal(noise_weight(torch.tensor([0.9]), 0.0), torch.ones(1))


@pytest.mark.parametrize(
    ("alpha_bar", "gamma", "wanted"),
    [(0.5, 5.0, 0.5), (0.9, 5.0, 0.5), (0.1, 5.0, 0.1), (0.9, 0.0, 1.0)],
)
def test_weight_of_a_timestep_by_hand(alpha_bar, gamma, wanted):
    """At 0.9 the snr is 9: capped at 5, over 9 + 1."""
    weight = velocity_weight(torch.tensor([alpha_bar]), gamma)
    torch.testing.assert_close(weight, torch.tensor([wanted]))


def test_loss_is_zero_at_the_truth_and_weighs_the_root_apart():
    truth = axis_angle_to_matrix(torch.zeros(1, 24, 3))
    rotations, betas = matrix_to_rotation_6d(truth), torch.zeros(1, 10)
    assert human_param_loss((rotations, betas), (truth, betas)) == 0
    root_off = rotations.clone()
    root_off[:, 0, 0] += 0.6
    loss = human_param_loss((root_off, betas), (truth, betas))
    torch.testing.assert_close(loss, torch.tensor(ROOT_WEIGHT * 0.06))  # 0.6**2 / 6
    loss = human_param_loss((rotations, betas + 2), (truth, betas))
    torch.testing.assert_close(loss, torch.tensor(BETAS_WEIGHT * 4.0))


def test_axis_angle_loss_is_the_norm_of_the_difference():
    estimate = torch.zeros(2, 24, 3)
    estimate[:, 3, 1] = 0.3
    rotations = matrix_to_rotation_6d(axis_angle_to_matrix(estimate))
    betas = torch.zeros(2, 10)
    betas[:, 0] = 0.4
    truth = torch.eye(3).expand(2, 24, 3, 3)
    loss = human_param_loss_axis_angle((rotations, betas), (truth, torch.zeros(2, 10)))
    torch.testing.assert_close(loss, torch.tensor(0.5), rtol=0, atol=1e-5)


@pytest.mark.parametrize("form", HUMAN_PARAM_LOSSES)
def test_human_param_losses_have_finite_gradients(form, generator):
    rotations = torch.randn(3, 24, 6, generator=generator, requires_grad=True)
    betas = torch.randn(3, 10, generator=generator, requires_grad=True)
    truth = axis_angle_to_matrix(torch.randn(3, 24, 3, generator=generator))
    HUMAN_PARAM_LOSSES[form]((rotations, betas), (truth, torch.ones(3, 10))).backward()
    for leaf in (rotations, betas):
        assert leaf.grad is not None and torch.isfinite(leaf.grad).all() and leaf.grad.any()


def test_the_prior_heads_loss_by_hand():
    """Error 2, deviation 2: 0.25 * 4 + 2 + (0.5 * 4 / 4 + log 2)."""
    prior = LatentPrior(mean=torch.full((1, 1, 2, 2), 3.0), std=torch.full((1, 1, 2, 2), 2.0))
    loss = prior_head_loss(prior, torch.ones(1, 1, 2, 2))
    assert float(loss) == pytest.approx(3.5 + math.log(2.0))


def test_the_overall_loss_is_the_sum_of_its_terms():
    """Two noise levels of one pair; the velocity is off by 2, then by 0: mean of squares 2."""
    velocity = torch.zeros(2, 1, 2, 2)
    predicted = torch.stack([torch.full((1, 2, 2), 2.0), torch.zeros(1, 2, 2)])
    truth = torch.eye(3).expand(1, 24, 3, 3), torch.zeros(1, 10)
    params = matrix_to_rotation_6d(truth[0]), torch.full((1, 10), 2.0)
    latents = torch.ones(1, 1, 2, 2)
    settings = NetworkTraining(
        autoencoder=Path("a"), prepared=Path("p"), snr_gamma=0.0, human_params_weight=0.5
    )
    certain = LatentPrior(mean=latents, std=torch.ones_like(latents))
    alpha_bar = torch.tensor([0.5, 0.1])
    losses = overall_loss(predicted, velocity, alpha_bar, params, truth, certain, latents, settings)
    assert float(losses["denoising"]) == pytest.approx(2.0)
    assert float(losses["human_params"]) == pytest.approx(0.1 * 4.0)
    assert float(losses["prior_head"]) == pytest.approx(0.0)
    assert float(losses["loss"]) == pytest.approx(2.0 + 0.5 * 0.4)
    capped = replace(settings, snr_gamma=5.0)  # at 0.5 the weight is 0.5, the other error is 0
    losses = overall_loss(predicted, velocity, alpha_bar, params, truth, None, latents, capped)
    assert float(losses["denoising"]) == pytest.approx(1.0)
