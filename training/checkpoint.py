"""Checkpoints of a run: safetensors and JSON only, written whole or not at all, resumed exactly.

They hold whole tensors by the parameters' names, however a run is spread over processes, so that
it may go on with another number of them.
"""

import json
import math
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from posexfer_core.errors import CheckpointError
from posexfer_core.files.atomic import replacing
from posexfer_core.files.weights import open_tensors

from .averaging import AveragedWeights

FACTS = "state.json"


class Moments(Protocol):
    """What an optimiser keeps of each parameter."""

    def read(self) -> Iterable[tuple[str, str, Tensor]]:
        """Give parameter, entry and value, in the same order on every process."""
        ...

    def write(self, moments: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take whole values by parameter and entry, after the parameters were loaded."""
        ...


class TorchMoments:
    """What an optimiser of torch's or bitsandbytes' keeps of each parameter."""

    def __init__(
        self, parameters: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer
    ) -> None:
        self.parameters, self.optimizer = parameters, optimizer

    def read(self) -> Iterator[tuple[str, str, Tensor]]:
        """Give every entry; of a sharded parameter it is sharded."""
        for name, parameter in self.parameters.items():
            for entry, value in self.optimizer.state.get(parameter, {}).items():
                yield name, entry, torch.as_tensor(value)

    def write(self, moments: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take every entry as its parameter is laid out and sharded."""
        for name, entries in moments.items():
            parameter = self.parameters[name]
            for entry, moment in entries.items():
                self.optimizer.state[parameter][entry] = _like(moment, parameter)


@dataclass(kw_only=True)
class TrainingState:
    """All of a run that changes.

    What is random is a function of the seed and of a sample's place in the stream, so there is no
    generator whose state would have to be kept.
    """

    parameters: Mapping[str, nn.Parameter]
    average: AveragedWeights
    moments: Moments
    scaler: Any = None
    """Of fp16's losses; none in other precisions."""
    step: int = 0
    """Optimiser steps that are done."""
    samples: int = 0
    """Samples that were trained on: the place in the stream."""
    best: float = math.inf
    """Lowest loss on samples held out."""


def save_checkpoint(
    folder: Path, state: TrainingState, *, keep: int, main: bool, validation: float | None = None
) -> Path:
    """Write one checkpoint; drop all but the newest `keep` and the best by validation.

    Every process calls this, for each may hold a part of the tensors; the main one writes.

    Raises:
        CheckpointError: a weight is not finite; no checkpoint is written or dropped.
    """
    final = folder / f"step-{state.step:07d}"
    tensors = {
        "weights": whole_tensors(state.parameters.items()),
        "average": whole_tensors(state.average.values.items()),
        "optimizer": whole_tensors(
            (f"{name}/{entry}", value) for name, entry, value in state.moments.read()
        ),
    }
    if broken := [n for n, weight in tensors["weights"].items() if not weight.isfinite().all()]:
        raise CheckpointError(
            f"{len(broken)} weights are not finite after step {state.step}, {broken[0]} among "
            "them.\nExpected finite weights; the checkpoints before are kept as they were.\n"
            "Lower [run] learning_rate and give the same command again."
        )
    if not main:
        return final
    facts = {"step": state.step, "samples": state.samples, "validation": validation}
    facts["best"] = state.best if math.isfinite(state.best) else None
    if state.scaler is not None:
        facts["scaler"] = state.scaler.state_dict()
    with replacing(final) as partial:
        partial.mkdir(parents=True)
        for name, part in tensors.items():
            save_file(part, partial / f"{name}.safetensors")
        (partial / FACTS).write_text(json.dumps(facts))
    found = sorted(folder.glob("step-*"))
    kept = {*found[-keep:], best_checkpoint(folder)}
    for old in found:
        if old not in kept:
            _remove_whole(old)
    return final


def newest_checkpoint(folder: Path) -> Path | None:
    """Find the checkpoint to go on from."""
    return max(folder.glob("step-*"), default=None)


def best_checkpoint(folder: Path) -> Path | None:
    """Find the checkpoint of the lowest validation loss."""
    losses = {path: read_facts(path).get("validation") for path in folder.glob("step-*")}
    measured = {path: loss for path, loss in losses.items() if loss is not None}
    return min(measured, key=lambda path: measured[path], default=None)


def read_facts(path: Path) -> dict[str, Any]:
    """Read step, samples and validation loss of a checkpoint."""
    try:
        return json.loads((path / FACTS).read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is no checkpoint of this version: {error}.\n"
            f"Expected {FACTS} and three .safetensors files in it.\n"
            "Remove that folder to go on from the one before, or choose a new output folder."
        ) from error


def _remove_whole(path: Path) -> None:
    """Remove a folder so that a kill leaves none that looks like a checkpoint."""
    hidden = path.with_name(f".{path.name}.removed")
    shutil.rmtree(hidden, ignore_errors=True)
    path.rename(hidden)
    shutil.rmtree(hidden)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed runs left half written or half removed."""
    for left in folder.glob(".step-*"):
        shutil.rmtree(left, ignore_errors=True)


def load_checkpoint(path: Path, state: TrainingState) -> None:
    """Put a run back where it was; every process calls this.

    Raises:
        CheckpointError: a file is damaged or belongs to another configuration.
    """
    facts = read_facts(path)
    weights, average = (_read(path / f"{name}.safetensors") for name in ("weights", "average"))
    _check_names(path, state.parameters, weights)
    _check_names(path, state.average.values, average)
    with torch.no_grad():
        for name, parameter in state.parameters.items():
            parameter.copy_(_sharded(weights[name], parameter))
            value = state.average.values[name]
            value.copy_(_sharded(average[name], value))
    moments: dict[str, dict[str, Tensor]] = {}
    for key, moment in _read(path / "optimizer.safetensors").items():
        name, _, entry = key.rpartition("/")
        moments.setdefault(name, {})[entry] = moment
    state.moments.write(moments)
    if state.scaler is not None and "scaler" in facts:
        state.scaler.load_state_dict(facts["scaler"])
    state.step, state.samples = facts["step"], facts["samples"]
    state.best = math.inf if facts["best"] is None else facts["best"]


def _check_names(path: Path, wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Refuse the checkpoint of another model."""
    shapes = {name: tuple(tensor.shape) for name, tensor in wanted.items()}
    if shapes != (others := {name: tuple(tensor.shape) for name, tensor in found.items()}):
        differing = sorted(
            name for name in shapes.keys() | others.keys() if shapes.get(name) != others.get(name)
        )
        raise CheckpointError(
            f"{path} was written by a run with another model: {len(differing)} weights differ, "
            f"{differing[0]} first.\n"
            f"Expected the {len(shapes)} weights that are trained here.\n"
            "Resume with its own configuration, or choose a new output folder."
        )


def whole_tensors(tensors: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """Gather tensors on the CPU, whole."""
    gathered = (
        (name, tensor.full_tensor() if isinstance(tensor, DTensor) else tensor)
        for name, tensor in tensors
    )
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in gathered}


def _sharded(value: Tensor, like: Tensor) -> Tensor:
    """Cut this process's part out of a whole tensor, if it holds a part."""
    value = value.to(like.device)
    if isinstance(like, DTensor):
        return distribute_tensor(value, like.device_mesh, like.placements, src_data_rank=None)
    return value


def _like(moment: Tensor, parameter: Tensor) -> Tensor | int:
    """Lay a moment out in memory as its parameter, or sums are taken in another order.

    A count of steps is what the optimiser keeps: a tensor of floats in torch's, an int in
    bitsandbytes'.
    """
    if moment.ndim == 0:
        return moment if moment.is_floating_point() else int(moment)
    if moment.shape != parameter.shape:
        return moment.to(parameter.device)
    return torch.empty_like(parameter, dtype=moment.dtype).copy_(_sharded(moment, parameter))


def _read(path: Path) -> dict[str, Tensor]:
    try:
        with open_tensors(path) as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except CheckpointError as error:
        raise CheckpointError(f"{error} Remove the folder {path.parent} to resume.") from error
