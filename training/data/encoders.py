"""The frozen networks whose outputs are kept with prepared pairs: an autoencoder, maybe CLIP."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posexfer_core.diffusion.base import Base
from posexfer_core.diffusion.base_files import BaseFiles
from posexfer_core.diffusion.clip import VisionModel, clip_hidden_states
from posexfer_core.diffusion.latents import Autoencoder, decode_latents, encode_image
from posexfer_core.errors import ConfigError
from posexfer_core.network.config import NetworkConfig
from posexfer_core.network.weights import BUNDLED_WEIGHTS, load_autoencoder

from ..config import PairTraining


@dataclass(frozen=True, kw_only=True)
class EncoderFiles:
    """Where they are; may be sent to another process."""

    autoencoder: Path | None
    """A file of ours; none where the base's VAE is used."""
    base: BaseFiles | None
    """Has the VAE, and CLIP's vision model where the network reads it."""
    clip: bool = False
    """Whether CLIP's hidden states and the latents of the source are kept."""

    @classmethod
    def of_run(
        cls, settings: PairTraining, base: BaseFiles | None, config: NetworkConfig
    ) -> "EncoderFiles":
        """Choose for a run: the base's where there is one, else the run's or the bundled one.

        Raises:
            ConfigError: the network reads CLIP and there is no base that has it.
        """
        if base is None and config.encoder == "clip":
            raise ConfigError(
                "[model] encoder is 'clip' and there is no [base].\n"
                "Expected [base] image_encoder, CLIP's vision model.\n"
                "Add that section, or set encoder = 'conv'."
            )
        autoencoder = None if base is not None else settings.autoencoder or BUNDLED_WEIGHTS
        return cls(autoencoder=autoencoder, base=base, clip=config.encoder == "clip")

    @lru_cache(maxsize=1)  # noqa: B019  (files are compared by their paths)
    def load(self, config: NetworkConfig) -> "Encoders":
        """Load them, on the CPU and frozen; once in a process.

        Raises:
            CheckpointError: a file is missing, damaged or something else.
            ConfigError: latents have another number of channels than the network's.
        """
        recipe: dict[str, Any] = {}
        if self.base is None:
            assert self.autoencoder is not None
            vae, recipe = load_autoencoder(self.autoencoder)
            channels, name = vae.config.latent_channels, str(self.autoencoder)
        else:
            vae = Base(self.base).load_vae()
            channels, name = vae.config["latent_channels"], f"The VAE of {self.base.model}"
        if channels != config.latent_channels:
            raise ConfigError(
                f"{name} makes latents of {channels} channels.\nExpected "
                f"{config.latent_channels}, as the network's UNet draws.\n"
                "Choose the autoencoder that the UNet was trained with, or change [model.unet]."
            )
        clip = Base(self.base).load_image_encoder() if self.clip and self.base else None
        return Encoders(vae.requires_grad_(False), clip, recipe)


class Encoders:
    """An autoencoder, maybe CLIP, and what they make of images."""

    def __init__(self, vae: Autoencoder, clip: VisionModel | None, recipe: dict[str, Any]) -> None:
        self.vae, self.clip = vae, clip
        self.recipe = recipe
        """How our autoencoder was made."""

    @torch.no_grad()
    def latents(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch channels latent_height latent_width"]:
        """Carry images in [-1, 1] to the latents that the UNet denoises."""
        return encode_image(self.vae, image)

    @torch.no_grad()
    def image(
        self, latents: Float[Tensor, "batch channels latent_height latent_width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Carry latents to images in [-1, 1]."""
        return decode_latents(self.vae, latents)

    @torch.no_grad()
    def source(self, image: Float[Tensor, "batch 3 height width"]) -> dict[str, Tensor]:
        """Compute what the `clip` encoder reads of the source image; nothing without CLIP."""
        if self.clip is None:
            return {}
        return {
            "clip_hidden": clip_hidden_states(self.clip, image),
            "source_latents": self.latents(image),
        }

    @cached_property
    def digests(self) -> dict[str, str]:
        """Tell weights apart, whatever file and precision they come in."""
        found = {"autoencoder": digest(self.vae)}
        return found if self.clip is None else found | {"clip": digest(self.clip)}


def digest(module: nn.Module) -> str:
    """Hash the weights of a network, rounded to half precision, in the order of their names."""
    total = sha256()
    for name, value in sorted(module.state_dict().items()):
        total.update(name.encode())
        total.update(value.half().contiguous().numpy().tobytes())
    return total.hexdigest()
