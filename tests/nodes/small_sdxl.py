"""A checkpoint and a ControlNet that ComfyUI takes for SDXL: few layers, untrained, no text."""

from pathlib import Path

import torch

from tests.nodes.small_sd15 import filled, prefixed, write_halves

CHECKPOINT = "sd_xl_base_1.0.safetensors"
CONTROLNET = "diffusion_pytorch_model_promax.safetensors"
UNET = {
    "image_size": 32,
    "in_channels": 4,
    "model_channels": 320,
    "num_res_blocks": [1, 1, 1],
    "channel_mult": [1, 1, 1],
    "transformer_depth": [0, 2, 5],
    "transformer_depth_middle": 1,
    "num_head_channels": 64,
    "context_dim": 2048,
    "adm_in_channels": 2816,
    "num_classes": "sequential",
    "use_spatial_transformer": True,
    "use_linear_in_transformer": True,
    "legacy": False,
}
"""The depths are those of a small relative of SDXL that ComfyUI knows."""


def write_small_sdxl(models: Path) -> None:
    """Put a checkpoint and a ControlNet under `models`; needs the host's modules imported."""
    from comfy.cldm.cldm import ControlNet
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
    from comfy.taesd.taesd import TAESD

    torch.manual_seed(6)
    unet = UNetModel(**UNET, out_channels=4, transformer_depth_output=[0, 0, 2, 2, 5, 5])
    state = {
        **prefixed("model.diffusion_model.", filled(unet)),
        **prefixed("first_stage_model.", filled(TAESD())),
    }
    write_halves(models / "checkpoints" / CHECKPOINT, state)
    write_halves(models / "controlnet" / CONTROLNET, filled(ControlNet(**UNET, hint_channels=3)))
