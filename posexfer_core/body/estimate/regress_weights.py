"""The file of a network that reads bodies off pictures: weights, config, recipe and scores."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from ...errors import CheckpointError, ConfigError
from ...tensor_files import fill, opened, parts_of, prefixed, write_whole
from .regress_network import RegressConfig, RegressNetwork

FORMAT = "posexfer-regressor"
VERSION = "1"
BUNDLED_REGRESSOR = Path(__file__).parents[2] / "assets" / "regress.safetensors"
"""Weights that ship with the package."""


def save_regressor(
    path: str | Path, network: RegressNetwork, *, recipe: Mapping[str, Any] | None = None
) -> None:
    """Write the network in half precision; the file appears whole or not at all.

    Args:
        path: the .safetensors file to write.
        network: its weights, and its config for the header.
        recipe: how the weights were made and how well they do, as JSON can hold it.

    Raises:
        OutputError: the file cannot be written.
        CheckpointError: a weight is not finite, or too large for half precision.
    """
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "config": json.dumps(asdict(network.config)),
        "recipe": json.dumps(dict(recipe or {})),
    }
    tensors = prefixed("regressor", network.state_dict(), torch.float16)
    write_whole(Path(path), save(tensors, metadata))


def load_regressor(
    path: str | Path = BUNDLED_REGRESSOR,
) -> tuple[RegressNetwork, dict[str, Any]]:
    """Build what `save_regressor` wrote, in float32 and evaluation mode, and read its recipe.

    Raises:
        CheckpointError: the file is missing, damaged or something else, or does not fit the
            config in its own header.
    """
    path = Path(path)
    with opened(path) as file:
        config, recipe = _header(path, file.metadata() or {})
        parts = parts_of(path, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    if parts.keys() != {"regressor"}:
        raise CheckpointError(f"{path.name} holds tensors of {sorted(parts)}, not of a regressor.")
    network = RegressNetwork(config)
    fill(path, network, parts["regressor"])
    return network, recipe


def add_scores(path: str | Path, scores: Mapping[str, Any]) -> None:
    """Write scores into the recipe of a weights file; weights stay as they are.

    Raises:
        CheckpointError: the file is missing, damaged or something else.
        OutputError: the file cannot be written.
    """
    path = Path(path)
    with opened(path) as file:
        metadata = dict(file.metadata() or {})
        _, recipe = _header(path, metadata)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    metadata["recipe"] = json.dumps(recipe | {"scores": dict(scores)})
    write_whole(path, save(tensors, metadata))


def _header(path: Path, metadata: Mapping[str, str]) -> tuple[RegressConfig, dict[str, Any]]:
    kind, version = metadata.get("format"), metadata.get("version")
    if kind != FORMAT:
        raise CheckpointError(
            f"{path.name} does not read bodies off pictures: format={kind!r} in its header, "
            f"expected {FORMAT!r}. Was another weights file picked instead?"
        )
    if version != VERSION:
        raise CheckpointError(
            f"{path.name} has layout version {version!r}, this program reads {VERSION!r}. "
            "Update whichever is older."
        )
    try:
        config = RegressConfig.from_dict(json.loads(metadata["config"]))
        recipe = json.loads(metadata["recipe"])
    except (KeyError, TypeError, AttributeError, ConfigError, json.JSONDecodeError) as error:
        raise CheckpointError(f"The header of {path.name} is damaged: {error!r}.") from error
    return config, recipe
