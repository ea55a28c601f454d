"""The shape of a UNet, where in it cross-attention sits, and what two hosts call these sites."""

from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from ..errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class UNetShape:
    """What must be known of a UNet to sit in it: the levels and where cross-attention is."""

    block_out_channels: tuple[int, ...]
    """Channels of each level, finest first."""
    layers_per_block: int
    """Residual blocks of a level on the way down; there is one more on the way up."""
    heads: tuple[int, ...]
    """Attention heads of each level; the middle has as many as the coarsest."""
    attention: tuple[bool, ...]
    """Which levels have cross-attention; the middle always has."""
    cross_attention_dim: int
    """Width of the base model's own (text) tokens."""
    latent_channels: int
    """Channels of the latents that are denoised."""
    sample_size: tuple[int, int] = (32, 22)
    """Usual latent height and width; others work too."""

    def __post_init__(self) -> None:
        """Refuse shapes that no UNet has."""
        levels = len(self.block_out_channels)
        if levels == 0 or len(self.heads) != levels or len(self.attention) != levels:
            raise ConfigError(
                "A UNet shape needs one entry per level in block_out_channels, heads and "
                f"attention, got {levels}, {len(self.heads)} and {len(self.attention)}."
            )
        if min(self.layers_per_block, self.cross_attention_dim, self.latent_channels) < 1:
            raise ConfigError(f"UNet sizes must be at least 1, got {self}.")
        for channels, heads in zip(self.block_out_channels, self.heads, strict=True):
            if heads < 1 or channels < 1 or channels % heads:
                raise ConfigError(f"{channels} channels cannot be split over {heads} heads.")

    def diffusers_config(self) -> dict[str, Any]:
        """Describe this UNet in the arguments of diffusers' `UNet2DConditionModel`.

        There `attention_head_dim` counts heads, whatever its name says.
        """
        kinds = ["CrossAttn" if cross else "" for cross in self.attention]
        return {
            "sample_size": list(self.sample_size),
            "in_channels": self.latent_channels,
            "out_channels": self.latent_channels,
            "down_block_types": [f"{kind}DownBlock2D" for kind in kinds],
            "mid_block_type": "UNetMidBlock2DCrossAttn",
            "up_block_types": [f"{kind}UpBlock2D" for kind in reversed(kinds)],
            "block_out_channels": list(self.block_out_channels),
            "layers_per_block": self.layers_per_block,
            "attention_head_dim": list(self.heads),
            "cross_attention_dim": self.cross_attention_dim,
            "use_linear_projection": False,
        }


TINY_UNET = UNetShape(
    block_out_channels=(128, 128, 256),
    layers_per_block=1,
    heads=(4, 4, 8),
    attention=(False, True, True),
    cross_attention_dim=64,
    latent_channels=16,
)
SD15_UNET = UNetShape(
    block_out_channels=(320, 640, 1280, 1280),
    layers_per_block=2,
    heads=(8, 8, 8, 8),
    attention=(True, True, True, False),
    cross_attention_dim=768,
    latent_channels=4,
    sample_size=(64, 64),
)


@dataclass(frozen=True, kw_only=True)
class AttentionSite:
    """One cross-attention of the UNet; every one has a single transformer block."""

    kind: Literal["down", "mid", "up"]
    """On the way down, in the middle, or on the way up."""
    block: int
    """Number of the block among its kind; up blocks count from the coarsest."""
    index: int
    """Number of the attention in the block."""
    level: int
    """Number of the resolution, 0 the finest."""
    channels: int
    """Width of its queries."""
    heads: int
    """Heads that the width is split over."""

    @property
    def key(self) -> str:
        """Name the site in state dicts."""
        return f"{self.kind}_{self.block}_{self.index}"


def enumerate_sites(shape: UNetShape) -> tuple[AttentionSite, ...]:
    """List every cross-attention, in the order in which the UNet runs them."""
    levels = len(shape.block_out_channels)
    deepest = levels - 1

    def block_sites(kind: Literal["down", "up"], block: int, count: int) -> list[AttentionSite]:
        level = block if kind == "down" else deepest - block
        if not shape.attention[level]:
            return []
        return [_site(shape, kind, block, index, level) for index in range(count)]

    down = [block_sites("down", b, shape.layers_per_block) for b in range(levels)]
    middle = [_site(shape, "mid", 0, 0, deepest)]
    up = [block_sites("up", b, shape.layers_per_block + 1) for b in range(levels)]
    return tuple(chain(*down, middle, *up))


def _site(
    shape: UNetShape, kind: Literal["down", "mid", "up"], block: int, index: int, level: int
) -> AttentionSite:
    return AttentionSite(
        kind=kind,
        block=block,
        index=index,
        level=level,
        channels=shape.block_out_channels[level],
        heads=shape.heads[level],
    )


def diffusers_name(site: AttentionSite) -> str:
    """Name the site's attention module in diffusers' UNet2DConditionModel."""
    block = "mid_block" if site.kind == "mid" else f"{site.kind}_blocks.{site.block}"
    return f"{block}.attentions.{site.index}.transformer_blocks.0.attn2"


def comfy_block(
    site: AttentionSite, shape: UNetShape
) -> tuple[Literal["input", "middle", "output"], int, int]:
    """Name the site as ComfyUI's attention patches do: block name, block number, depth.

    Input block 0 is the first convolution; every level then has its layers and one downsampling.
    """
    per_level = shape.layers_per_block + 1
    if site.kind == "down":
        return "input", 1 + site.block * per_level + site.index, 0
    if site.kind == "up":
        return "output", site.block * per_level + site.index, 0
    return "middle", 0, 0


def residual_layer(level: int, shape: UNetShape) -> str:
    """Name the last layer of a level on the way down in diffusers' UNet2DConditionModel."""
    kind = "attentions" if shape.attention[level] else "resnets"
    return f"down_blocks.{level}.{kind}.{shape.layers_per_block - 1}"


def residual_block(level: int, shape: UNetShape) -> tuple[Literal["input"], int]:
    """Name the last block of a level on the way down as ComfyUI's input patches do."""
    return "input", level * (shape.layers_per_block + 1) + shape.layers_per_block


def level_sizes(height: int, width: int, shape: UNetShape) -> tuple[tuple[int, int], ...]:
    """Compute each level's height and width from the latents'; halves are rounded up.

    Latents of 32x22 have levels of 32x22, 16x11 and 8x6.
    """
    sizes = [(height, width)]
    for _ in shape.block_out_channels[1:]:
        height, width = (height + 1) // 2, (width + 1) // 2
        sizes.append((height, width))
    return tuple(sizes)
