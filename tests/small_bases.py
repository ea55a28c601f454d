"""Bases of the SD 1.5 and SDXL families, random and small enough for many tests, as files."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from posexfer_core.network.sites import UNetShape
from tests.small_shapes import SD15_SHAPED, SDXL_SHAPED

WORDS = [*(f"word{n}</w>" for n in range(6)), "<|startoftext|>", "<|endoftext|>"]
TEXT_TOKENS = 8
VISION = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
    "hidden_act": "quick_gelu",
    "projection_dim": 16,
}


def small_unet(shape: UNetShape = SD15_SHAPED) -> UNet2DConditionModel:
    torch.manual_seed(20)
    return UNet2DConditionModel(**shape.diffusers_config()).eval()


def small_vae(scale: float = 0.18215) -> AutoencoderKL:
    """An 8x VAE of 4 channels; its norms have 32 groups, as a single file implies."""
    torch.manual_seed(21)
    sizes: dict[str, Any] = {
        "block_out_channels": (32, 32, 32, 32),
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
    }
    return AutoencoderKL(
        latent_channels=4, layers_per_block=1, scaling_factor=scale, **sizes
    ).eval()


def small_text(width: int = 24, *, projected: bool = False) -> nn.Module:
    torch.manual_seed(22)
    config = CLIPTextConfig(
        vocab_size=len(WORDS),
        hidden_size=width,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=1,
        max_position_embeddings=TEXT_TOKENS,
        projection_dim=width,
        bos_token_id=len(WORDS) - 2,
        eos_token_id=len(WORDS) - 1,
        pad_token_id=0 if projected else len(WORDS) - 1,
        hidden_act="gelu" if projected else "quick_gelu",
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config).eval()


def small_vision() -> CLIPVisionModelWithProjection:
    torch.manual_seed(23)
    return CLIPVisionModelWithProjection(CLIPVisionConfig(**VISION)).eval()


def write_sd15(folder: Path) -> Path:
    """Write a small SD 1.5 in diffusers' layout, with a CLIP vision encoder beside."""
    parts = {"unet": small_unet(), "vae": small_vae(), "text_encoder": small_text()}
    return _write(folder, {**parts, "image_encoder": small_vision()}, ("tokenizer",))


def write_sdxl(folder: Path) -> Path:
    """Write a small SDXL in diffusers' layout."""
    parts: dict[str, Any] = {
        "unet": small_unet(SDXL_SHAPED),
        "vae": small_vae(0.13025),
        "text_encoder": small_text(24),
        "text_encoder_2": small_text(16, projected=True),
        "image_encoder": small_vision(),
    }
    return _write(folder, parts, ())


def _write(folder: Path, parts: dict[str, Any], tokenizers: tuple[str, ...]) -> Path:
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
    ).save_pretrained(folder / "scheduler")
    for name in tokenizers:
        write_tokenizer(folder / name)
    return folder


def write_tokenizer(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(WORDS)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=TEXT_TOKENS
    ).save_pretrained(folder)


def write_single_file(path: Path) -> Path:
    """Write the same small SD 1.5 as one checkpoint, in the names of latent diffusion."""
    text = small_text().state_dict()
    state = {
        **{f"model.diffusion_model.{ldm_unet(n)}": v for n, v in small_unet().state_dict().items()},
        **{f"first_stage_model.{ldm_vae(n)}": v for n, v in small_vae().state_dict().items()},
        **{f"cond_stage_model.transformer.text_model.{n}": v for n, v in text.items()},
    }
    save_file({name: _as_convolution(name, value) for name, value in state.items()}, path)
    return path


def _as_convolution(name: str, value: Tensor) -> Tensor:
    """Attention in that VAE is by 1x1 convolutions."""
    attends = name.startswith("first_stage_model.") and ".attn_1." in name
    return (value[..., None, None] if attends and value.ndim == 2 else value).contiguous()


RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
OUTER = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def ldm_unet(name: str, layers: int = 2, crossed: tuple[int, ...] = (1, 1, 1, 0)) -> str:
    """Translate a name of diffusers' UNet to the one in a checkpoint."""
    kind, *rest = name.split(".")
    if kind not in ("down_blocks", "mid_block", "up_blocks"):
        outer, _, last = name.rpartition(".")
        return f"{OUTER[outer]}.{last}"
    level = 0 if kind == "mid_block" else int(rest.pop(0))
    part, index, *inner = rest
    number, first = level * (layers + 1) + int(index), int(kind == "down_blocks")
    if part == "downsamplers":
        return f"input_blocks.{(level + 1) * (layers + 1)}.0.op.{inner[-1]}"
    if part == "upsamplers":
        place = 2 if crossed[::-1][level] else 1
        return f"output_blocks.{number + layers}.{place}.conv.{inner[-1]}"
    if part == "resnets":
        inner[0] = RESNET[inner[0]]
    tail = ".".join(inner)
    if kind == "mid_block":
        place = 1 if part == "attentions" else 2 * int(index)
        return f"middle_block.{place}.{tail}"
    side = "input" if first else "output"
    return f"{side}_blocks.{number + first}.{int(part == 'attentions')}.{tail}"


def ldm_vae(name: str, levels: int = 4) -> str:
    """Translate a name of diffusers' AutoencoderKL to the one in a checkpoint."""
    for ours, theirs in (
        ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"),
        ("mid_block.attentions.0.to_q", "mid.attn_1.q"),
        ("mid_block.attentions.0.to_k", "mid.attn_1.k"),
        ("mid_block.attentions.0.to_v", "mid.attn_1.v"),
        ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"),
        ("mid_block.resnets.0", "mid.block_1"),
        ("mid_block.resnets.1", "mid.block_2"),
        ("downsamplers.0", "downsample"),
        ("upsamplers.0", "upsample"),
        ("resnets", "block"),
        ("conv_shortcut", "nin_shortcut"),
        ("conv_norm_out", "norm_out"),
        *((f"down_blocks.{n}.", f"down.{n}.") for n in range(levels)),
        *((f"up_blocks.{n}.", f"up.{levels - 1 - n}.") for n in range(levels)),
    ):
        name = name.replace(ours, theirs)
    return name
