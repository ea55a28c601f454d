"""Train the network and its UNet on prepared pairs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, cast

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from posexfer_core.body.model import BodyModel
from posexfer_core.conventions import TRAINING_STEPS
from posexfer_core.diffusion.schedule import make_scheduler
from posexfer_core.diffusion.text import no_text
from posexfer_core.errors import ConfigError
from posexfer_core.geometry.points import locate_points, sample_surface_points
from posexfer_core.network.condition import Condition, ConditionInputs, Dropout
from posexfer_core.network.config import MAP_CHANNELS, NetworkConfig
from posexfer_core.network.model import PoseTransferNetwork
from posexfer_core.network.noise_schedule import alpha_bar_at
from posexfer_core.warp.background import background_plate

from ..config import BaseTraining, NetworkTraining, PairTraining
from ..data.encoders import EncoderFiles
from ..data.mixture import Mixture
from ..data.prepared import PreparedDataset, decode_planes, prepare
from ..data.shards import ShardDataset
from ..losses import add_noise, noise_weight, overall_loss, velocity_weight
from ..sample_random import SampleRandom
from ..task import load_batch
from .frozen_base import FrozenBase, LastAttachment
from .network_files import configure, load_matching, save_trained

SAMPLE_STEPS = 10


class PairLoss(nn.Module):
    """The network and its UNet, and how both are applied to a batch of pairs."""

    points_canonical: Tensor

    def __init__(
        self, config: NetworkConfig, settings: PairTraining, base: FrozenBase | None = None
    ) -> None:
        super().__init__()
        self.settings, self.base, self._attachment = settings, base, LastAttachment()
        self.network = PoseTransferNetwork(config)
        self.unet = None
        if base is None:
            self.unet = UNet2DConditionModel(**config.unet.diffusers_config())
        body = BodyModel.bundled()
        points = sample_surface_points(body.canonical, body.faces, config.points)
        canonical = locate_points(points, body.canonical[None], body.faces)
        self.register_buffer("points_canonical", canonical, persistent=False)

    def inputs(self, batch: dict[str, Tensor]) -> ConditionInputs:
        """Carry the stored bytes of a batch to what the network reads."""
        planes = decode_planes(batch["planes"])
        image = batch["image"].permute(0, 3, 1, 2).float() / 127.5 - 1.0
        if "plate" in self.network.config.ablation.map_groups:
            planes["plate"] = background_plate(image, planes["source_maps"][:, 3:])
        return ConditionInputs(
            image=image,
            source_maps=planes.pop("source_maps"),
            points=batch["points"].float(),
            points_canonical=self.points_canonical.expand(len(image), -1, -1),
            maps=planes,
            **{
                name: batch[name].float()
                for name in ("warp_latents", "clip_hidden", "source_latents")
                if name in batch
            },
        )

    def predict(
        self,
        sample: Float[Tensor, "batch channels height width"],
        steps: Int[Tensor, " batch"],
        condition: Condition,
    ) -> Float[Tensor, "batch channels height width"]:
        """Call the UNet under a condition: v, or whatever the base predicts."""
        if self.base is None:
            assert self.unet is not None
            unet, kept = self.unet, self._attachment
            text = no_text(unet, len(sample))
        else:
            unet, kept = self.base.on(sample.device), self.base.attachment
            text = self.base.text.repeat(len(sample))
        attached = kept.renew(unet, self.network)
        attached.set_condition(condition)
        return attached.predict(sample.to(unet.dtype), steps, text.tokens, text.pooled).float()

    def make_scheduler(self) -> DDIMScheduler:
        """Give the sampler of what the UNet predicts."""
        zero = self.network.config.zero_terminal_snr
        return self.base.scheduler if self.base else make_scheduler(zero_terminal_snr=zero)

    def enable_gradient_checkpointing(self) -> None:
        """Compute the base's activations again on the way back, as a UNet of our own does."""
        if self.base is not None:
            self.base.unet.train().enable_gradient_checkpointing()

    def dropped(
        self, inputs: ConditionInputs, rng: SampleRandom
    ) -> tuple[ConditionInputs, Dropout]:
        """Withhold some source bodies, and draw the dropout of every branch of guidance."""
        share, device = self.settings, inputs.image.device

        def keep(rate: float) -> Bool[Tensor, " batch"]:
            return rng.uniform() >= rate

        branch = rng.uniform()
        prior = keep(share.drop_prior)
        maps = {name: prior & keep(share.drop_map) for name in MAP_CHANNELS}
        maps["warp"] = prior & keep(share.drop_warp)
        source_body = keep(share.drop_source_body).to(device)[:, None, None, None]
        dropout = Dropout(
            keep_identity=(branch >= share.drop_all + share.drop_identity).to(device),
            keep_pose=(branch >= share.drop_all).to(device),
            keep_maps={name: kept.to(device) for name, kept in maps.items()},
        )
        return replace(inputs, source_maps=inputs.source_maps * source_body), dropout


