"""A Gaussian prior over the latents, and the UNet's output preconditioned around it.

The prior head gives every latent a mean m and a standard deviation s. For latents N(m, s^2) and
`x = a z + q e` with `a^2 + q^2 = 1`, the posterior mean of z is known in closed form:

    guess = m + k (x - a m),  k = a s^2 / (a^2 s^2 + q^2)

and what is left of the velocity v = a e - q z has variance `s^2 / (a^2 s^2 + q^2)`. The UNet's
output is scaled to that variance and added to the velocity of the guess: preconditioning as in EDM
(Karras et al., arXiv:2206.00364, section 5), around a mean of its own for every latent. With m = 0
and s = 1 the result is the UNet's output.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .noise_schedule import alpha_bar_at


@dataclass(frozen=True, kw_only=True)
class LatentPrior:
    """Mean and standard deviation of latents, before anything is sampled."""

    mean: Float[Tensor, "batch latent height width"]
    """0 where nothing is known."""
    std: Float[Tensor, "batch latent height width"]
    """1 where nothing is known."""

    def with_temperature(self, temperature: float) -> "LatentPrior":
        """Scale the standard deviation, except where nothing is known: there it stays 1."""
        std = torch.where(self.std < 1.0, temperature * self.std, 1.0)
        return LatentPrior(mean=self.mean, std=std)

    def map_tensors(self, change: Callable[[Tensor], Tensor]) -> "LatentPrior":
        """Apply one change to both tensors."""
        return LatentPrior(mean=change(self.mean), std=change(self.std))


def precondition_velocity(
    output: Float[Tensor, "batch latent height width"],
    noised: Float[Tensor, "batch latent height width"],
    timestep: Int[Tensor, "*steps"] | Float[Tensor, "*steps"],
    prior: LatentPrior,
) -> Float[Tensor, "batch latent height width"]:
    """Turn the UNet's output into a velocity.

    Args:
        output: of the UNet, about unit variance.
        noised: the latents that the UNet was given.
        timestep: of the noise in them, one for all or one per sample.
        prior: of the latents.
    """
    power = alpha_bar_at(timestep).expand(len(noised))[:, None, None, None]
    signal, noise = power.sqrt(), (1.0 - power).sqrt()
    mean, variance = prior.mean.float(), prior.std.float().square()
    spread = power * variance + noise.square()
    guess = mean + signal * variance / spread * (noised.float() - signal * mean)
    velocity = (signal * noised.float() - guess) / noise
    return (velocity + (variance / spread).sqrt() * output.float()).to(output.dtype)
