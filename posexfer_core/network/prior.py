"""The 2D prior: maps of the target body become residuals on the UNet's way down."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .config import LATENT_STRIDE, MAP_CHANNELS, NetworkConfig
from .latent_prior import LatentPrior
from .prior_head import PriorHead
from .residual import ResidualBlock, zeroed


class PosePrior2D(nn.Module):
    """Encode the maps that there are, with a presence flag for each group.

    A group of maps that is missing, or dropped for a sample, is zeros, and its presence flag is 0.
    A sample without any map gets residuals of exactly zero.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.groups = config.ablation.map_groups
        widths, blocks = config.prior_widths, config.prior_blocks
        channels = sum(MAP_CHANNELS[name] for name in self.groups)
        self.from_maps = nn.Conv2d(channels * LATENT_STRIDE**2, widths[0], 1)
        self.from_presence = nn.Linear(len(self.groups), widths[0], bias=False)
        self.from_warp = (
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
        self.head = PriorHead(config) if config.ablation.prior_head else None
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
    ) -> tuple[tuple[Float[Tensor, "batch _ _ _"], ...], LatentPrior | None]:
        """Compute the residual of each level, and the prior over the latents.

        Args:
            maps: (batch, `MAP_CHANNELS[name]`, height, width) each; groups that this prior does
                not read are passed over.
            warp_latents: latents of the warped image, kept and dropped with the group "warp".
            keep: which samples keep a group; a group without an entry is kept.
            like: a tensor of the maps' batch, size, dtype and device, should there be no map.
        """
        presence = self._presence(maps, keep, like)
        hidden = self.from_maps(F.pixel_unshuffle(self._stack(maps, presence, like), LATENT_STRIDE))
        hidden = hidden + self.from_presence(presence)[..., None, None]
        warped = None
        if self.from_warp is not None and warp_latents is not None:
            warped = presence[:, self.groups.index("warp"), None, None, None] * warp_latents
            hidden = hidden + self.from_warp(warped)
        any_map = presence.amax(1)[:, None, None, None]
        features = []
        for level in self.levels:
            hidden = level(hidden)
            features.append(hidden)
        latent_prior = None
        if self.head is not None:
            features[0], latent_prior = self.head(features, warped, any_map)
        residuals = [any_map * out(one) for one, out in zip(features, self.outs, strict=True)]
        return tuple(residuals), latent_prior

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