class TransferLoss(PairLoss):
    """L_Overall under randomly dropped conditions."""

    def __init__(
        self, config: NetworkConfig, settings: NetworkTraining, base: FrozenBase | None = None
    ) -> None:
        super().__init__(config, settings, base)
        self.objective = settings
        if config.zero_terminal_snr and settings.snr_gamma > 0.0:
            raise ConfigError(
                f"[model] zero_terminal_snr is set, and snr_gamma is {settings.snr_gamma}.\n"
                "Expected snr_gamma = 0: min-SNR would give the last step no weight.\n"
                "Set it under [network]."
            )
        if settings.freeze_prior and (prior := self.network.prior) is not None:
            prior.requires_grad_(False)
            prior.outs.requires_grad_(True)
        if settings.trained == "keys_values":
            for name, parameter in self.named_parameters():
                parameter.requires_grad_(name.endswith((".to_key.weight", ".to_value.weight")))

    def forward(self, batch: dict[str, Tensor], rng: SampleRandom) -> dict[str, Float[Tensor, ""]]:
        """Predict the velocity of noised target latents, or their noise, as the base does."""
        latents = batch["target_latents"].float()
        inputs, dropout = self.dropped(self.inputs(batch), rng)
        condition, params = self.network.condition_and_params(inputs, dropout)
        prior = condition.latent_prior
        if prior is not None:  # it has a loss of its own
            condition = replace(condition, latent_prior=prior.map_tensors(Tensor.detach))
        z_0, count = latents, self.objective.noises
        if count > 1:
            z_0 = latents.repeat_interleave(count, 0)
            condition = condition.map_tensors(lambda tensor: tensor.repeat_interleave(count, 0))
        noise = rng.normal(count, *z_0.shape[1:]).flatten(0, 1).to(z_0)
        steps = rng.integers(TRAINING_STEPS, count).flatten().to(z_0.device)
        alpha_bar = alpha_bar_at(steps, self.network.config.zero_terminal_snr)
        z_t, velocity = add_noise(z_0, noise, alpha_bar)
        of_noise = (
            self.base is not None and self.base.scheduler.config["prediction_type"] == "epsilon"
        )
        return overall_loss(
            self.predict(z_t, steps, condition),
            noise if of_noise else velocity,
            alpha_bar,
            params,
            (batch["rotations"], batch["betas"]),
            prior,
            latents,
            self.objective,
            noise_weight if of_noise else velocity_weight,
        )


class NetworkTask:
    """What `training.trainer.train` needs to train the network."""

    loss: ClassVar[Callable[..., PairLoss]] = TransferLoss

    def __init__(
        self,
        data: ShardDataset,
        settings: PairTraining,
        changes: dict[str, Any],
        base: BaseTraining | None = None,
        *,
        held_out: int = 0,
    ) -> None:
        self.config = configure(changes, base, settings.start)
        self.files = EncoderFiles.of_run(settings, base, self.config)
        prepare(data, self.files, settings.prepared, self.config, jitter=settings.source_jitter)
        self.data = PreparedDataset(data, settings.prepared)
        self.mixture = Mixture(data, held_out)
        frozen = None if base is None else FrozenBase.load(base)
        self.model: nn.Module = self.loss(self.config, settings, frozen)
        if settings.start is not None:
            load_matching(self.model, settings.start)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __len__(self) -> int:
        """Count the pairs of an epoch and those held out."""
        return len(self.mixture)

    def batch(self, indices: list[int], rng: SampleRandom) -> dict[str, Tensor]:
        """Load pairs; what is random is drawn in the model."""
        return self.data.batch(self.mixture.of(indices))

    @torch.no_grad()
    def sample(self, model: nn.Module) -> Float[Tensor, "3 height width"]:
        """Show sources, warps, results and targets of eight pairs, from fixed noise."""
        loss = cast(PairLoss, model)
        indices = torch.linspace(0, len(self) - 1, min(8, len(self))).long().tolist()
        device = loss.points_canonical.device
        batch = load_batch(self, indices, SampleRandom([]), device)
        inputs = loss.inputs(batch)
        condition = loss.network.condition(inputs)
        latents = torch.randn(
            batch["target_latents"].shape, generator=torch.Generator().manual_seed(0)
        ).to(device)
        scheduler = loss.make_scheduler()
        scheduler.set_timesteps(SAMPLE_STEPS)
        for step in scheduler.timesteps:
            velocity = loss.predict(latents, step.expand(len(latents)), condition)
            latents = scheduler.step(velocity, int(step), latents, return_dict=False)[0]
        encoders = self.files.load(self.config)
        result = encoders.image(latents.cpu())
        wanted = encoders.image(batch["target_latents"].float().cpu())
        rows = [inputs.image.cpu(), inputs.maps["warp"][:, :3].cpu(), result, wanted]
        return torch.cat([torch.cat(list(row), -1) for row in rows], -2).clamp(-1.0, 1.0)

    def export(self, model: nn.Module, path: Path, recipe: dict[str, object]) -> None:
        """Write network, UNet and autoencoder as one bundle; over a base, an adapter for it."""
        loss = cast(PairLoss, model)
        unet = None if loss.unet is None else loss.unet.state_dict()
        save_trained(path, loss.network, unet, self.files, recipe)
