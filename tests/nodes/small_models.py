"""Files that ComfyUI takes for SDXL and for FLUX.1 Fill: few layers, untrained; no text encoders.

Text encoders of these families have a fixed size, so that a node of ours gives their tokens: zeros.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.nodes.small_sd15 import filled, prefixed, write_halves

SDXL = "sd_xl_base_1.0.safetensors"
SDXL_UNION = "diffusion_pytorch_model_promax.safetensors"
FLUX_FILL, FLUX_VAE = "flux1-fill-dev.safetensors", "ae.safetensors"
ZERO_TEXT = "TestZeroText"
TEXT_WIDTHS = {
    "SD 1.5 inpaint": (768, 768),
    "Pose your own photo": (768, 768),
    "SDXL inpaint": (2048, 1280),
    "FLUX.1 Fill": (4096, 768),
}
"""Template → width of a token, and of all of them pooled."""
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
FLUX = {
    "in_channels": 96,
    "out_channels": 16,
    "patch_size": 2,
    "vec_in_dim": 768,
    "context_in_dim": 4096,
    "hidden_size": 256,
    "mlp_ratio": 4.0,
    "num_heads": 2,
    "depth": 1,
    "depth_single_blocks": 1,
    "axes_dim": [16, 56, 56],
    "theta": 10000,
    "qkv_bias": True,
    "guidance_embed": True,
    "txt_ids_dims": [],
}
"""For hosts that take FLUX of any width; older ones know the real one alone."""
NODE = f'''
"""Text of fixed size, of nothing but zeros."""

import torch


class {ZERO_TEXT}:
    CATEGORY, FUNCTION, RETURN_TYPES = "test", "encode", ("CONDITIONING",)

    @classmethod
    def INPUT_TYPES(cls):
        size = ("INT", {{"max": 8192}})
        return {{"required": {{"width": size, "pooled": size}}}}

    def encode(self, width, pooled):
        return ([[torch.zeros(1, 8, width), {{"pooled_output": torch.zeros(1, pooled)}}]],)


NODE_CLASS_MAPPINGS = {{"{ZERO_TEXT}": {ZERO_TEXT}}}
'''


def write_zero_text(base: Path) -> None:
    """Give a server, before it starts, the node that encodes nothing."""
    (base / "custom_nodes").mkdir(parents=True, exist_ok=True)
    (base / "custom_nodes" / "zero_text.py").write_text(NODE)


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
    write_halves(models / "checkpoints" / SDXL, state)
    write_halves(models / "controlnet" / SDXL_UNION, filled(ControlNet(**UNET, hint_channels=3)))


def write_small_flux(models: Path) -> None:
    """Put FLUX.1 Fill and its VAE under `models`; needs the host's modules imported."""
    import comfy.ops
    from comfy.ldm.flux.model import Flux
    from comfy.taesd.taesd import TAESD

    torch.manual_seed(7)
    operations = comfy.ops.disable_weight_init
    flux = Flux(**FLUX, operations=operations, dtype=torch.float32, device="cpu")
    write_halves(models / "diffusion_models" / FLUX_FILL, with_unit_scales(filled(flux)))
    path = models / "vae" / FLUX_VAE
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(filled(TAESD(latent_channels=16)), path)


def with_unit_scales(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Let norms scale by one."""
    return {
        name: torch.ones_like(value) if name.endswith("scale") else value
        for name, value in state.items()
    }
