"""Weights files of the networks that estimate bodies."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..conventions import ASSETS
from ..files.weights import Network, SingleNetworkFile
from .pose_lifting_network import PoseLifter, PoseLifterConfig
from .regressor_network import BodyRegressor, BodyRegressorConfig


@dataclass(frozen=True, kw_only=True)
class BundledNetworkFile(SingleNetworkFile[Network]):
    """A kind of weights file of which one ships."""

    bundled: Path

    def load(self, path: str | Path | None = None) -> tuple[Network, dict[str, Any]]:
        """Load a file, or the one that ships."""
        return super().load(path or self.bundled)


REGRESSOR = BundledNetworkFile(
    part="regressor",
    holds="a regressor of bodies",
    config=BodyRegressorConfig,
    network=BodyRegressor,
    bundled=ASSETS / "regress.safetensors",
)
LIFTER = BundledNetworkFile(
    part="lifter",
    holds="a pose lifter",
    config=PoseLifterConfig,
    network=PoseLifter,
    bundled=ASSETS / "lift.safetensors",
)
