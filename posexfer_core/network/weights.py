"""Weights files: one .safetensors that carries its configs, its recipe and its scores."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from ..conventions import ASSETS
from ..errors import CheckpointError, ConfigError
from ..files.atomic import write_whole
from ..files.safetensors import fill, opened, parts_of, prefixed
from .autoencoder import AutoencoderConfig, PatchAutoencoder
from .config import NetworkConfig
from .model import PoseTransferNetwork

BUNDLE = "posexfer-bundle"
"""Format of a file that holds its own UNet."""
ADAPTER = "posexfer-adapter"
"""Format of a file that needs someone else's UNet."""
AUTOENCODER = "posexfer-autoencoder"
"""Format of a file that holds an autoencoder alone."""
VERSION = "1"
BUNDLED_WEIGHTS = ASSETS / "tiny.safetensors"
"""The weights that ship."""


@dataclass(frozen=True, kw_only=True)
class WeightsHeader:
    """What a weights file says of itself."""

    format: str
    """`BUNDLE` or `ADAPTER`."""
    version: str
    """Of the layout of the file."""
    network: dict[str, Any]
    """Settings of the network."""
    unet: dict[str, Any] | None
    """Arguments of diffusers' UNet2DConditionModel."""
    autoencoder: dict[str, Any] | None
    """Settings of the autoencoder."""
    recipe: dict[str, Any] = field(default_factory=dict)
    """How the weights were made and how well they do, in words and numbers of the trainer's own."""


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
        autoencoder: the images' way to latents and back, if it is ours.
        recipe: whatever should be known of the weights, as JSON can hold it.
        dtype: what floats are stored as; None leaves them as they are.

    Raises:
        OutputError: the file cannot be written.
        CheckpointError: a weight is not finite, or too large for `dtype`.
    """
    if (unet_config is None) != (unet_state is None):
        raise ConfigError("A UNet is stored with its config: give both or neither.")
    tensors = prefixed("network", network.state_dict(), dtype)
    if unet_state is not None:
        tensors |= prefixed("unet", unet_state, dtype)
    if autoencoder is not None:
        tensors |= prefixed("autoencoder", autoencoder.state_dict(), dtype)
    config = {
        "network": network.config.to_dict(),
        "unet": None if unet_config is None else dict(unet_config),
        "autoencoder": None if autoencoder is None else asdict(autoencoder.config),
    }
    metadata = {
        "format": ADAPTER if unet_state is None else BUNDLE,
        "version": VERSION,
        "config": json.dumps(config),
        "recipe": json.dumps(dict(recipe or {})),
    }
    write_whole(Path(path), save(tensors, metadata))


def read_header(path: str | Path) -> WeightsHeader:
    """Read what a weights file says of itself, and none of its tensors.

    Raises:
        CheckpointError: the file is missing, damaged, or something else.
    """
    path = Path(path)
    with opened(path) as file:
        return _header(path, file.metadata() or {})


def add_to_recipe(path: str | Path, **entries: Any) -> None:
    """Write something into the recipe of a weights file, such as its scores; weights stay.

    Raises:
        CheckpointError: the file is missing, damaged, or something else.
        OutputError: the file cannot be written.
    """
    path = Path(path)
    with opened(path) as file:
        metadata = dict(file.metadata() or {})
        header = _header(path, metadata)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    metadata["recipe"] = json.dumps(header.recipe | entries)
    write_whole(path, save(tensors, metadata))


def load_bundle(path: str | Path) -> Bundle:
    """Build what `save_bundle` wrote.

    Raises:
        CheckpointError: the file is missing, damaged or something else, or does not fit the
            configs in its own header.
    """
    path = Path(path)
    with opened(path) as file:
        header = _header(path, file.metadata() or {})
        parts = parts_of(path, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    try:
        network = PoseTransferNetwork(NetworkConfig.from_dict(header.network))
        autoencoder = None
        if header.autoencoder is not None:
            autoencoder = PatchAutoencoder(AutoencoderConfig(**header.autoencoder))
    except (ConfigError, TypeError) as error:
        raise CheckpointError(f"{path.name} has a config that cannot be used: {error}") from error
    optional = {"unet": header.unet, "autoencoder": header.autoencoder}
    expected = {"network"} | {name for name, config in optional.items() if config is not None}
    if parts.keys() != expected:
        raise CheckpointError(
            f"{path.name} holds tensors of {sorted(parts)}, its header tells of {sorted(expected)}."
        )
    fill(path, network, parts["network"])
    if autoencoder is not None:
        fill(path, autoencoder, parts["autoencoder"])
    return Bundle(
        network=network,
        unet_config=header.unet,
        unet_state=parts.get("unet"),
        autoencoder=autoencoder,
        header=header,
    )


def save_autoencoder(
    path: str | Path, autoencoder: PatchAutoencoder, *, recipe: Mapping[str, Any] | None = None
) -> None:
    """Write an autoencoder alone, in float32, for a network to be trained on.

    Raises:
        OutputError: the file cannot be written.
    """
    metadata = {
        "format": AUTOENCODER,
        "version": VERSION,
        "config": json.dumps(asdict(autoencoder.config)),
        "recipe": json.dumps(dict(recipe or {})),
    }
    tensors = prefixed("autoencoder", autoencoder.state_dict(), None)
    write_whole(Path(path), save(tensors, metadata))


def load_autoencoder(path: str | Path) -> tuple[PatchAutoencoder, dict[str, Any]]:
    """Build what `save_autoencoder` wrote, and read its recipe.

    Raises:
        CheckpointError: the file is missing, damaged or something else.
    """
    path = Path(path)
    with opened(path) as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != AUTOENCODER:
            raise CheckpointError(
                f"{path.name} does not hold an autoencoder alone: "
                f"format={metadata.get('format')!r} in its header, expected {AUTOENCODER!r}. "
                "Train one with training/configs/tiny_autoencoder.toml."
            )
        parts = parts_of(path, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    try:
        autoencoder = PatchAutoencoder(AutoencoderConfig(**json.loads(metadata["config"])))
        recipe = json.loads(metadata["recipe"])
    except (ConfigError, TypeError, KeyError, json.JSONDecodeError) as error:
        raise CheckpointError(f"The header of {path.name} is damaged: {error!r}.") from error
    fill(path, autoencoder, parts.get("autoencoder", {}))
    return autoencoder, recipe


def _header(path: Path, metadata: Mapping[str, str]) -> WeightsHeader:
    kind, version = metadata.get("format"), metadata.get("version")
    if kind not in (BUNDLE, ADAPTER):
        raise CheckpointError(
            f"{path.name} does not hold pose-transfer weights: format={kind!r} in its header, "
            f"expected {BUNDLE!r} or {ADAPTER!r}. Was a UNet or a LoRA picked instead?"
        )
    if version != VERSION:
        raise CheckpointError(
            f"{path.name} has layout version {version!r}, this program reads {VERSION!r}. "
            "Update whichever is older."
        )
    try:
        config, recipe = json.loads(metadata["config"]), json.loads(metadata["recipe"])
        header = WeightsHeader(format=kind, version=version, recipe=recipe, **config)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"The header of {path.name} is damaged: {error!r}.") from error
    if (kind == BUNDLE) != (header.unet is not None):
        raise CheckpointError(
            f"The header of {path.name} says {kind!r} but tells otherwise of a UNet."
        )
    return header
