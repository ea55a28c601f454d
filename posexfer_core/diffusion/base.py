"""Load the parts of a base model from local files, through diffusers' and transformers' loaders."""

import json
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor
from transformers import (
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionModelWithProjection,
)

from ..conventions import NOISE_BETA_END, NOISE_BETA_START, TRAINING_STEPS
from ..errors import CheckpointError
from ..network.config import SD15_LATENT_SCALE, SDXL_LATENT_SCALE, NetworkConfig
from ..network.sites import UNetShape
from . import single_file
from .base_files import BaseFiles, missing_part
from .clip import VisionModel
from .schedule import make_scheduler
from .text import TextEncoder


class Base:
    """A base of the SD 1.5 or SDXL family; each part is loaded when it is asked for.

    Parts are on the CPU, in evaluation mode and frozen.
    """

    def __init__(self, files: BaseFiles, dtype: torch.dtype = torch.float32) -> None:
        """Name the files.

        Args:
            files: where the parts are.
            dtype: what they are loaded as.
        """
        self.files, self.dtype = files, dtype

    @cached_property
    def _checkpoint(self) -> dict[str, Tensor]:
        """The tensors of a single-file checkpoint; none of a folder."""
        return {} if self.files.model.is_dir() else single_file.read_checkpoint(self.files.model)

    @cached_property
    def _is_sdxl(self) -> bool:
        if (folder := self.files.part("unet")) is not None:
            return _settings(folder).get("addition_embed_type") == "text_time"
        return single_file.is_sdxl(self._checkpoint)

    def describe_adapter(self) -> NetworkConfig:
        """Describe the network over this base by its files, before they are loaded.

        Raises:
            CheckpointError: the UNet is missing, or CLIP's vision model is damaged.
            ConfigError: the UNet is of a kind that has no place for the network.
        """
        if (folder := self.files.part("unet")) is not None:
            shape = UNetShape.of_diffusers(_settings(folder))
        else:
            shape = UNetShape.of_diffusers(self.load_unet().config)
        scale = SDXL_LATENT_SCALE if shape.pooled_text else SD15_LATENT_SCALE
        config = NetworkConfig.over(shape, latent_scale=scale)
        if (vision := self.files.part("image_encoder")) is None:
            return config
        found = _settings(vision)
        return replace(config, clip_width=found.get("vision_config", found)["hidden_size"])

    def load_unet(self) -> UNet2DConditionModel:
        """Load the UNet.

        Raises:
            CheckpointError: it is missing, damaged, or in a format that could run code.
        """
        if not self.files.model.is_dir():
            unet = single_file.unet_from(self._checkpoint, self.files.model.name)
        elif (folder := self.files.part("unet")) is not None:
            unet = _from_folder(UNet2DConditionModel, folder)
        else:
            raise missing_part(
                self.files,
                "UNet",
                "a folder in diffusers' layout, with unet/config.json and its .safetensors",
                "Name the folder that holds model_index.json, or a .safetensors checkpoint.",
            )
        return self._frozen(unet)

    def load_vae(self) -> AutoencoderKL | AutoencoderTiny:
        """Load the VAE; see `load_unet`."""
        path = self.files.part("vae")
        if path is not None and path.is_dir():
            tiny = _settings(path).get("_class_name") == "AutoencoderTiny"
            vae: Any = _from_folder(AutoencoderTiny if tiny else AutoencoderKL, path)
        else:
            state = self._checkpoint if path is None else single_file.read_checkpoint(path)
            name = (path or self.files.model).name
            vae = single_file.vae_from(state, name, sdxl=self._is_sdxl)
        if vae is None:
            raise missing_part(
                self.files,
                "VAE",
                "the folder vae, or the tensors first_stage_model.*",
                "Name a VAE of this family under [base] vae: a folder or a .safetensors file.",
            )
        return self._frozen(vae)

    def load_text_encoders(self) -> tuple[TextEncoder, ...]:
        """Load the text encoders: one, or two for SDXL; see `load_unet`."""
        first, second = (self.files.part(f"text_encoder{n}") for n in ("", "_2"))
        if first is not None:
            loaded: tuple[TextEncoder, ...] = (_from_folder(CLIPTextModel, first),)
            if second is not None:
                loaded += (_from_folder(CLIPTextModelWithProjection, second),)
        else:
            loaded = single_file.text_encoders_from(self._checkpoint)
        if not loaded:
            raise missing_part(
                self.files,
                "text encoder",
                "the folder text_encoder (for SDXL text_encoder_2, too), or its tensors",
                "Name a diffusers folder that has them under [base] text_encoder.",
            )
        return tuple(self._frozen(encoder) for encoder in loaded)

    def load_tokenizers(self) -> tuple[CLIPTokenizer, ...]:
        """Load the tokenizers; a single file has none, and the empty prompt needs none."""
        paths = [self.files.part(name) for name in ("tokenizer", "tokenizer_2")]
        return tuple(CLIPTokenizer.from_pretrained(path) for path in paths if path is not None)

    def load_image_encoder(self) -> VisionModel:
        """Load CLIP's vision model; see `load_unet`."""
        path = self.files.part("image_encoder")
        if path is None or not path.is_dir():
            raise missing_part(
                self.files,
                "CLIP vision encoder",
                "a folder of transformers with config.json and model.safetensors, a ViT-L/14",
                "Name it under [base] image_encoder, or set encoder = 'conv' under [model].",
            )
        return self._frozen(_from_folder(CLIPVisionModelWithProjection, path))

    def make_scheduler(self) -> DDIMScheduler:
        """Build the sampler's schedule, with what the UNet predicts: noise, or v.

        Raises:
            CheckpointError: the base was trained with another schedule than its family's.
        """
        found: dict[str, Any] = {"prediction_type": "epsilon"}
        path = self.files.part("scheduler")
        if path is not None:
            found |= cast(dict[str, Any], DDIMScheduler.load_config(path))
        elif single_file.predicts_velocity(self._checkpoint):
            found = {"prediction_type": "v_prediction"}
        ours = {
            "num_train_timesteps": TRAINING_STEPS,
            "beta_schedule": "scaled_linear",
            "beta_start": NOISE_BETA_START,
            "beta_end": NOISE_BETA_END,
            "rescale_betas_zero_snr": False,
        }
        if differing := {
            name: found[name] for name in ours if found.get(name, ours[name]) != ours[name]
        }:
            raise CheckpointError(
                f"The base {self.files.model} was trained with the noise schedule {differing}.\n"
                f"Expected that of the SD 1.5 and SDXL families, {ours}.\n"
                "Choose a base of these families."
            )
        return make_scheduler(found["prediction_type"])

    def _frozen(self, part: Any) -> Any:
        if part.dtype != self.dtype:
            part = part.to(self.dtype)
        return part.eval().requires_grad_(False)


