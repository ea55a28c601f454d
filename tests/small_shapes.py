"""Shapes of the SD 1.5 and SDXL families, small enough for many tests."""

from posexfer_core.network.sites import UNetShape

SD15_SHAPED = UNetShape(
    block_out_channels=(32, 64, 128, 128),
    layers_per_block=2,
    heads=(8, 8, 8, 8),
    attention=(1, 1, 1, 0),
    cross_attention_dim=24,
    latent_channels=4,
    sample_size=(64, 64),
)
SDXL_SHAPED = UNetShape(
    block_out_channels=(64, 128, 256),
    layers_per_block=2,
    heads=(1, 2, 4),
    attention=(0, 2, 3),
    cross_attention_dim=40,
    latent_channels=4,
    sample_size=(128, 128),
    linear_projection=True,
    pooled_text=16,
)
"""Fewer blocks in the depth than SDXL has, and narrower ones; heads are 64 wide, as there."""
