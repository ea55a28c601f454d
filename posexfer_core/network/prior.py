"""The 2D prior: maps of the target body become residuals on the UNet's way down."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .anchor import Anchor
from .config import LATENT_STRIDE, MAP_CHANNELS, NetworkConfig
from .residual import ResidualBlock, zeroed

LOG_STD_RANGE = (-3.5, -1.0)
"""Bounds of the foretold spread. It only sets the scale of what the UNet adds; kept below what a
weak prior would admit to, a UNet that is not sure yet blurs where it would else speckle."""


class PosePrior2D(nn.Module):
    """Encode whatever maps there are, and say which there are.

    A group of maps that is missing, or dropped for a sample, is zeros, and its presence flag is 0.
    A sample without any map gets residuals of exactly zero.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.groups = config.map_groups
        widths, blocks = config.prior_widths, config.prior_blocks
        channels = sum(MAP_CHANNELS[name] for name in self.groups)
        self.from_maps = nn.Conv2d(channels * LATENT_STRIDE**2, widths[0], 1)
        self.from_presence = nn.Linear(len(self.groups), widths[0], bias=False)
        self.from_draft = (
            nn.Conv2d(config.latent_channels, widths[0], 1, bias=False)
            if "warp" in self.groups
            else None
        )
        self.levels = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(widths[level - 1], width, 3, stride=2, padding=1)
                if level
                else nn.Identity(),
                *(ResidualBlock(width) for _ in range(blocks)),
            )
            for level, width in enumerate(widths)
        )
        self.foretell = Foretelling(config) if config.anchored else None
        self.outs = nn.ModuleList(
            zeroed(nn.Conv2d(width, channels, 1))
            for width, channels in zip(widths, config.unet.block_out_channels, strict=True)
        )

    def forward(
        self,
        maps: Mapping[str, Tensor],
        warp_latents: Float[Tensor, "batch latent latent_height latent_width"] | None,
        keep: Mapping[str, Bool[Tensor, "batch"]],
        like: Float[Tensor, "batch _ height width"],
    ) -> tuple[tuple[Float[Tensor, "batch _ _ _"], ...], Anchor | None]:
        """Compute the residual of each level, and what is known of the result.

        Args:
            maps: (batch, `MAP_CHANNELS[name]`, height, width) each; groups that this prior does
                not read are passed over.
            warp_latents: latents of the warped image, kept and dropped with the group "warp".
            keep: which samples keep a group; a group without an entry is kept.
            like: a tensor of the maps' batch, size, kind and place, should there be no map.
        """
        presence = self._presence(maps, keep, like)
        hidden = self.from_maps(F.pixel_unshuffle(self._stack(maps, presence, like), LATENT_STRIDE))
        hidden = hidden + self.from_presence(presence)[..., None, None]
        if self.from_draft is not None and warp_latents is not None:
            share = presence[:, self.groups.index("warp"), None, None, None]
            hidden = hidden + self.from_draft(share * warp_latents)
        any_map = presence.amax(1)[:, None, None, None]
        features = []
        for level in self.levels:
            hidden = level(hidden)
            features.append(hidden)
        anchor = None
        if self.foretell is not None:
            warped = None
            if warp_latents is not None and "warp" in self.groups:
                warped = presence[:, self.groups.index("warp"), None, None, None] * warp_latents
            features[0], anchor = self.foretell(features, warped, any_map)
        residuals = [any_map * out(one) for one, out in zip(features, self.outs, strict=True)]
        return tuple(residuals), anchor

    def _presence(
        self,
        maps: Mapping[str, Tensor],
        keep: Mapping[str, Bool[Tensor, "batch"]],
        like: Float[Tensor, "batch _ height width"],
    ) -> Float[Tensor, "batch groups"]:
        absent, present = like.new_zeros(len(like)), like.new_ones(len(like))
        flags = []
        for name in self.groups:
            kept = keep[name].to(like) if name in keep else present
            flags.append(kept if name in maps else absent)
        return torch.stack(flags, 1)

    def _stack(
        self,
        maps: Mapping[str, Tensor],
        presence: Float[Tensor, "batch groups"],
        like: Float[Tensor, "batch _ height width"],
    ) -> Float[Tensor, "batch channels height width"]:
        batch, _, height, width = like.shape
        stack = []
        for name, flag in zip(self.groups, presence.unbind(1), strict=True):
            if name in maps:
                stack.append(flag[:, None, None, None] * maps[name])
            else:
                stack.append(like.new_zeros(batch, MAP_CHANNELS[name], height, width))
        return torch.cat(stack, 1)


class Foretelling(nn.Module):
    """Foretell the latents: the warped's, corrected by the prior's features of all levels.

    Before training the mean is the warped's latents, or 0 where there is no warped.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        widths, latent = config.prior_widths, config.latent_channels
        self.latent = latent
        self.down = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(widths))
        self.join = nn.ModuleList(ResidualBlock(width) for width in widths[:-1])
        self.correct = zeroed(nn.Conv2d(widths[0] + latent, 2 * latent, 1))
        self.tell = nn.Conv2d(2 * latent, widths[0], 1)

    def forward(
        self,
        features: Sequence[Float[Tensor, "batch _ _ _"]],
        warp_latents: Float[Tensor, "batch latent height width"] | None,
        known: Float[Tensor, "batch 1 1 1"],
    ) -> tuple[Float[Tensor, "batch features height width"], Anchor]:
        """Return the finest features, which now tell of the guess, and the guess.

        Args:
            features: of each level, finest first.
            warp_latents: what geometry drew; zeros for samples that have none.
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
        correction = self.correct(torch.cat([hidden, warped.to(hidden.dtype)], 1)).float()
        change, spread = correction.chunk(2, 1)
        mean = known * (warped.float() + change)
        low, high = LOG_STD_RANGE
        log_std = known * (low + (high - low) * spread.sigmoid())
        hidden = hidden + self.tell(torch.cat([mean, log_std], 1).to(hidden.dtype))
        return hidden, Anchor(mean=mean, std=log_std.exp())
