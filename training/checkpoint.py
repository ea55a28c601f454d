"""Checkpoints of a run: safetensors and JSON only, written whole or not at all, resumed exactly."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from posexfer_core.errors import CheckpointError
from posexfer_core.files.atomic import replacing
from posexfer_core.files.weights import open_tensors

KEPT = 2


def save_checkpoint(
    folder: Path, step: int, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> Path:
    """Write one checkpoint and drop all but the newest two.

    Everything random in a run is a function of its seed and step, so weights, their average and the
    optimiser's moments are all that an exact resume needs.
    """
    final = folder / f"step-{step:07d}"
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    moments = {
        f"{names[id(parameter)]}/{key}": torch.as_tensor(value)
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
    }
    with replacing(final) as partial:
        partial.mkdir(parents=True)
        save_file(_plain(model.state_dict()), partial / "model.safetensors")
        save_file(_plain(average.state_dict()), partial / "average.safetensors")
        save_file(_plain(moments), partial / "optimizer.safetensors")
        (partial / "step.json").write_text(json.dumps({"step": step}))
    for old in sorted(folder.glob("step-*"))[:-KEPT]:
        shutil.rmtree(old)
    return final


def newest_checkpoint(folder: Path) -> Path | None:
    """Find the checkpoint to go on from."""
    return max(folder.glob("step-*"), default=None)


def load_checkpoint(
    path: Path, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> int:
    """Put a run back where it was and return its step.

    Raises:
        CheckpointError: a file is damaged or belongs to another configuration.
    """
    try:
        model.load_state_dict(_read(path / "model.safetensors"))
        average.load_state_dict(_read(path / "average.safetensors"))
    except RuntimeError as error:
        raise CheckpointError(
            f"{path} was written by a run with another model: {error}. Resume with its own "
            "configuration, or choose a new output folder."
        ) from error
    state: dict[str, dict[str, Tensor]] = {}
    for key, value in _read(path / "optimizer.safetensors").items():
        name, _, entry = key.rpartition("/")
        state.setdefault(name, {})[entry] = value
    for name, parameter in model.named_parameters():
        if name in state:
            optimizer.state[parameter] = {
                # a moment lies in memory as its parameter does, or sums are taken in another order
                k: v if v.ndim == 0 else torch.empty_like(parameter, dtype=v.dtype).copy_(v)
                for k, v in state[name].items()
            }
    return int(json.loads((path / "step.json").read_text())["step"])


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def _read(path: Path) -> dict[str, Tensor]:
    try:
        with open_tensors(path) as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except CheckpointError as error:
        raise CheckpointError(f"{error} Remove the folder {path.parent} to resume.") from error