def _settings(folder: Path) -> dict[str, Any]:
    """Read a part's config.json.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    try:
        return dict(json.loads((folder / "config.json").read_text()))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{folder} has no config.json that can be read: {error}.\n"
            "Expected a part of diffusers or transformers: config.json and its .safetensors.\n"
            "Is the folder complete?"
        ) from error


def _from_folder(kind: type[Any], folder: Path) -> Any:
    """Load a part from its folder: safetensors of either precision, never a pickle.

    Raises:
        CheckpointError: says what the folder lacks.
    """
    names = [path.name for path in folder.glob("*.safetensors*")]
    variant = None if any(".fp16." not in name for name in names) else "fp16"
    if not names:
        others = sorted(path.name for path in folder.iterdir() if path.suffix != ".json")
        raise CheckpointError(
            f"{folder} holds no .safetensors, but {others or 'no weights'}.\n"
            "Expected weights as .safetensors; pickles (.bin, .ckpt, .pt) can run code.\n"
            "Take the model's .safetensors version, or convert it where you trust it."
        )
    try:
        return kind.from_pretrained(
            folder, variant=variant, use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{folder} cannot be loaded: {str(error).splitlines()[0]}\n"
            f"Expected a {kind.__name__}: config.json and its .safetensors.\n"
            "Is the folder complete, and the one of this part?"
        ) from error
