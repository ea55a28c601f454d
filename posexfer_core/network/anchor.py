"""What the 2D prior already knows of the result, so that the UNet predicts only the rest.

The prior gives every latent a mean m and a standard deviation s. For Gaussian latents N(m, s^2) and
`x = a z + q e` with `a^2 + q^2 = 1`, the best guess of z is known in closed form:

    guess = m + k (x - a m),  k = a s^2 / (a^2 s^2 + q^2)

and what is left of the velocity v = a e - q z has variance `s^2 / (a^2 s^2 + q^2)`. The UNet's
output is scaled to that variance and added to the velocity of the guess: preconditioning as in EDM
(Karras et al., arXiv:2206.00364, section 5), around a mean of its own for every place. With m = 0
and s = 1 nothing is known, and the sum is the UNet's output.
"""

from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..conventions import NOISE_BETA_END, NOISE_BETA_START, TRAINING_STEPS


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """Mean and standard deviation of latents, before anything is sampled."""

    mean: Float[Tensor, "batch latent height width"]
    """The prior's guess; 0 where it knows nothing."""
    std: Float[Tensor, "batch latent height width"]
    """How far off it may be; 1 where it knows nothing."""

    def cooled(self, temperature: float) -> "Anchor":
        """Narrow the spread, but where nothing is known: there it is 1 and stays so."""
        return Anchor(mean=self.mean, std=torch.where(self.std < 1.0, temperature * self.std, 1.0))


def alpha_bar_at(
    timestep: Int[Tensor, "*steps"] | Float[Tensor, "*steps"],
) -> Float[Tensor, "*steps"]:
    """Return the share of signal power, a^2, after a training timestep of 0 to 999.

    Betas rise linearly in their square roots from 0.00085 to 0.012 (arXiv:2112.10752): 0.99915 at
    0, 0.00466 at 999. Between whole timesteps the logarithm is interpolated.
    """
    logs = _log_alpha_bars(timestep.device)
    place = timestep.float().clamp(0, TRAINING_STEPS - 1)
    below = place.long().clamp(max=TRAINING_STEPS - 2)
    return torch.lerp(logs[below], logs[below + 1], place - below).exp()


@cache
def _log_alpha_bars(device: torch.device) -> Float[Tensor, "1000"]:
    betas = (
        torch.linspace(
            NOISE_BETA_START**0.5, NOISE_BETA_END**0.5, TRAINING_STEPS, dtype=torch.float64
        )
        ** 2
    )
    return torch.cumsum(torch.log1p(-betas), 0).to(device, torch.float32)


def anchored_velocity(
    output: Float[Tensor, "batch latent height width"],
    noised: Float[Tensor, "batch latent height width"],
    alpha_bar: Float[Tensor, "batch"],
    anchor: Anchor,
) -> Float[Tensor, "batch latent height width"]:
    """Turn the UNet's output into a velocity, given what is known beforehand.

    Args:
        output: of the UNet, about unit variance.
        noised: the latents that the UNet was given.
        alpha_bar: share of signal power in them; below 1.
        anchor: what is known of the latents.
    """
    power = alpha_bar.float()[:, None, None, None]
    signal, noise = power.sqrt(), (1.0 - power).sqrt()
    mean, variance = anchor.mean.float(), anchor.std.float().square()
    spread = power * variance + noise.square()
    guess = mean + signal * variance / spread * (noised.float() - signal * mean)
    velocity = (signal * noised.float() - guess) / noise
    return (velocity + (variance / spread).sqrt() * output.float()).to(output.dtype)
