"""Bases in one checkpoint file: its shape is read off the weights, diffusers converts them.

diffusers would fetch the config of a known model from the network; here the description that it
converts from (`original_config`, the layout of the latent-diffusion repository) is computed.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from diffusers.loaders.single_file_utils import create_diffusers_clip_model_from_ldm
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from ..errors import CheckpointError
from ..files.weights import open_tensors
from ..network.config import SD15_LATENT_SCALE, SDXL_LATENT_SCALE
from .text import TextEncoder

UNET, VAE = "model.diffusion_model.", "first_stage_model."
TEXT = ("cond_stage_model.transformer.text_model.",)
SDXL_TEXT = ("conditioner.embedders.0.transformer.text_model.", "conditioner.embedders.1.model.")
HEADS, HEAD_WIDTH = 8, 64
"""SD 1.5 has as many heads everywhere; SDXL and CLIP have heads of one width."""
State = Mapping[str, Tensor]


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a .safetensors file, or of a pickle that holds nothing but tensors.

    Raises:
        CheckpointError: the file is damaged, or would run code when read.
    """
    if path.suffix == ".safetensors":
        with open_tensors(path):  # names what is wrong with the file
            return load_file(path)
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise CheckpointError(
            f"{path.name} is refused: it is a pickle that holds more than tensors, or damaged.\n"
            "Expected a .safetensors file; pickles can run code when they are read.\n"
            "Take the model's .safetensors version, or convert the file where you trust it."
        ) from error
    content = content.get("state_dict", content) if isinstance(content, dict) else {}
    return {name: value for name, value in content.items() if isinstance(value, Tensor)}


def unet_from(state: State, name: str) -> UNet2DConditionModel:
    """Build the UNet of a checkpoint.

    Raises:
        CheckpointError: there is none, or one that diffusers cannot convert.
    """
    if f"{UNET}input_blocks.0.0.weight" not in state:
        raise CheckpointError(
            f"{name} holds no UNet: it has {len(state)} tensors and none that begins with "
            f"{UNET}input_blocks.\nExpected a whole checkpoint of the SD 1.5 or SDXL family.\n"
            "A LoRA, VAE or adapter is none; take the checkpoint that it belongs to."
        )
    described = _description(state, sdxl=is_sdxl(state))
    return _converted(UNet2DConditionModel, _parts(state, UNET), described, name)


def vae_from(state: State, name: str, *, sdxl: bool) -> AutoencoderKL | None:
    """Build the VAE of a checkpoint, or of a file of its own; none where it holds none.

    Args:
        state: the tensors.
        name: of the file.
        sdxl: the family of the base, which a VAE's own tensors do not tell.
    """
    if not any(key.startswith(VAE) for key in state):
        if "decoder.conv_in.weight" not in state:
            return None
        state = {VAE + key: value for key, value in state.items()}
    return _converted(AutoencoderKL, _parts(state, VAE), _description(state, sdxl=sdxl), name)


def text_encoders_from(state: State) -> tuple[TextEncoder, ...]:
    """Build the text encoders of a checkpoint; none where it lacks them."""
    prefixes = SDXL_TEXT if is_sdxl(state) else TEXT
    if not all(any(key.startswith(prefix) for key in state) for prefix in prefixes):
        return ()
    return tuple(_text_encoder(state, prefix) for prefix in prefixes)


def is_sdxl(state: State) -> bool:
    """Tell whether the UNet adds pooled text to its timesteps."""
    return f"{UNET}label_emb.0.0.weight" in state


def predicts_velocity(state: State) -> bool:
    """Tell whether the checkpoint is marked, as its family does, to predict v instead of noise."""
    return "v_pred" in state


def _parts(state: State, prefix: str) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if key.startswith(prefix)}


def _converted(kind: type[Any], state: dict[str, Tensor], described: dict[str, Any], name: str):
    try:
        model = kind.from_single_file(state, original_config=described, local_files_only=True)
    except (KeyError, ValueError, RuntimeError, TypeError) as error:
        raise CheckpointError(
            f"The {kind.__name__} in {name} cannot be converted: {error}.\n"
            "Expected the layout of the SD 1.5 or SDXL family.\n"
            "Save the model as a diffusers folder and name that."
        ) from error
    if empty := [key for key, value in model.named_parameters() if value.is_meta]:
        raise CheckpointError(
            f"The {kind.__name__} in {name} lacks {len(empty)} tensors, such as {empty[0]}.\n"
            "Expected a whole checkpoint.\nIs the download complete?"
        )
    return model.eval()


