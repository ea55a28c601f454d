"""Weights files as the host's own MODEL and VAE, and our network under its memory management."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.sd
import comfy.supported_models_base
import comfy.taesd.taesd
import comfy.utils
import torch
from torch import Tensor, nn

from ...posexfer_core.errors import CheckpointError, ConfigError
from ...posexfer_core.network.autoencoder import PatchAutoencoder
from ...posexfer_core.network.config import NetworkConfig
from ...posexfer_core.network.model import PoseTransferNetwork
from ...posexfer_core.network.sites import TIME_ID_WIDTH, TIME_IDS, UNetShape
from ...posexfer_core.network.weights import load_bundle

Patcher = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)


class Parts(nn.Module):
    """What the host loads and offloads as one: the network, and its autoencoder if it has one."""

    def __init__(self, network: PoseTransferNetwork, autoencoder: PatchAutoencoder | None) -> None:
        super().__init__()
        self.network = network
        self.autoencoder = autoencoder


@dataclass(frozen=True, eq=False)
class PoseTransferModel:
    """A pose-transfer network; clones of a MODEL share it."""

    name: str
    patcher: comfy.model_patcher.ModelPatcher

    @classmethod
    def of(
        cls, name: str, network: PoseTransferNetwork, autoencoder: PatchAutoencoder | None = None
    ) -> "PoseTransferModel":
        """Put a network under the host's memory management."""
        parts = Parts(network, autoencoder).eval().requires_grad_(False)
        load = comfy.model_management.get_torch_device()
        offload = comfy.model_management.unet_offload_device()
        return cls(name, comfy.model_patcher.ModelPatcher(parts.to(offload), load, offload))

    @property
    def network(self) -> PoseTransferNetwork:
        """The network, wherever the host keeps it."""
        return self.patcher.model.network

    @property
    def autoencoder(self) -> PatchAutoencoder | None:
        """The autoencoder that the network was trained with; none for the SD 1.5 family."""
        return self.patcher.model.autoencoder

    @property
    def config(self) -> NetworkConfig:
        """Its sizes and switches."""
        return self.network.config

    def on_device(self) -> torch.device:
        """Bring the network to where the host computes, and say where that is."""
        comfy.model_management.load_models_gpu([self.patcher])
        return self.patcher.load_device


@dataclass(frozen=True, eq=False)
class LoadedFile:
    """What a weights file holds, for the host; an adapter has neither MODEL nor VAE."""

    model: PoseTransferModel
    unet: comfy.model_patcher.ModelPatcher | None
    vae: comfy.sd.VAE | None


def load_file(path: Path) -> LoadedFile:
    """Load a bundle or an adapter.

    Raises:
        CheckpointError: the file is missing, damaged or something else.
    """
    bundle, unet = load_bundle(path), None
    if bundle.unet_state is not None:
        rgb = None if bundle.autoencoder is None else preview_factors(bundle.autoencoder)
        config = bundle.network.config
        unet = make_unet(
            config.unet, bundle.unet_state, rgb, zero_terminal_snr=config.zero_terminal_snr
        )
    return LoadedFile(
        PoseTransferModel.of(path.stem, bundle.network, bundle.autoencoder),
        unet,
        None if bundle.autoencoder is None else make_vae(bundle.autoencoder),
    )


def make_unet(
    shape: UNetShape,
    state: dict[str, Tensor],
    rgb: tuple[list[list[float]], list[float]] | None = None,
    *,
    velocity: bool = True,
    zero_terminal_snr: bool = False,
) -> comfy.model_patcher.ModelPatcher:
    """Build a MODEL from the weights of diffusers' UNet.

    Args:
        shape: of the UNet.
        state: diffusers' state dict.
        rgb: colours of each latent channel, and what to add, for previews.
        velocity: the UNet predicts v; otherwise noise.
        zero_terminal_snr: its noise schedule ends without any signal.

    Raises:
        CheckpointError: the weights do not fit the shape.
    """
    settings = unet_settings(shape)
    names = comfy.utils.unet_to_diffusers(settings)
    if missing := sorted(name for name in state if name not in names):
        raise CheckpointError(
            f"The UNet's weights do not fit its header: {len(missing)} tensors have no place, "
            f"such as {missing[0]}. Save the file again."
        )
    load = comfy.model_management.get_torch_device()
    offload = comfy.model_management.unet_offload_device()
    config = _Family(settings, make_latent_format(shape.latent_channels, rgb))
    config.sampling_settings = {"zsnr": zero_terminal_snr}
    parameters = sum(tensor.numel() for tensor in state.values())
    known = config.supported_inference_dtypes
    dtype = comfy.model_management.unet_dtype(model_params=parameters, supported_dtypes=known)
    cast = comfy.model_management.unet_manual_cast(dtype, load, known)
    config.set_inference_dtype(dtype, cast)
    types = comfy.model_base.ModelType
    kind = types.V_PREDICTION if velocity else types.EPS
    model = comfy.model_base.BaseModel(config, model_type=kind, device=offload)
    weights = {names[name]: tensor for name, tensor in state.items()}
    if absent := sorted(set(model.diffusion_model.state_dict()) - set(weights)):
        raise CheckpointError(
            f"The UNet's weights lack {len(absent)} tensors, such as {absent[0]}. Save them again."
        )
    model.load_model_weights(weights, "")
    return Patcher(model, load_device=load, offload_device=offload)


