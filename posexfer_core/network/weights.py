"""Weights files of the network: alone, with its UNet and autoencoder, or the autoencoder alone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..conventions import ASSETS
from ..errors import CheckpointError, ConfigError
from ..files.weights import (
    SingleNetworkFile,
    WeightsHeader,
    build_part,
    read_header,
    read_weights,
    write_weights,
)
from .autoencoder import AutoencoderConfig, PatchAutoencoder
from .config import NetworkConfig
from .model import PoseTransferNetwork

BUNDLE = "posexfer-bundle"
"""Format of a file that holds its own UNet."""
ADAPTER = "posexfer-adapter"
"""Format of a file that needs someone else's UNet."""
BUNDLED_WEIGHTS = ASSETS / "tiny.safetensors"
"""The weights that ship."""
AUTOENCODER = SingleNetworkFile(
    part="autoencoder",
    holds="an autoencoder alone",
    config=AutoencoderConfig,
    network=PatchAutoencoder,
    dtype=None,
)
"""The file that a network is trained on; training/configs/tiny_autoencoder.toml makes one."""


def load_autoencoder(path: str | Path) -> tuple[PatchAutoencoder, dict[str, Any]]:
    """Build the autoencoder of a file of its own or of a bundle, and read its recipe.

    Raises:
        CheckpointError: the file is missing, damaged or something else, or holds no autoencoder.
    """
    path = Path(path)
    if read_header(path).format not in (BUNDLE, ADAPTER):
        return AUTOENCODER.load(path)
    bundle = load_bundle(path)
    if bundle.autoencoder is None:
        raise CheckpointError(
            f"{path.name} holds {sorted(bundle.header.config)} and no autoencoder.\n"
            f"Expected a bundle that has one, or a {AUTOENCODER.format!r}.\n"
            "Take the bundled weights, or train one by configs/tiny_autoencoder.toml."
        )
    return bundle.autoencoder, bundle.header.recipe.get("autoencoder", {})


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What a weights file holds, on the CPU, in float32 and in evaluation mode."""

    network: PoseTransferNetwork
    unet_config: dict[str, Any] | None
    """Arguments of diffusers' UNet2DConditionModel; none in an adapter."""
    unet_state: dict[str, Tensor] | None
    autoencoder: PatchAutoencoder | None
    header: WeightsHeader


def save_bundle(
    path: str | Path,
    network: PoseTransferNetwork,
    *,
    unet_config: Mapping[str, Any] | None = None,
    unet_state: Mapping[str, Tensor] | None = None,
    autoencoder: PatchAutoencoder | None = None,
    recipe: Mapping[str, Any] | None = None,
    dtype: torch.dtype | None = torch.float16,
) -> None:
    """Write everything into one file, which appears whole or not at all.

    Args:
        path: the .safetensors file to write.
        network: its weights, and its config for the header.
        unet_config: arguments of diffusers' UNet2DConditionModel, with `unet_state`.
        unet_state: the UNet's weights; without them the file is an adapter.
        autoencoder: from images to latents and back, if it is ours.
        recipe: whatever should be known of the weights, as JSON can hold it.
        dtype: what floats are stored as; None leaves them as they are.

    Raises:
        OutputError: the file cannot be written.
        CheckpointError: a weight is not finite, or too large for `dtype`.
    """
    if (unet_config is None) != (unet_state is None):
        raise ConfigError("A UNet is stored with its config: give both or neither.")
    if unet_state is None and network.config.zero_terminal_snr:
        raise ConfigError(
            "An adapter cannot have zero_terminal_snr.\n"
            "Expected the schedule of its base, which it is sampled by.\n"
            "Leave zero_terminal_snr out of the network's config."
        )
    parts: dict[str, tuple[Mapping[str, Any], Mapping[str, Tensor]]] = {
        "network": (asdict(network.config), network.state_dict())
    }
    if unet_config is not None and unet_state is not None:
        parts["unet"] = (unet_config, unet_state)
    if autoencoder is not None:
        parts["autoencoder"] = (asdict(autoencoder.config), autoencoder.state_dict())
    format_name = BUNDLE if "unet" in parts else ADAPTER
    write_weights(Path(path), format_name, parts, recipe=recipe, dtype=dtype)


def load_bundle(path: str | Path) -> Bundle:
    """Build what `save_bundle` wrote.

    Raises:
        CheckpointError: the file is missing, damaged or something else, or does not fit the
            configs in its own header.
    """
    path = Path(path)
    header, parts = read_weights(path, [BUNDLE, ADAPTER], holds="pose-transfer weights")
    allowed = {"network", "unet", "autoencoder"}
    if not {"network"} <= parts.keys() <= allowed or ("unet" in parts) != (header.format == BUNDLE):
        raise CheckpointError(
            f"{path.name} is a {header.format!r} of {sorted(parts)}. Expected a network, with a "
            f"UNet in a {BUNDLE!r} and without in a {ADAPTER!r}, and maybe an autoencoder."
        )
    config = header.config
    autoencoder = None
    if "autoencoder" in parts:
        autoencoder = build_part(
            path,
            PatchAutoencoder,
            AutoencoderConfig,
            config["autoencoder"],
            parts["autoencoder"],
        )
    return Bundle(
        network=build_part(
            path, PoseTransferNetwork, NetworkConfig, config["network"], parts["network"]
        ),
        unet_config=config.get("unet"),
        unet_state=parts.get("unet"),
        autoencoder=autoencoder,
        header=header,
    )
