"""Train the autoencoder on crops of synthetic pictures and photo-like noise."""

import copy
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from posexfer_core.network.autoencoder import (
    AutoencoderConfig,
    PatchAutoencoder,
    start_from_principal_components,
)
from posexfer_core.network.weights import load_autoencoder, save_autoencoder

from ..config import AutoencoderTraining
from ..data.shards import ShardDataset
from ..data.textures import photo_textures

SQUARED_WEIGHT = 5.0


class ReconstructionLoss(nn.Module):
    """An autoencoder and what its pictures are judged by."""

    def __init__(self, autoencoder: PatchAutoencoder, latent_noise: float) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.latent_noise = latent_noise

    def forward(
        self, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Float[Tensor, ""]]:
        """Compare pictures with their reconstruction from latents with a little noise."""
        picture = batch["picture"].contiguous(memory_format=torch.channels_last)
        latents = self.autoencoder.encode(picture)
        noise = torch.randn(latents.shape, generator=generator).to(latents)
        error = (self.autoencoder.decode(latents + self.latent_noise * noise) - picture).float()
        squared = error.square().mean()
        loss = error.abs().mean() + SQUARED_WEIGHT * squared
        with torch.no_grad():
            decibel = 10.0 * torch.log10(4.0 / squared)
        return {"loss": loss, "noisy_psnr": decibel, "latent_std": latents.detach().float().std()}


class AutoencoderTask:
    """What `training.trainer.train` needs to train an autoencoder."""

    def __init__(self, data: ShardDataset, settings: AutoencoderTraining) -> None:
        self.data, self.settings = data, settings
        if settings.refine is None:
            config = AutoencoderConfig(
                latent_channels=settings.latent_channels,
                width=settings.width,
                blocks=settings.blocks,
            )
            autoencoder = PatchAutoencoder(config)
            start_from_principal_components(autoencoder, self._pictures(settings.start_pictures))
        else:
            autoencoder, _ = load_autoencoder(settings.refine)
            autoencoder.analysis.requires_grad_(False)
            autoencoder.encode_correction.requires_grad_(False)
        autoencoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model: nn.Module = ReconstructionLoss(autoencoder, settings.latent_noise)

    def __len__(self) -> int:
        """Count the pictures: two a pair."""
        return 2 * len(self.data)

    def batch(self, indices: list[int], generator: torch.Generator) -> dict[str, Tensor]:
        """Cut one random crop out of every picture; some are replaced by noise textures."""
        side = self.settings.crop
        crops = torch.empty(len(indices), 3, side, side)
        for crop, index in zip(crops, indices, strict=True):
            picture = self._picture(index)
            height, width = picture.shape[-2:]
            top = int(torch.randint(height - side + 1, (), generator=generator))
            left = int(torch.randint(width - side + 1, (), generator=generator))
            crop.copy_(picture[:, top : top + side, left : left + side])
            if torch.rand((), generator=generator) < 0.5:
                crop.copy_(crop.flip(-1))
        textured = torch.rand(len(crops), generator=generator) < self.settings.texture_share
        if textured.any():
            crops[textured] = photo_textures(int(textured.sum()), side, generator)
        return {"picture": crops}

    @torch.no_grad()
    def sample(self, model: nn.Module) -> Float[Tensor, "3 height width"]:
        """Show eight pictures above their reconstructions."""
        autoencoder = cast(ReconstructionLoss, model).autoencoder
        pictures = self._pictures(8)
        rows = torch.stack([pictures, autoencoder(pictures)])
        return torch.cat([torch.cat(list(row), -1) for row in rows], -2).clamp(-1.0, 1.0)

    @torch.no_grad()
    def export(self, model: nn.Module, path: Path, recipe: dict[str, object]) -> None:
        """Write the autoencoder; a new one's latents are scaled to unit variance."""
        autoencoder = copy.deepcopy(cast(ReconstructionLoss, model).autoencoder)
        if self.settings.refine is None:
            scale_latents(autoencoder, autoencoder.encode(self._pictures(256)).std())
        save_autoencoder(path, autoencoder, recipe=recipe)

    def _picture(self, index: int) -> Float[Tensor, "3 height width"]:
        pair = self.data.pair(index // 2)
        return pair.source_picture if index % 2 == 0 else pair.target_picture

    def _pictures(self, count: int) -> Float[Tensor, "count 3 height width"]:
        chosen = torch.linspace(0, len(self) - 1, min(count, len(self))).long().tolist()
        return torch.stack([self._picture(index) for index in chosen])


@torch.no_grad()
def scale_latents(autoencoder: PatchAutoencoder, std: Float[Tensor, ""]) -> None:
    """Divide the latents by `std` and undo it in the decoder; pictures stay as they are."""
    first, last = autoencoder.decode_correction[0], autoencoder.encode_correction[-1]
    for module in (autoencoder.analysis, last):
        for parameter in module.parameters():
            parameter.div_(std)
    autoencoder.synthesis.weight.mul_(std)
    cast(nn.Conv2d, first).weight.mul_(std)


def reconstruction_psnr(
    autoencoder: PatchAutoencoder, pictures: Float[Tensor, "batch 3 height width"]
) -> Float[Tensor, " batch"]:
    """Return the PSNR that the autoencoder itself allows, dB."""
    error = F.mse_loss(autoencoder(pictures).clamp(-1.0, 1.0), pictures, reduction="none").mean(
        (1, 2, 3)
    )
    return 10.0 * torch.log10(4.0 / error)
