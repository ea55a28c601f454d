"""The [model] of a network that is small enough for many tests."""

SMALL_MODEL = """
[model]
points = 16
token_width = 24
control_heads = 2
control_blocks = 1
encoder_widths = [8, 8, 16]
prior_widths = [8, 16, 16]
[model.unet]
block_out_channels = [32, 32, 32]
layers_per_block = 1
heads = [2, 2, 2]
attention = [false, true, true]
cross_attention_dim = 8
latent_channels = 16
"""
