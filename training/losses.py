"""L_Overall of the poster, for v-prediction, and its terms."""

from collections.abc import Callable

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from posexfer_core.geometry.rotations import (
    matrix_to_axis_angle,
    matrix_to_rotation_6d,
    rotation_6d_to_matrix,
)
from posexfer_core.network.latent_prior import LatentPrior
from posexfer_core.network.model import HumanParams6D

from .config import NetworkTraining

BodyParams = tuple[Float[Tensor, "batch 24 3 3"], Float[Tensor, "batch 10"]]
"""Rotations and betas."""
Weight = Callable[[Float[Tensor, " batch"], float], Float[Tensor, " batch"]]
"""From alpha_bar and gamma to the weight of each row's squared error."""
ROOT_WEIGHT, BETAS_WEIGHT = 1.0, 0.1
"""Of `human_param_loss`, beside 1 for the other joints."""


def overall_loss(
    predicted: Float[Tensor, "batch channels height width"],
    wanted: Float[Tensor, "batch channels height width"],
    alpha_bar: Float[Tensor, " batch"],
    params: HumanParams6D,
    true_params: BodyParams,
    latent_prior: LatentPrior | None,
    latents: Float[Tensor, "pairs channels height width"],
    settings: NetworkTraining,
    weight: Weight | None = None,
) -> dict[str, Float[Tensor, ""]]:
    """Compute the training objective, `loss`, with its terms beside it.

    `L_Overall = E |v - v_theta(z_t, c_id, c_pose)|^2 + w L_HPL + L_prior`. The poster has epsilon
    for v, w = 1 and no prior head; so have bases that predict epsilon.

    Args:
        predicted: v_theta (or epsilon_theta), a row for every pair and noise level.
        wanted: v (or epsilon) of the same rows.
        alpha_bar: signal power of the same rows.
        params: of each pair's source body, as predicted.
        true_params: of each pair's source body.
        latent_prior: of each pair; none without a prior head.
        latents: of each pair's target image.
        settings: form and weights of the terms.
        weight: of each noise level; for v when left out.
    """
    error = (predicted.float() - wanted.float()).square().mean((1, 2, 3))
    denoising = ((weight or velocity_weight)(alpha_bar, settings.snr_gamma) * error).mean()
    human_params = HUMAN_PARAM_LOSSES[settings.human_params](params, true_params)
    head = latents.new_zeros(()) if latent_prior is None else prior_head_loss(latent_prior, latents)
    return {
        "loss": denoising + settings.human_params_weight * human_params + head,
        "denoising": denoising,
        "human_params": human_params,
        "prior_head": head,
    }


def add_noise(
    latents: Float[Tensor, "batch channels height width"],
    noise: Float[Tensor, "batch channels height width"],
    alpha_bar: Float[Tensor, " batch"],
) -> tuple[
    Float[Tensor, "batch channels height width"], Float[Tensor, "batch channels height width"]
]:
    """Return z_t and the velocity v.

    `z_t = a z + s e`, `v = a e - s z` with `a = sqrt(alpha_bar)`, `s = sqrt(1 - alpha_bar)`
    (Salimans and Ho, arXiv:2202.00512, appendix D).
    """
    a = alpha_bar.sqrt()[:, None, None, None]
    s = (1.0 - alpha_bar).sqrt()[:, None, None, None]
    return a * latents + s * noise, a * noise - s * latents


def velocity_weight(alpha_bar: Float[Tensor, " batch"], gamma: float) -> Float[Tensor, " batch"]:
    """Weigh the velocity's squared error: `min(snr, gamma) / (snr + 1)`, or 1 where gamma is 0.

    Min-SNR weighting (Hang et al., arXiv:2303.09556) in its form for v-prediction. With gamma 5 and
    alpha_bar 0.5: snr 1, weight 0.5.
    """
    if gamma <= 0.0:
        return alpha_bar.new_ones(alpha_bar.shape)
    snr = alpha_bar / (1.0 - alpha_bar)
    return snr.clamp(max=gamma) / (snr + 1.0)


def noise_weight(alpha_bar: Float[Tensor, " batch"], gamma: float) -> Float[Tensor, " batch"]:
    """Weigh the noise's squared error: `min(snr, gamma) / snr`, or 1 where gamma is 0.

    Min-SNR weighting in its form for epsilon (arXiv:2303.09556, equation 5). With gamma 5 and
    alpha_bar 0.9: snr 9, weight 5/9.
    """
    if gamma <= 0.0:
        return alpha_bar.new_ones(alpha_bar.shape)
    snr = alpha_bar / (1.0 - alpha_bar)
    return (gamma / snr).clamp(max=1.0)


def prior_head_loss(
    prior: LatentPrior, latents: Float[Tensor, "batch channels height width"]
) -> Float[Tensor, ""]:
    """Measure the error of the mean, and the likelihood of that error under the deviation.

    The mean's error counts plain, which keeps edges, and a little squared, against outliers. The
    deviation learns from the error without a gradient to the mean, which would otherwise neglect
    what is hard.
    """
    error = prior.mean - latents
    likelihood = 0.5 * error.detach().square() / prior.std.square() + prior.std.log()
    return 0.25 * error.square().mean() + error.abs().mean() + likelihood.mean()


def human_param_loss(found: HumanParams6D, true: BodyParams) -> Float[Tensor, ""]:
    """Measure L_HPL on 6D rotations, which have no jumps (arXiv:1812.07035).

    The mean squared difference over the 23 body joints, plus the root's and the betas' own, each
    with its weight: a mean over all would drown the root in 23 joints that move less.
    """
    squared = (found[0] - matrix_to_rotation_6d(true[0])).square()
    shape = (found[1] - true[1]).square().mean()
    return squared[:, 1:].mean() + ROOT_WEIGHT * squared[:, 0].mean() + BETAS_WEIGHT * shape


def human_param_loss_axis_angle(found: HumanParams6D, true: BodyParams) -> Float[Tensor, ""]:
    """Measure L_HPL as the poster writes it: the L2 norm of (theta, beta) minus its estimate.

    Theta is axis-angle, radians; the mean over the batch of each sample's norm.
    """
    pose = matrix_to_axis_angle(rotation_6d_to_matrix(found[0]))
    angles = rearrange(pose - matrix_to_axis_angle(true[0]), "b j c -> b (j c)")
    return torch.cat([angles, found[1] - true[1]], -1).norm(dim=-1).mean()


HUMAN_PARAM_LOSSES = {
    "rotation_6d": human_param_loss,
    "axis_angle": human_param_loss_axis_angle,
}
"""By `NetworkTraining.human_params`."""
