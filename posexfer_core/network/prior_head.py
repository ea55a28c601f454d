"""The prior head: mean and standard deviation of the latents, from the 2D prior's features."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .config import NetworkConfig
from .latent_prior import LatentPrior
from .residual import ResidualBlock, zeroed

LOG_STD_RANGE = (-3.5, -1.0)
"""Bounds of the logarithm of the standard deviation. It sets the scale of what the UNet adds; kept
below the true error of a weak head, an undertrained UNet blurs where it would else speckle."""


class PriorHead(nn.Module):
    """Predict the latents: those of the warped source, corrected by features of all levels.

    Before training the mean is the warped source's latents, or 0 where there are none.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        widths, latent = config.prior_widths, config.latent_channels
        self.latent = latent
        self.down = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(widths))
        self.join = nn.ModuleList(ResidualBlock(width) for width in widths[:-1])
        self.to_mean_std = zeroed(nn.Conv2d(widths[0] + latent, 2 * latent, 1))
        self.from_mean_std = nn.Conv2d(2 * latent, widths[0], 1)

    def forward(
        self,
        features: Sequence[Float[Tensor, "batch _ _ _"]],
        warp_latents: Float[Tensor, "batch latent height width"] | None,
        known: Float[Tensor, "batch 1 1 1"],
    ) -> tuple[Float[Tensor, "batch features height width"], LatentPrior]:
        """Return the finest features, with the prediction embedded in them, and the prediction.

        Args:
            features: of each level, finest first.
            warp_latents: of the warped source; zeros for samples that have none.
            known: 1 for samples that have a map, 0 for those that have none.
        """
        hidden = features[-1]
        for level in reversed(range(len(features) - 1)):
            finer = features[level]
            hidden = F.interpolate(self.down[level](hidden), size=finer.shape[-2:])
            hidden = self.join[level](finer + hidden)
        warped = warp_latents
        if warped is None:
            warped = hidden.new_zeros(len(hidden), self.latent, *hidden.shape[-2:])
        correction = self.to_mean_std(torch.cat([hidden, warped.to(hidden.dtype)], 1)).float()
        change, spread = correction.chunk(2, 1)
        mean = known * (warped.float() + change)
        low, high = LOG_STD_RANGE
        log_std = known * (low + (high - low) * spread.sigmoid())
        hidden = hidden + self.from_mean_std(torch.cat([mean, log_std], 1).to(hidden.dtype))
        return hidden, LatentPrior(mean=mean, std=log_std.exp())
