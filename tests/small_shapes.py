"""Shapes of the SD 1.5 and SDXL families, small enough for many tests."""

from dataclasses import replace

from posexfer_core.network.sites import SD15_UNET, SDXL_UNET

SD15_SHAPED = replace(SD15_UNET, block_out_channels=(32, 64, 128, 128), cross_attention_dim=24)
SDXL_SHAPED = replace(
    SDXL_UNET,
    block_out_channels=(64, 128, 256),
    heads=(1, 2, 4),
    attention=(0, 2, 3),
    cross_attention_dim=40,
    pooled_text=16,
)
"""Fewer blocks in the depth than SDXL has, and narrower ones; heads are 64 wide, as there."""
