"""What a network's run starts from, and the file that it ends with."""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from posexfer_core.diffusion.base import Base
from posexfer_core.diffusion.base_files import BaseFiles
from posexfer_core.errors import CheckpointError, ConfigError
from posexfer_core.files.configs import merge_tables, read_config
from posexfer_core.files.weights import read_header, read_weights
from posexfer_core.network.autoencoder import PatchAutoencoder
from posexfer_core.network.config import NetworkConfig
from posexfer_core.network.model import PoseTransferNetwork
from posexfer_core.network.weights import ADAPTER, BUNDLE, save_bundle

from ..data.encoders import EncoderFiles

logger = logging.getLogger(__name__)


def load_matching(model: nn.Module, path: Path) -> None:
    """Load every tensor of a bundle whose name and shape a model has.

    Raises:
        CheckpointError: the file is not a weights file, or nothing in it fits.
    """
    _, parts = read_weights(path, [BUNDLE, ADAPTER], holds="pose-transfer weights")
    found = {f"{part}.{name}": value for part, ts in parts.items() for name, value in ts.items()}
    wanted = model.state_dict()
    fitting = {
        name: tensor
        for name, tensor in found.items()
        if name in wanted and wanted[name].shape == tensor.shape
    }
    if not fitting:
        raise CheckpointError(
            f"None of the {len(found)} tensors in {path.name} fits the network.\n"
            "Expected weights of a network of the same sizes.\n"
            "Leave out what differs under [model], or leave out start."
        )
    model.load_state_dict(fitting, strict=False)
    logger.info("Loaded %d of %d tensors from %s.", len(fitting), len(wanted), path)


def configure(
    changes: dict[str, Any], base: BaseFiles | None = None, start: Path | None = None
) -> NetworkConfig:
    """Change a preset by the [model] section of a run.

    The preset is that of the weights to start from, else the adapter over the base, else `tiny`.

    Raises:
        ConfigError: a name is unknown, a value cannot be, or not over a base.
    """
    if start is not None:
        preset = read_config(NetworkConfig, read_header(start).config.get("network", {}))
    else:
        preset = NetworkConfig() if base is None else Base(base).describe_adapter()
    table = merge_tables(asdict(preset), changes)
    config = read_config(NetworkConfig, table, name="[model]")
    if base is not None and config.zero_terminal_snr:
        raise ConfigError(
            f"[model] zero_terminal_snr is set, and the network is trained over {base.model}.\n"
            "Expected the base's own noise schedule, which the base was trained with.\n"
            "Leave it out, or leave out [base]."
        )
    return config


def save_trained(
    path: Path,
    network: PoseTransferNetwork,
    unet: dict[str, Tensor] | None,
    files: EncoderFiles,
    recipe: dict[str, object],
) -> None:
    """Write what was trained for the nodes and the pipeline.

    Args:
        path: the .safetensors file.
        network: the network.
        unet: weights of its UNet; none over a base, where the file is an adapter.
        files: of the autoencoder that goes into a bundle.
        recipe: for the header.
    """
    if unet is None:
        save_bundle(path, network, recipe=recipe)
        return
    encoders = files.load(network.config)
    assert isinstance(encoders.vae, PatchAutoencoder)
    save_bundle(
        path,
        network,
        unet_config=network.config.unet.diffusers_config(),
        unet_state=unet,
        autoencoder=encoders.vae,
        recipe={**recipe, "autoencoder": encoders.recipe},
    )
