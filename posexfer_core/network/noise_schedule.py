"""How much signal is left in noised latents, by timestep."""

from functools import cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..conventions import NOISE_BETA_END, NOISE_BETA_START, TRAINING_STEPS

NOTHING_LEFT = 4.9e-8
"""Signal power at the last step of a schedule that ends without any; its logarithm is finite."""


def alpha_bar_at(
    timestep: Int[Tensor, "*steps"] | Float[Tensor, "*steps"],
    zero_terminal_snr: bool = False,
) -> Float[Tensor, "*steps"]:
    """Return the share of signal power after a training timestep of 0 to 999.

    `alpha_bar_t = prod_(i <= t) (1 - beta_i)`; betas rise linearly in their square roots from
    0.00085 to 0.012 (arXiv:2112.10752). 0.99915 at 0, 0.00466 at 999. Between whole timesteps the
    logarithm is interpolated.

    Args:
        timestep: from 0 to 999.
        zero_terminal_snr: shift and scale the square roots so that none is left at 999, and the
            first stays (arXiv:2305.08891, algorithm 1); as in ComfyUI the last is `NOTHING_LEFT`.
    """
    logs = _log_alpha_bars(timestep.device, zero_terminal_snr)
    place = timestep.float().clamp(0, TRAINING_STEPS - 1)
    below = place.long().clamp(max=TRAINING_STEPS - 2)
    return torch.lerp(logs[below], logs[below + 1], place - below).exp()


@cache
def _log_alpha_bars(device: torch.device, zero_terminal_snr: bool) -> Float[Tensor, "1000"]:
    ends = (NOISE_BETA_START**0.5, NOISE_BETA_END**0.5)
    betas = torch.linspace(*ends, TRAINING_STEPS, dtype=torch.float64) ** 2
    logs = torch.cumsum(torch.log1p(-betas), 0)
    if zero_terminal_snr:
        roots = (0.5 * logs).exp()
        roots = (roots - roots[-1]) * roots[0] / (roots[0] - roots[-1])
        logs = roots.square().clamp_min(NOTHING_LEFT).log()
    return logs.to(device, torch.float32)
