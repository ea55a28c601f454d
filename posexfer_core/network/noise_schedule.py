"""How much signal is left in noised latents, by timestep."""

from functools import cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..conventions import NOISE_BETA_END, NOISE_BETA_START, TRAINING_STEPS


def alpha_bar_at(
    timestep: Int[Tensor, "*steps"] | Float[Tensor, "*steps"],
) -> Float[Tensor, "*steps"]:
    """Return the share of signal power after a training timestep of 0 to 999.

    `alpha_bar_t = prod_(i <= t) (1 - beta_i)`; betas rise linearly in their square roots from
    0.00085 to 0.012 (arXiv:2112.10752). 0.99915 at 0, 0.00466 at 999. Between whole timesteps the
    logarithm is interpolated.
    """
    logs = _log_alpha_bars(timestep.device)
    place = timestep.float().clamp(0, TRAINING_STEPS - 1)
    below = place.long().clamp(max=TRAINING_STEPS - 2)
    return torch.lerp(logs[below], logs[below + 1], place - below).exp()


@cache
def _log_alpha_bars(device: torch.device) -> Float[Tensor, "1000"]:
    ends = (NOISE_BETA_START**0.5, NOISE_BETA_END**0.5)
    betas = torch.linspace(*ends, TRAINING_STEPS, dtype=torch.float64) ** 2
    return torch.cumsum(torch.log1p(-betas), 0).to(device, torch.float32)
