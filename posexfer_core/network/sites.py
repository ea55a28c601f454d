"""The shape of a UNet, where in it cross-attention sits, and what two hosts call these sites."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from ..errors import ConfigError

TIME_IDS, TIME_ID_WIDTH = 6, 256
"""Numbers that SDXL embeds beside its pooled text (sizes and crop), and the width of each."""


@dataclass(frozen=True, kw_only=True)
class UNetShape:
    """What must be known of a UNet to sit in it: the levels and where cross-attention is."""

    block_out_channels: tuple[int, ...]
    """Channels of each level, finest first."""
    layers_per_block: int
    """Residual blocks of a level on the way down; there is one more on the way up."""
    heads: tuple[int, ...]
    """Attention heads of each level; the middle has as many as the coarsest."""
    attention: tuple[int, ...]
    """Transformer blocks of each of a level's attentions; 0 where it has none. The middle has as
    many as the coarsest level, and at least one."""
    cross_attention_dim: int
    """Width of the base model's own (text) tokens."""
    latent_channels: int
    """Channels of the latents that are denoised."""
    sample_size: tuple[int, int] = (32, 22)
    """Usual latent height and width; others work too."""
    linear_projection: bool = False
    """Whether attentions project by matrices instead of 1x1 convolutions, as SDXL's do."""
    pooled_text: int = 0
    """Width of the pooled text that is added to the timestep's embedding; 0 where there is none."""

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
        if min(*self.attention, self.pooled_text) < 0:
            raise ConfigError(f"Depths and widths of a UNet must not be negative, got {self}.")
        for channels, heads in zip(self.block_out_channels, self.heads, strict=True):
            if heads < 1 or channels < 1 or channels % heads:
                raise ConfigError(f"{channels} channels cannot be split over {heads} heads.")

    def diffusers_config(self) -> dict[str, Any]:
        """Describe this UNet in the arguments of diffusers' `UNet2DConditionModel`.

        There `attention_head_dim` counts heads, whatever its name says.
        """
        kinds = ["CrossAttn" if depth else "" for depth in self.attention]
        config = {
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
            "transformer_layers_per_block": [max(1, depth) for depth in self.attention],
            "use_linear_projection": self.linear_projection,
        }
        if not self.pooled_text:
            return config
        return config | {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": TIME_ID_WIDTH,
            "projection_class_embeddings_input_dim": self.pooled_text + TIME_IDS * TIME_ID_WIDTH,
        }

    @classmethod
    def of_diffusers(cls, config: Mapping[str, Any]) -> "UNetShape":
        """Read the shape off the config of diffusers' `UNet2DConditionModel`.

        Raises:
            ConfigError: the UNet is of a kind that has no place for the network: it reads more than
                noisy latents, or its levels are uneven.
        """
        channels = tuple(config["block_out_channels"])
        heads = _for_levels(
            config.get("num_attention_heads") or config["attention_head_dim"], channels
        )
        depths = _for_levels(config.get("transformer_layers_per_block") or 1, channels)
        crossed = [kind.startswith("CrossAttn") for kind in config["down_block_types"]]
        pooled = config.get("addition_embed_type") == "text_time"
        layers = set(_for_levels(config["layers_per_block"], channels))
        plain = config["in_channels"] == config["out_channels"] and len(layers) == 1
        if not plain or not all(isinstance(depth, int) for depth in depths):
            raise ConfigError(
                f"The UNet reads {config['in_channels']} channels and draws "
                f"{config['out_channels']}, with {sorted(layers)} layers a level.\n"
                "Expected a UNet that reads noisy latents alone, with as many layers in each level."
                "\nChoose a text-to-image base; inpainting and refiner models are none."
            )
        size = config.get("sample_size") or 64
        return cls(
            block_out_channels=channels,
            layers_per_block=layers.pop(),
            heads=heads,
            attention=tuple(
                depth if cross else 0 for depth, cross in zip(depths, crossed, strict=True)
            ),
            cross_attention_dim=config["cross_attention_dim"],
            latent_channels=config["in_channels"],
            sample_size=(size, size) if isinstance(size, int) else tuple(size),
            linear_projection=bool(config.get("use_linear_projection")),
            pooled_text=config["projection_class_embeddings_input_dim"] - TIME_IDS * TIME_ID_WIDTH
            if pooled
            else 0,
        )