def unet_settings(shape: UNetShape) -> dict[str, Any]:
    """Describe a UNet in the words of the host.

    Raises:
        ConfigError: the host has no UNet with such channels or heads.
    """
    channels, layers = shape.block_out_channels, shape.layers_per_block
    widths = {c // h for c, h in zip(channels, shape.heads, strict=True)}
    heads = set(shape.heads)
    if any(c % channels[0] or c % 32 for c in channels) or (len(widths) > 1 and len(heads) > 1):
        raise ConfigError(
            f"ComfyUI has no UNet of {channels} channels in {shape.heads} heads: channels must be "
            "multiples of 32 and of the first level's, and all levels alike in heads or in the "
            "width of a head."
        )
    depths = shape.attention
    by_width = len(widths) == 1
    added: dict[str, Any] = {"adm_in_channels": None}
    if shape.pooled_text:
        width = shape.pooled_text + TIME_IDS * TIME_ID_WIDTH
        added = {"adm_in_channels": width, "num_classes": "sequential"}
    return {
        "image_size": 32,
        "in_channels": shape.latent_channels,
        "out_channels": shape.latent_channels,
        "model_channels": channels[0],
        "channel_mult": [c // channels[0] for c in channels],
        "num_res_blocks": [layers] * len(channels),
        "transformer_depth": [depth for depth in depths for _ in range(layers)],
        "transformer_depth_output": [depth for depth in depths for _ in range(layers + 1)],
        "transformer_depth_middle": max(1, depths[-1]),
        "context_dim": shape.cross_attention_dim,
        "num_heads": -1 if by_width else shape.heads[0],
        "num_head_channels": widths.pop() if by_width else -1,
        "use_spatial_transformer": True,
        "use_linear_in_transformer": shape.linear_projection,
        **added,
        "legacy": False,
    }


class _Family(comfy.supported_models_base.BASE):
    """A family of one: whatever UNet the file holds."""

    unet_extra_config: dict[str, Any] = {}  # noqa: RUF012  (the host's name and kind)
    memory_usage_factor = 1.0

    def __init__(self, settings: dict[str, Any], latent: comfy.latent_formats.LatentFormat) -> None:
        self.latent_format = lambda: latent
        super().__init__(settings)


def make_latent_format(
    channels: int, rgb: tuple[list[list[float]], list[float]] | None
) -> comfy.latent_formats.LatentFormat:
    """Describe latents of unit scale, with colours for previews where they are known."""
    latent = comfy.latent_formats.LatentFormat()
    latent.latent_channels = channels
    if rgb is not None:
        latent.latent_rgb_factors, latent.latent_rgb_factors_bias = rgb
    return latent


def preview_factors(autoencoder: PatchAutoencoder) -> tuple[list[list[float]], list[float]]:
    """Read the mean colour of each latent channel's patch off the linear part of the decoder."""
    synthesis = autoencoder.synthesis
    return synthesis.weight.mean((2, 3)).tolist(), synthesis.bias.tolist()


class HostAutoencoder(nn.Module):
    """Our autoencoder, as the host's VAE calls it."""

    def __init__(self, autoencoder: PatchAutoencoder) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def encode(self, image: Tensor, **options: Any) -> Tensor:
        """Carry images in [-1, 1] to latents."""
        return self.autoencoder.encode(image)

    def decode(self, latents: Tensor, **options: Any) -> Tensor:
        """Carry latents to images in [-1, 1]."""
        return self.autoencoder.decode(latents)


def make_vae(autoencoder: PatchAutoencoder) -> comfy.sd.VAE:
    """Build a VAE around our autoencoder.

    The host makes its VAEs from the names of their weights; it is given a TAESD of as many
    channels, the kind whose size and scale are ours, which is then replaced.
    """
    channels = autoencoder.config.latent_channels
    like = comfy.taesd.taesd.TAESD(latent_channels=channels).state_dict()
    vae = comfy.sd.VAE(sd=like, dtype=torch.float32)
    stage = HostAutoencoder(autoencoder).eval().requires_grad_(False).to(vae.vae_dtype)
    vae.first_stage_model = stage
    vae.patcher = Patcher(stage, vae.patcher.load_device, vae.patcher.offload_device)
    return vae
