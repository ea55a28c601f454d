"""Where in a UNet cross-attention sits, and what two hosts call the place."""

from dataclasses import dataclass
from itertools import chain
from typing import Literal

from .config import UNetShape


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
