"""Appearance encoders: the source image becomes tokens F_2D."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from ..errors import ConfigError
from .condition import ConditionInputs
from .config import NetworkConfig
from .fourier import FourierFeatures, position_grid
from .residual import ResidualBlock


class BodyPlaces(NamedTuple):
    """What of the source's body each token shows."""

    canonical: Float[Tensor, "batch tokens 3"]
    """Mean place on the rest body of the body's pixels in the token's cell."""
    share: Float[Tensor, "batch tokens 1"]
    """Share of such pixels."""


def pool_places(
    source_maps: Float[Tensor, "batch 4 height width"], rows: int, columns: int
) -> BodyPlaces:
    """Average canonical xyz and mask over the cells of a grid, row by row."""
    canonical, mask = source_maps[:, :3], source_maps[:, 3:]
    pooled = F.adaptive_avg_pool2d(torch.cat([canonical * mask, mask], 1), (rows, columns))
    pooled = rearrange(pooled, "b c h w -> b (h w) c")
    share = pooled[..., 3:]
    return BodyPlaces(pooled[..., :3] / share.clamp(min=1e-4), share)


class ConvAppearanceEncoder(nn.Module):
    """Encode the image and the source body's maps by convolutions trained with the rest.

    Two embeddings are added to a token: of its cell's position in the image, and of the mean
    canonical position of the body's pixels in the cell, weighted by the share of such pixels.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.stride = config.token_stride
        stage_1, stage_2, stage_3 = config.encoder_widths
        count_1, count_2, count_3 = config.encoder_blocks
        self.convolutions = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(7 * 16, stage_1, 1),
            *(ResidualBlock(stage_1) for _ in range(count_1)),
            nn.Conv2d(stage_1, stage_2, 3, stride=2, padding=1),
            *(ResidualBlock(stage_2) for _ in range(count_2)),
            nn.Conv2d(stage_2, stage_3, 3, stride=self.stride // 8, padding=1),
            *(ResidualBlock(stage_3) for _ in range(count_3)),
        )
        self.to_tokens = nn.Linear(stage_3, config.token_width)
        self.position_features = FourierFeatures(2, config.position_bands)
        self.position = nn.Linear(self.position_features.width, config.token_width)
        self.body_features = FourierFeatures(3, config.canonical_bands)
        self.body = nn.Linear(self.body_features.width, config.token_width)

    def forward(self, inputs: ConditionInputs) -> Float[Tensor, "batch tokens width"]:
        """Return F_2D: a token for each cell of `stride` pixels, the last ones padded."""
        seen = self._padded(torch.cat([inputs.image, inputs.source_maps], 1))
        features = self.convolutions(seen)
        tokens = self.to_tokens(rearrange(features, "b c h w -> b (h w) c"))
        grid = position_grid(features.shape[-2], features.shape[-1], device=seen.device)
        position = self.position(self.position_features(grid).to(tokens.dtype))
        places = self.body_places(inputs)
        place = self.body_features(places.canonical)
        return tokens + position + places.share * self.body(place.to(seen.dtype))

    def body_places(self, inputs: ConditionInputs) -> BodyPlaces:
        """Tell what of the source's body each token shows."""
        maps = self._padded(inputs.source_maps)
        return pool_places(maps, maps.shape[-2] // self.stride, maps.shape[-1] // self.stride)

    def _padded(
        self, maps: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels _ _"]:
        height, width = maps.shape[-2:]
        return F.pad(maps, (0, -width % self.stride, 0, -height % self.stride))


class ClipAppearanceEncoder(nn.Module):
    """Join frozen CLIP's hidden states with patches of the image's latents.

    CLIP's states tell what is worn; the latents, 2x2 to a token, keep detail that they lack.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.from_clip = nn.Linear(config.clip_width, config.token_width)
        self.from_latents = nn.Linear(4 * config.latent_channels, config.token_width)
        self.kind = nn.Parameter(0.02 * torch.randn(2, config.token_width))
        self.position_features = FourierFeatures(2, config.position_bands)
        self.position = nn.Linear(self.position_features.width, config.token_width)

    def forward(self, inputs: ConditionInputs) -> Float[Tensor, "batch tokens width"]:
        """Return F_2D from what the caller computed with the frozen models; latents of any size."""
        if inputs.clip_hidden is None or inputs.source_latents is None:
            raise ConfigError(
                "The clip encoder needs clip_hidden and source_latents, and one is missing. "
                "Compute both from the source image first."
            )
        latents = inputs.source_latents
        latents = F.pad(latents, (0, latents.shape[-1] % 2, 0, latents.shape[-2] % 2))
        patches = rearrange(latents, "b c (h p) (w q) -> b (h w) (c p q)", p=2, q=2)
        grid = position_grid(latents.shape[-2] // 2, latents.shape[-1] // 2, device=latents.device)
        position = self.position(self.position_features(grid).to(latents.dtype))
        detail = self.from_latents(patches) + position
        return torch.cat(
            [self.from_clip(inputs.clip_hidden) + self.kind[0], detail + self.kind[1]], 1
        )

    def body_places(self, inputs: ConditionInputs) -> BodyPlaces:
        """Tell what of the source's body each token shows; CLIP's states show none."""
        assert inputs.clip_hidden is not None and inputs.source_latents is not None
        rows, columns = (-(-side // 2) for side in inputs.source_latents.shape[-2:])
        places = pool_places(inputs.source_maps, rows, columns)
        before = (0, 0, inputs.clip_hidden.shape[1], 0)
        return BodyPlaces(*(F.pad(each, before) for each in places))
