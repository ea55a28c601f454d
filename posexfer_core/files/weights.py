"""Weights files: one .safetensors that carries its settings, its recipe and its scores.

A file has one part or several. The tensors of a part are named `part.name`, its settings stand in
the header under its name. Written whole, read strictly; files of version 1 are read as well.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from ..errors import CheckpointError, ConfigError
from . import weights_v1
from .atomic import write_whole
from .configs import read_config

VERSION = "2"
"""Of the files that are written."""
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class WeightsHeader:
    """What a weights file says of itself."""

    format: str
    """Which parts the file may have."""
    version: str
    """Of the file; the settings are those of `VERSION` either way."""
    config: dict[str, dict[str, Any]]
    """Part → its settings."""
    recipe: dict[str, Any]
    """How the weights were made and how well they do, as the trainer wrote it."""


def write_weights(
    path: Path,
    format_name: str,
    parts: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Tensor]]],
    *,
    recipe: Mapping[str, Any] | None,
    dtype: torch.dtype | None,
) -> None:
    """Write a file that appears whole or not at all.

    Args:
        path: the .safetensors file.
        format_name: for the header.
        parts: settings and tensors of each part.
        recipe: as JSON can hold it.
        dtype: what floats are stored as; None leaves them as they are.

    Raises:
        OutputError: the file cannot be written.
        CheckpointError: a weight is not finite, or too large for `dtype`.
    """
    tensors: dict[str, Tensor] = {}
    for part, (_, state) in parts.items():
        tensors |= _stored(part, state, dtype)
    metadata = {
        "format": format_name,
        "version": VERSION,
        "config": json.dumps({part: settings for part, (settings, _) in parts.items()}),
        "recipe": json.dumps(dict(recipe or {})),
    }
    write_whole(path, save(tensors, metadata))


def read_header(path: Path) -> WeightsHeader:
    """Read what a file of any of our formats says of itself, and none of its tensors.

    Raises:
        CheckpointError: the file is missing, damaged, or something else.
    """
    with open_tensors(path) as file:
        return _read_metadata(path, file.metadata() or {})


def read_weights(
    path: Path, formats: Collection[str], *, holds: str
) -> tuple[WeightsHeader, dict[str, dict[str, Tensor]]]:
    """Read the header and the tensors of every part, floats in float32.

    Raises:
        CheckpointError: as `read_header`, or the parts are not those of the header.
    """
    parts: dict[str, dict[str, Tensor]] = {}
    with open_tensors(path) as file:
        header = _read_metadata(path, file.metadata() or {}, formats, holds)
        for stored in file.keys():  # noqa: SIM118
            name = weights_v1.rename_tensor(stored) if header.version == "1" else stored
            part, _, rest = name.partition(".")
            if not rest:
                raise CheckpointError(f"{path.name} holds a stray tensor {name!r}.")
            tensor = file.get_tensor(stored)
            parts.setdefault(part, {})[rest] = (
                tensor.float() if tensor.is_floating_point() else tensor
            )
    if parts.keys() != header.config.keys():
        raise CheckpointError(
            f"{path.name} holds tensors of {sorted(parts)}, its header tells of "
            f"{sorted(header.config)}. Copy or train it again."
        )
    return header, parts


def build_part(
    path: Path,
    network: type[Network],
    config: type[Any],
    settings: Mapping[str, Any],
    state: Mapping[str, Tensor],
) -> Network:
    """Build the network of a part and fill it, in evaluation mode.

    Raises:
        CheckpointError: the settings make no network, or a tensor is missing, unexpected,
            misshapen or not finite.
    """
    try:
        module = network(read_config(config, settings))
    except (ConfigError, TypeError) as error:
        raise CheckpointError(f"{path.name} has a config that cannot be used: {error}") from error
    try:
        module.load_state_dict(state)
    except RuntimeError as error:  # torch names each missing, unexpected or misshapen tensor
        raise CheckpointError(f"{path.name} does not fit its own header: {error}") from error
    for name, tensor in module.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(
                f"{path.name} is damaged: {name} holds numbers that are NaN or infinite. Copy or "
                "train it again."
            )
    return module.eval()


def add_to_recipe(path: Path, **entries: Any) -> None:
    """Write something into the recipe of a file, such as its scores; everything else stays.

    Raises:
        CheckpointError: the file is missing, damaged, or something else.
        OutputError: the file cannot be written.
    """
    with open_tensors(path) as file:
        metadata = dict(file.metadata() or {})
        header = _read_metadata(path, metadata)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    metadata["recipe"] = json.dumps(header.recipe | entries)
    write_whole(path, save(tensors, metadata))


@dataclass(frozen=True, kw_only=True)
class SingleNetworkFile(Generic[Network]):
    """A kind of weights file with one part, which is one network."""

    part: str
    """Its name; the format is named after it."""
    holds: str
    """What it is, for error messages."""
    config: type[Any]
    network: type[Network]
    dtype: torch.dtype | None = torch.float16
    """What floats are stored as; None leaves them as they are."""

    @property
    def format(self) -> str:
        """Name the format in the header."""
        return f"posexfer-{self.part}"

    def save(
        self, path: str | Path, network: Network, *, recipe: Mapping[str, Any] | None = None
    ) -> None:
        """Write a network; see `write_weights`."""
        settings: Any = network.config
        parts = {self.part: (asdict(settings), network.state_dict())}
        write_weights(Path(path), self.format, parts, recipe=recipe, dtype=self.dtype)

    def load(self, path: str | Path) -> tuple[Network, dict[str, Any]]:
        """Build the network of a file, in float32, and read its recipe.

        Raises:
            CheckpointError: the file is missing, damaged or something else, or does not fit the
                settings in its own header.
        """
        path = Path(path)
        header, parts = read_weights(path, [self.format], holds=self.holds)
        if parts.keys() != {self.part}:
            raise CheckpointError(f"{path.name} holds {sorted(parts)}, expected {self.part!r}.")
        settings, state = header.config[self.part], parts[self.part]
        return build_part(path, self.network, self.config, settings, state), header.recipe


def open_tensors(path: Path) -> Any:
    """Open a .safetensors file; use it as a context.

    Raises:
        CheckpointError: the file is missing, damaged or something else.
    """
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        reason = "there is no such file" if not path.exists() else str(error)
        raise CheckpointError(
            f"{path.name} cannot be read as a .safetensors file: {reason}. "
            "Is the path right and the download complete?"
        ) from error


def _stored(part: str, state: Mapping[str, Tensor], dtype: torch.dtype | None) -> dict[str, Tensor]:
    """Copy tensors for a file: safetensors refuses those that share memory."""
    stored = {}
    for name, tensor in state.items():
        kind = dtype if dtype is not None and tensor.is_floating_point() else tensor.dtype
        copy = tensor.detach().to("cpu", kind, copy=True).contiguous()
        if not torch.isfinite(copy).all():
            raise CheckpointError(f"{part}.{name} is not finite as {kind}; nothing was written.")
        stored[f"{part}.{name}"] = copy
    return stored


def _read_metadata(
    path: Path,
    metadata: Mapping[str, str],
    formats: Collection[str] = (),
    holds: str = "weights of posexfer",
) -> WeightsHeader:
    """Read a header; of any of our formats where none are named."""
    found, version = metadata.get("format", ""), metadata.get("version", "")
    if found not in formats if formats else not found.startswith("posexfer-"):
        expected = " or ".join(repr(one) for one in formats) or "'posexfer-...'"
        raise CheckpointError(
            f"{path.name} does not hold {holds}: format={found!r} in its header, expected "
            f"{expected}. Was another weights file picked instead?"
        )
    if version not in ("1", VERSION):
        raise CheckpointError(
            f"{path.name} has layout version {version!r}, this program reads '1' and {VERSION!r}. "
            "Update whichever is older."
        )
    try:
        config, recipe = json.loads(metadata["config"]), json.loads(metadata["recipe"])
        if version == "1":
            config = weights_v1.convert_config(found, config)
        config = {part: dict(settings) for part, settings in config.items()}
        return WeightsHeader(format=found, version=version, config=config, recipe=dict(recipe))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"The header of {path.name} is damaged: {error!r}.") from error
