"""What the denoiser is trained on: v-prediction with a cap on the weight of easy timesteps."""

from jaxtyping import Float, Int
from torch import Tensor


def add_noise(
    latents: Float[Tensor, "batch channels height width"],
    noise: Float[Tensor, "batch channels height width"],
    alpha_bar: Float[Tensor, " batch"],
) -> tuple[
    Float[Tensor, "batch channels height width"], Float[Tensor, "batch channels height width"]
]:
    """Mix latents with noise and give the velocity that undoes it.

    `z_t = a z + s e`, `v = a e - s z` with `a = sqrt(alpha_bar)`, `s = sqrt(1 - alpha_bar)`
    (Salimans and Ho, arXiv:2202.00512, appendix D).

    Returns:
        z_t and v.
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


def denoising_loss(
    prediction: Float[Tensor, "batch channels height width"],
    target: Float[Tensor, "batch channels height width"],
    weight: Float[Tensor, " batch"],
) -> Float[Tensor, ""]:
    """Average the weighted squared error over a batch."""
    error = (prediction.float() - target.float()).square().mean((1, 2, 3))
    return (weight * error).mean()


def signal_share(
    alphas_cumprod: Float[Tensor, " steps"], timesteps: Int[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Look up alpha_bar of each sample's timestep."""
    return alphas_cumprod[timesteps]
