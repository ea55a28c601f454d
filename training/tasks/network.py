"""Train the network and its UNet on prepared pairs."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from jaxtyping import Bool, Float, Int
from safetensors.torch import load_file
from torch import Tensor, nn

from posexfer_core.body.model import BodyModel
from posexfer_core.diffusion.attach import attach, empty_context
from posexfer_core.diffusion.schedule import make_scheduler
from posexfer_core.errors import ConfigError
from posexfer_core.geometry.points import locate_points, sample_surface_points
from posexfer_core.network.anchor import Anchor
from posexfer_core.network.config import MAP_CHANNELS, NetworkConfig
from posexfer_core.network.lift import human_param_loss
from posexfer_core.network.model import Condition, ConditionInputs, PoseTransferNetwork
from posexfer_core.network.weights import load_autoencoder, read_header, save_bundle

from ..config import NetworkTraining
from ..data.prepared import PreparedDataset, decode_planes, prepare
from ..data.shards import ShardDataset
from ..losses import add_noise, denoising_loss, velocity_weight

SAMPLE_STEPS = 10
logger = logging.getLogger(__name__)


class TransferLoss(nn.Module):
    """The network, its UNet, and what they are judged by."""

    alphas_cumprod: Tensor
    points_canonical: Tensor

    def __init__(self, config: NetworkConfig, settings: NetworkTraining) -> None:
        super().__init__()
        self.settings = settings
        self.network = PoseTransferNetwork(config)
        self.unet = UNet2DConditionModel(**config.unet.diffusers_config())
        if settings.keep_foretelling and (prior := self.network.prior) is not None:
            prior.requires_grad_(False)
            prior.outs.requires_grad_(True)
        self.register_buffer("alphas_cumprod", make_scheduler().alphas_cumprod, persistent=False)
        body = BodyModel.bundled()
        points = sample_surface_points(body.canonical, body.faces, config.points)
        canonical = locate_points(points, body.canonical[None], body.faces)
        self.register_buffer("points_canonical", canonical, persistent=False)

    def forward(
        self, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Float[Tensor, ""]]:
        """Predict the velocity of noised target latents under randomly dropped conditions."""
        latents = batch["target_latents"].float()
        inputs = self.inputs(batch)
        dropped = self._dropped(len(latents), latents.device, generator)
        if self.settings.noises == 0:
            return self._foretell(inputs, latents, dropped)
        inputs = replace(
            inputs, source_maps=inputs.source_maps * dropped["source_body"][:, None, None, None]
        )
        condition, rotations, betas = self.network.condition_and_params(
            inputs,
            keep_identity=dropped["identity"],
            keep_pose=dropped["pose"],
            keep_maps={name: dropped[name] for name in MAP_CHANNELS},
        )
        foretelling = foretelling_loss(condition.anchor, latents)
        condition = without_anchor_gradient(condition)
        if self.settings.noises > 1:

            def repeat(tensor: Tensor) -> Tensor:
                return tensor.repeat_interleave(self.settings.noises, 0)

            latents, condition = repeat(latents), condition.map_tensors(repeat)
        noise = torch.randn(latents.shape, generator=generator).to(latents)
        steps = torch.randint(len(self.alphas_cumprod), (len(latents),), generator=generator)
        alpha_bar = self.alphas_cumprod[steps.to(latents.device)]
        noised, velocity = add_noise(latents, noise, alpha_bar)
        predicted = self.predict(noised, steps.to(latents.device), condition)
        weight = velocity_weight(alpha_bar, self.settings.snr_gamma)
        denoising = denoising_loss(predicted, velocity, weight)
        human = human_param_loss(rotations, betas, batch["rotations"], batch["betas"])
        return {
            "loss": denoising + foretelling + self.settings.human_params_weight * human,
            "denoising": denoising,
            "foretelling": foretelling,
            "human_params": human,
        }

    def _foretell(
        self,
        inputs: ConditionInputs,
        latents: Float[Tensor, "batch channels height width"],
        kept: dict[str, Bool[Tensor, " batch"]],
    ) -> dict[str, Float[Tensor, ""]]:
        """Train the 2D prior alone."""
        prior = self.network.prior
        if prior is None or prior.foretell is None:
            raise ConfigError("noises = 0 trains the 2D prior, and this network foretells nothing.")
        maps = {name: kept[name] & kept["pose"] for name in MAP_CHANNELS}
        _, anchor = prior(inputs.maps, inputs.warp_latents, maps, inputs.image)
        loss = foretelling_loss(anchor, latents)
        return {"loss": loss, "foretelling": loss}

    def inputs(self, batch: dict[str, Tensor]) -> ConditionInputs:
        """Carry the stored bytes of a batch to what the network reads."""
        planes = decode_planes(batch["planes"])
        image = batch["image"].permute(0, 3, 1, 2).float() / 127.5 - 1.0
        return ConditionInputs(
            image=image,
            source_maps=planes.pop("source_maps"),
            points=batch["points"].float(),
            points_canonical=self.points_canonical.expand(len(image), -1, -1),
            maps=planes,
            warp_latents=batch["warp_latents"].float(),
        )

    def predict(
        self,
        sample: Float[Tensor, "batch channels height width"],
        steps: Int[Tensor, " batch"],
        condition: Condition,
    ) -> Float[Tensor, "batch channels height width"]:
        """Call the UNet under a condition."""
        with attach(self.unet, self.network) as attached:
            attached.set_condition(condition)
            return attached.predict(sample, steps, empty_context(self.unet, len(sample)))

    def _dropped(
        self, count: int, device: torch.device, generator: torch.Generator
    ) -> dict[str, Bool[Tensor, " batch"]]:
        """Draw what each sample keeps; every branch that guidance evaluates occurs."""
        share = self.settings

        def keep(rate: float) -> Bool[Tensor, " batch"]:
            return torch.rand(count, generator=generator) >= rate

        branch = torch.rand(count, generator=generator)
        prior = keep(share.drop_prior)
        kept = {name: prior & keep(share.drop_map) for name in MAP_CHANNELS}
        kept["warp"] = prior & keep(share.drop_warp)
        kept["pose"] = branch >= share.drop_all
        kept["identity"] = branch >= share.drop_all + share.drop_identity
        kept["source_body"] = keep(share.drop_source_body)
        return {name: mask.to(device) for name, mask in kept.items()}


def foretelling_loss(
    anchor: Anchor | None, latents: Float[Tensor, "batch channels height width"]
) -> Float[Tensor, ""]:
    """Judge the anchor: error of the mean, and likelihood of that error under its spread.

    The mean's error counts plain, which keeps edges, and a little squared, which fears outliers.
    The spread learns from the error without moving the mean, which would else give up on what is
    hard. Zero for networks that foretell nothing.
    """
    if anchor is None:
        return latents.new_zeros(())
    error = anchor.mean - latents
    likelihood = 0.5 * error.detach().square() / anchor.std.square() + anchor.std.log()
    return 0.25 * error.square().mean() + error.abs().mean() + likelihood.mean()


def without_anchor_gradient(condition: Condition) -> Condition:
    """Let the denoiser's loss not move the anchor, which has its own."""
    if condition.anchor is None:
        return condition
    anchor = Anchor(mean=condition.anchor.mean.detach(), std=condition.anchor.std.detach())
    return replace(condition, anchor=anchor)


