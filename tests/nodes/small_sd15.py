"""A checkpoint and two ControlNets that ComfyUI takes for SD 1.5: few layers, untrained."""

from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

CHECKPOINT = "v1-5-pruned-emaonly-fp16.safetensors"
CONTROLNETS = (
    "control_v11f1p_sd15_depth_fp16.safetensors",
    "control_v11p_sd15_openpose_fp16.safetensors",
)
UNET = {
    "image_size": 32,
    "in_channels": 4,
    "model_channels": 320,
    "num_res_blocks": [1, 1],
    "channel_mult": [1, 1],
    "transformer_depth": [0, 1],
    "transformer_depth_middle": 1,
    "num_heads": 8,
    "context_dim": 768,
    "use_spatial_transformer": True,
    "legacy": False,
}
"""As ComfyUI's own detection reads it back from the weights."""


def write_small_sd15(models: Path) -> None:
    """Put the files that our workflow names under `models`; needs the host's modules imported."""
    from comfy.cldm.cldm import ControlNet
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
    from comfy.sd1_clip import SD1ClipModel
    from comfy.taesd.taesd import TAESD

    torch.manual_seed(5)
    unet = UNetModel(**UNET, out_channels=4, transformer_depth_output=[0, 0, 1, 1])
    text = SD1ClipModel(dtype=torch.float16)
    state = {
        **prefixed("model.diffusion_model.", filled(unet)),
        **prefixed("cond_stage_model.", _text_state(text)),
        **prefixed("first_stage_model.", filled(TAESD())),
    }
    write_halves(models / "checkpoints" / CHECKPOINT, state)
    for name in CONTROLNETS:
        write_halves(models / "controlnet" / name, filled(ControlNet(**UNET, hint_channels=3)))


def _text_state(text: nn.Module) -> dict[str, Tensor]:
    """Name the text encoder's weights as a checkpoint does; the projection is not among them."""
    return {
        name.removeprefix("clip_l."): value
        for name, value in filled(text).items()
        if "transformer.text_model" in name
    }


def filled(module: nn.Module) -> dict[str, Tensor]:
    """Draw small weights: ComfyUI's layers are made without any; single numbers stay."""
    return {
        name: _draw(name, value.shape) if value.ndim else value
        for name, value in module.state_dict().items()
    }


def _draw(name: str, shape: Iterable[int]) -> Tensor:
    size = torch.Size(shape)
    if len(size) < 2:
        return torch.ones(size) if name.endswith("weight") else torch.zeros(size)
    return torch.randn(size) / max(size[1:].numel(), 1) ** 0.5


def prefixed(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Name weights as a part of a checkpoint."""
    return {prefix + name: value for name, value in state.items()}


def write_halves(path: Path, state: dict[str, Tensor]) -> None:
    """Save weights at half precision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().contiguous() for name, value in state.items()}, path)
