"""Train the autoencoder on crops of synthetic images and photo-like noise."""

import copy
from pathlib import Path
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posexfer_core.files.configs import read_config
from posexfer_core.network.autoencoder import (
    AutoencoderConfig,
    PatchAutoencoder,
    start_from_principal_components,
)
from posexfer_core.network.weights import AUTOENCODER, load_autoencoder

from ..config import AutoencoderTraining
from ..data.shards import ShardDataset
from ..data.textures import photo_textures
from ..sample_random import SampleRandom

SQUARED_WEIGHT = 5.0


class ReconstructionLoss(nn.Module):
    """An autoencoder with its reconstruction loss."""

    def __init__(self, autoencoder: PatchAutoencoder, latent_noise: float) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.latent_noise = latent_noise

    def forward(self, batch: dict[str, Tensor], rng: SampleRandom) -> dict[str, Float[Tensor, ""]]:
        """Compare images with their reconstruction from latents with a little noise."""
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        latents = self.autoencoder.encode(image)
        noise = rng.normal(*latents.shape[1:]).to(latents)
        error = (self.autoencoder.decode(latents + self.latent_noise * noise) - image).float()
        squared = error.square().mean()
        loss = error.abs().mean() + SQUARED_WEIGHT * squared
        with torch.no_grad():
            decibel = 10.0 * torch.log10(4.0 / squared)
        return {"loss": loss, "noisy_psnr": decibel, "latent_std": latents.detach().float().std()}


class AutoencoderTask:
    """What `training.trainer.train` needs to train an autoencoder."""

    def __init__(
        self, data: ShardDataset, settings: AutoencoderTraining, changes: dict[str, Any]
    ) -> None:
        self.data, self.settings = data, settings
        if settings.refine is None:
            config = read_config(AutoencoderConfig, changes, name="[model]")
            autoencoder = PatchAutoencoder(config)
            start_from_principal_components(autoencoder, self._images(settings.start_images))
        else:
            autoencoder, _ = load_autoencoder(settings.refine)
            autoencoder.analysis.requires_grad_(False)
            autoencoder.encode_correction.requires_grad_(False)
        autoencoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model: nn.Module = ReconstructionLoss(autoencoder, settings.latent_noise)

    def __len__(self) -> int:
        """Count the images: two a pair."""
        return 2 * len(self.data)

    def batch(self, indices: list[int], rng: SampleRandom) -> dict[str, Tensor]:
        """Cut one random crop out of every image; some are replaced by noise textures."""
        side = self.settings.crop
        crops = torch.empty(len(indices), 3, side, side)
        for crop, index, generator in zip(crops, indices, rng.generators, strict=True):
            image = self._image(index)
            height, width = image.shape[-2:]
            top = int(torch.randint(height - side + 1, (), generator=generator))
            left = int(torch.randint(width - side + 1, (), generator=generator))
            crop.copy_(image[:, top : top + side, left : left + side])
            if torch.rand((), generator=generator) < 0.5:
                crop.copy_(crop.flip(-1))
            if torch.rand((), generator=generator) < self.settings.texture_share:
                crop.copy_(photo_textures(1, side, generator)[0])
        return {"image": crops}

    @torch.no_grad()
    def sample(self, model: nn.Module) -> Float[Tensor, "3 height width"]:
        """Show eight images above their reconstructions."""
        autoencoder = copy.deepcopy(cast(ReconstructionLoss, model).autoencoder).cpu()
        images = self._images(8)
        rows = torch.stack([images, autoencoder(images)])
        return torch.cat([torch.cat(list(row), -1) for row in rows], -2).clamp(-1.0, 1.0)

    @torch.no_grad()
    def export(self, model: nn.Module, path: Path, recipe: dict[str, object]) -> None:
        """Write the autoencoder; a new one's latents are scaled to unit variance."""
        autoencoder = copy.deepcopy(cast(ReconstructionLoss, model).autoencoder).cpu()
        if self.settings.refine is None:
            scale_latents(autoencoder, autoencoder.encode(self._images(256)).std())
        AUTOENCODER.save(path, autoencoder, recipe=recipe)

    def _image(self, index: int) -> Float[Tensor, "3 height width"]:
        pair = self.data.pair(index // 2)
        return pair.source_image if index % 2 == 0 else pair.target_image

    def _images(self, count: int) -> Float[Tensor, "count 3 height width"]:
        chosen = torch.linspace(0, len(self) - 1, min(count, len(self))).long().tolist()
        return torch.stack([self._image(index) for index in chosen])


@torch.no_grad()
def scale_latents(autoencoder: PatchAutoencoder, std: Float[Tensor, ""]) -> None:
    """Divide the latents by `std` and undo it in the decoder; images stay as they are."""
    first, last = autoencoder.decode_correction[0], autoencoder.encode_correction[-1]
    for module in (autoencoder.analysis, last):
        for parameter in module.parameters():
            parameter.div_(std)
    autoencoder.synthesis.weight.mul_(std)
    cast(nn.Conv2d, first).weight.mul_(std)