def take_over(model: nn.Module, path: Path) -> None:
    """Fill a model with every tensor of a bundle that has the same name and shape.

    Raises:
        CheckpointError: the file is not a weights file.
    """
    read_header(path)
    wanted, found = model.state_dict(), load_file(path)
    fitting = {
        name: tensor
        for name, tensor in found.items()
        if name in wanted and wanted[name].shape == tensor.shape
    }
    model.load_state_dict(fitting, strict=False)
    logger.info("Took %d of %d tensors over from %s.", len(fitting), len(wanted), path)


def configure(changes: dict[str, Any]) -> NetworkConfig:
    """Change the `tiny` preset as the [model] section of a run says."""
    return NetworkConfig.from_dict(NetworkConfig.tiny().to_dict() | changes)


class NetworkTask:
    """What `training.trainer.train` needs to train the network."""

    def __init__(
        self, data: ShardDataset, settings: NetworkTraining, changes: dict[str, Any]
    ) -> None:
        self.config = configure(changes)
        self.autoencoder, self.autoencoder_recipe = load_autoencoder(settings.autoencoder)
        if self.autoencoder.config.latent_channels != self.config.latent_channels:
            raise ConfigError(
                f"The autoencoder has {self.autoencoder.config.latent_channels} latent channels, "
                f"the network {self.config.latent_channels}."
            )
        prepare(
            data,
            settings.autoencoder,
            settings.prepared,
            self.config,
            jitter=settings.source_jitter,
        )
        self.data = PreparedDataset(data, settings.prepared)
        self.model: nn.Module = TransferLoss(self.config, settings)
        if settings.start is not None:
            take_over(self.model, settings.start)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self.data)

    def batch(self, indices: list[int], generator: torch.Generator) -> dict[str, Tensor]:
        """Load pairs; what is random is drawn in the model."""
        return self.data.batch(indices)

    @torch.no_grad()
    def sample(self, model: nn.Module) -> Float[Tensor, "3 height width"]:
        """Show sources, warps, results and targets of eight pairs, from fixed noise."""
        loss = cast(TransferLoss, model)
        indices = torch.linspace(0, len(self) - 1, min(8, len(self))).long().tolist()
        batch = self.data.batch(indices)
        inputs = loss.inputs(batch)
        condition = loss.network.condition(inputs)
        latents = torch.randn(
            batch["target_latents"].shape, generator=torch.Generator().manual_seed(0)
        )
        scheduler = make_scheduler()
        scheduler.set_timesteps(SAMPLE_STEPS)
        for step in scheduler.timesteps:
            velocity = loss.predict(latents, step.expand(len(latents)), condition)
            latents = scheduler.step(velocity, int(step), latents, return_dict=False)[0]
        result = self.autoencoder.decode(latents)
        wanted = self.autoencoder.decode(batch["target_latents"].float())
        rows = [inputs.image, inputs.maps["warp"][:, :3], result, wanted]
        return torch.cat([torch.cat(list(row), -1) for row in rows], -2).clamp(-1.0, 1.0)

    def export(self, model: nn.Module, path: Path, recipe: dict[str, object]) -> None:
        """Write network, UNet and autoencoder as one bundle."""
        loss = cast(TransferLoss, model)
        save_bundle(
            path,
            loss.network,
            unet_config=self.config.unet.diffusers_config(),
            unet_state=loss.unet.state_dict(),
            autoencoder=self.autoencoder,
            recipe={**recipe, "autoencoder": self.autoencoder_recipe},
        )