def _description(state: State, *, sdxl: bool) -> dict[str, Any]:
    """Describe UNet and VAE in the layout of latent diffusion's config files."""
    scale = SDXL_LATENT_SCALE if sdxl else SD15_LATENT_SCALE
    return {
        "model": {
            "params": {
                "unet_config": {"params": _unet_description(state)},
                "first_stage_config": {"params": {"ddconfig": _vae_description(state)}},
                "scale_factor": scale,
            }
        }
    }


def _unet_description(state: State) -> dict[str, Any]:
    """Read widths, layers and depths off the blocks on the way down."""
    if f"{UNET}input_blocks.0.0.weight" not in state:
        return {}
    first = state[f"{UNET}input_blocks.0.0.weight"]
    levels: list[list[tuple[int, int]]] = [[]]
    number, context, linear = 1, 0, False
    while any(key.startswith(f"{UNET}input_blocks.{number}.") for key in state):
        block = f"{UNET}input_blocks.{number}."
        if f"{block}0.op.weight" in state:
            levels.append([])
        else:
            depth = 0
            while f"{block}1.transformer_blocks.{depth}.attn2.to_k.weight" in state:
                context = state[f"{block}1.transformer_blocks.{depth}.attn2.to_k.weight"].shape[1]
                linear = state[f"{block}1.proj_in.weight"].ndim == 2
                depth += 1
            levels[-1].append((state[f"{block}0.out_layers.3.weight"].shape[0], depth))
        number += 1
    depths = [level[0][1] for level in levels]
    described = {
        "in_channels": first.shape[1],
        "out_channels": state[f"{UNET}out.2.weight"].shape[0],
        "model_channels": first.shape[0],
        "channel_mult": [level[0][0] // first.shape[0] for level in levels],
        "num_res_blocks": len(levels[0]),
        "attention_resolutions": [2**n for n, depth in enumerate(depths) if depth],
        "transformer_depth": [max(1, depth) for depth in depths],
        "context_dim": context,
        "use_linear_in_transformer": linear,
    }
    if not is_sdxl(state):
        return described | {"num_heads": HEADS}
    return described | {
        "num_head_channels": HEAD_WIDTH,
        "num_classes": "sequential",
        "adm_in_channels": state[f"{UNET}label_emb.0.0.weight"].shape[1],
    }


def _vae_description(state: State) -> dict[str, Any]:
    """Read widths and layers off the encoder; a usual one where there is none."""
    first = f"{VAE}encoder.conv_in.weight"
    if first not in state:
        return {"ch_mult": [1, 2, 4, 4]}
    width, levels, layers = state[first].shape[0], [], 0
    while (key := f"{VAE}encoder.down.{len(levels)}.block.0.conv1.weight") in state:
        levels.append(state[key].shape[0] // width)
    while f"{VAE}encoder.down.0.block.{layers}.conv1.weight" in state:
        layers += 1
    return {
        "ch": width,
        "ch_mult": levels,
        "num_res_blocks": layers,
        "in_channels": 3,
        "out_ch": 3,
        "z_channels": state[f"{VAE}decoder.conv_in.weight"].shape[1],
    }


def _text_encoder(state: State, prefix: str) -> TextEncoder:
    """Build one text encoder, with the sizes of its weights."""
    open_clip = prefix == SDXL_TEXT[1]
    if open_clip:
        words, places = state[f"{prefix}token_embedding.weight"], f"{prefix}positional_embedding"
        layer = prefix + "transformer.resblocks.{}.mlp.c_fc.weight"
    else:
        words = state[f"{prefix}embeddings.token_embedding.weight"]
        places = f"{prefix}embeddings.position_embedding.weight"
        layer = prefix + "encoder.layers.{}.mlp.fc1.weight"
    layers = 0
    while layer.format(layers) in state:
        layers += 1
    width = words.shape[1]
    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=state[layer.format(0)].shape[0],
        num_hidden_layers=layers,
        num_attention_heads=max(1, width // HEAD_WIDTH),
        max_position_embeddings=len(state[places]),
        hidden_act="gelu" if open_clip else "quick_gelu",
        projection_dim=width,
        bos_token_id=len(words) - 2,
        eos_token_id=len(words) - 1,
        pad_token_id=0 if open_clip else len(words) - 1,
    )
    kind = CLIPTextModelWithProjection if open_clip else CLIPTextModel
    with tempfile.TemporaryDirectory() as folder:
        config.save_pretrained(folder)
        return create_diffusers_clip_model_from_ldm(
            kind, dict(state), config=folder, local_files_only=True
        )
