"""Files of the networks that estimate bodies: weights, config, recipe and scores in one file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from safetensors.torch import save
from torch import nn

from ..conventions import ASSETS
from ..errors import CheckpointError, ConfigError
from ..files.atomic import write_whole
from ..files.safetensors import fill, opened, parts_of, prefixed
from .pose_lifting_network import PoseLifter, PoseLifterConfig
from .regressor_network import BodyRegressor, BodyRegressorConfig
from .sizes import Sizes

VERSION = "1"
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class WeightFile(Generic[Network]):
    """One kind of weights file."""

    part: str
    """What tensors are filed under; the format is named after it."""
    does: str
    """What the network does, for error messages."""
    config: type[Sizes]
    network: type[Network]
    bundled: Path
    """Weights that ship with the package."""

    @property
    def format(self) -> str:
        """Name the format in the header."""
        return f"posexfer-{self.part}"

    def save(
        self, path: str | Path, network: Network, *, recipe: Mapping[str, Any] | None = None
    ) -> None:
        """Write a network in half precision; the file appears whole or not at all.

        Args:
            path: the .safetensors file to write.
            network: its weights, and its config for the header.
            recipe: how the weights were made and how well they do, as JSON can hold it.

        Raises:
            OutputError: the file cannot be written.
            CheckpointError: a weight is not finite, or too large for half precision.
        """
        config: Any = network.config
        metadata = {
            "format": self.format,
            "version": VERSION,
            "config": json.dumps(asdict(config)),
            "recipe": json.dumps(dict(recipe or {})),
        }
        tensors = prefixed(self.part, network.state_dict(), torch.float16)
        write_whole(Path(path), save(tensors, metadata))

    def load(self, path: str | Path | None = None) -> tuple[Network, dict[str, Any]]:
        """Build what `save` wrote, in float32 and evaluation mode, and read its recipe.

        Args:
            path: the file; the bundled weights when left out.

        Raises:
            CheckpointError: the file is missing, damaged or something else, or does not fit the
                config in its own header.
        """
        path = Path(path or self.bundled)
        with opened(path) as file:
            config, recipe = self._header(path, file.metadata() or {})
            parts = parts_of(path, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        if parts.keys() != {self.part}:
            raise CheckpointError(f"{path.name} holds {sorted(parts)}, not a {self.part}.")
        network = self.network(config)
        fill(path, network, parts[self.part])
        return network, recipe

    def add_scores(self, path: str | Path, scores: Mapping[str, Any]) -> None:
        """Write scores into the recipe of a weights file; weights stay as they are.

        Raises:
            CheckpointError: the file is missing, damaged or something else.
            OutputError: the file cannot be written.
        """
        path = Path(path)
        with opened(path) as file:
            metadata = dict(file.metadata() or {})
            _, recipe = self._header(path, metadata)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata["recipe"] = json.dumps(recipe | {"scores": dict(scores)})
        write_whole(path, save(tensors, metadata))

    def header(self, path: str | Path) -> dict[str, Any]:
        """Read what a weights file says of itself, and none of its tensors.

        Raises:
            CheckpointError: the file is missing, damaged or something else.
        """
        path = Path(path)
        with opened(path) as file:
            config, recipe = self._header(path, file.metadata() or {})
        return {
            "format": self.format,
            "version": VERSION,
            self.part: asdict(config),
            "recipe": recipe,
        }

    def _header(self, path: Path, metadata: Mapping[str, str]) -> tuple[Any, dict[str, Any]]:
        kind, version = metadata.get("format"), metadata.get("version")
        if kind != self.format:
            raise CheckpointError(
                f"{path.name} does not {self.does}: format={kind!r} in its header, "
                f"expected {self.format!r}. Was another weights file picked instead?"
            )
        if version != VERSION:
            raise CheckpointError(
                f"{path.name} has layout version {version!r}, this program reads {VERSION!r}. "
                "Update whichever is older."
            )
        try:
            config = self.config.from_dict(json.loads(metadata["config"]))
            recipe = json.loads(metadata["recipe"])
        except (KeyError, TypeError, AttributeError, ConfigError, json.JSONDecodeError) as error:
            raise CheckpointError(f"The header of {path.name} is damaged: {error!r}.") from error
        return config, recipe


REGRESSOR = WeightFile(
    part="regressor",
    does="read bodies off images",
    config=BodyRegressorConfig,
    network=BodyRegressor,
    bundled=ASSETS / "regress.safetensors",
)
LIFTER = WeightFile(
    part="lifter",
    does="lift keypoints into space",
    config=PoseLifterConfig,
    network=PoseLifter,
    bundled=ASSETS / "lift.safetensors",
)