def _for_levels(value: Any, levels: tuple[int, ...]) -> tuple[Any, ...]:
    """Give one entry per level, where diffusers may have one for all."""
    return (value,) * len(levels) if isinstance(value, int) else tuple(value)


TINY_UNET = UNetShape(
    block_out_channels=(128, 128, 256),
    layers_per_block=1,
    heads=(4, 4, 8),
    attention=(0, 1, 1),
    cross_attention_dim=64,
    latent_channels=16,
)
SD15_UNET = UNetShape(
    block_out_channels=(320, 640, 1280, 1280),
    layers_per_block=2,
    heads=(8, 8, 8, 8),
    attention=(1, 1, 1, 0),
    cross_attention_dim=768,
    latent_channels=4,
    sample_size=(64, 64),
)
SDXL_UNET = UNetShape(
    block_out_channels=(320, 640, 1280),
    layers_per_block=2,
    heads=(5, 10, 20),
    attention=(0, 2, 10),
    cross_attention_dim=2048,
    latent_channels=4,
    sample_size=(128, 128),
    linear_projection=True,
    pooled_text=1280,
)


@dataclass(frozen=True, kw_only=True)
class AttentionSite:
    """One cross-attention of the UNet."""

    kind: Literal["down", "mid", "up"]
    """On the way down, in the middle, or on the way up."""
    block: int
    """Number of the block among its kind; up blocks count from the coarsest."""
    index: int
    """Number of the attention in the block."""
    depth: int
    """Number of the transformer block in the attention."""
    level: int
    """Number of the resolution, 0 the finest."""
    channels: int
    """Width of its queries."""
    heads: int
    """Heads that the width is split over."""

    @property
    def key(self) -> str:
        """Name the site in state dicts; the first transformer block has no number."""
        name = f"{self.kind}_{self.block}_{self.index}"
        return f"{name}_{self.depth}" if self.depth else name


def enumerate_sites(shape: UNetShape) -> tuple[AttentionSite, ...]:
    """List every cross-attention, in the order in which the UNet runs them."""
    levels = len(shape.block_out_channels)
    deepest = levels - 1

    def block_sites(kind: Literal["down", "up"], block: int, count: int) -> list[AttentionSite]:
        level = block if kind == "down" else deepest - block
        depths = range(shape.attention[level])
        return [_site(shape, kind, block, n, d, level) for n in range(count) for d in depths]

    down = [block_sites("down", b, shape.layers_per_block) for b in range(levels)]
    middle = [_site(shape, "mid", 0, 0, d, deepest) for d in range(max(1, shape.attention[-1]))]
    up = [block_sites("up", b, shape.layers_per_block + 1) for b in range(levels)]
    return tuple(chain(*down, middle, *up))


def _site(
    shape: UNetShape,
    kind: Literal["down", "mid", "up"],
    block: int,
    index: int,
    depth: int,
    level: int,
) -> AttentionSite:
    return AttentionSite(
        kind=kind,
        block=block,
        index=index,
        depth=depth,
        level=level,
        channels=shape.block_out_channels[level],
        heads=shape.heads[level],
    )


def diffusers_name(site: AttentionSite) -> str:
    """Name the site's attention module in diffusers' UNet2DConditionModel."""
    block = "mid_block" if site.kind == "mid" else f"{site.kind}_blocks.{site.block}"
    return f"{block}.attentions.{site.index}.transformer_blocks.{site.depth}.attn2"


def comfy_block(
    site: AttentionSite, shape: UNetShape
) -> tuple[Literal["input", "middle", "output"], int, int]:
    """Name the site as ComfyUI's attention patches do: block name, block number, depth.

    Input block 0 is the first convolution; every level then has its layers and one downsampling.
    """
    per_level = shape.layers_per_block + 1
    if site.kind == "down":
        return "input", 1 + site.block * per_level + site.index, site.depth
    if site.kind == "up":
        return "output", site.block * per_level + site.index, site.depth
    return "middle", 0, site.depth


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
