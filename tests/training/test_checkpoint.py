from pathlib import Path

import pytest
import torch
from torch import nn

from posexfer_core.errors import CheckpointError
from training.averaging import AveragedWeights, trained_parameters
from training.checkpoint import (
    TorchMoments,
    TrainingState,
    best_checkpoint,
    load_checkpoint,
    newest_checkpoint,
    remove_leftovers,
    save_checkpoint,
)


def state(width: int = 2, step: int = 0) -> TrainingState:
    """A small run after one step of its optimiser."""
    model = nn.Sequential(nn.Conv2d(3, width, 3))
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    parameters = trained_parameters(model)
    optimizer = torch.optim.AdamW(model.parameters())
    if step:
        model(torch.randn(1, 3, 4, 4)).square().mean().backward()
        optimizer.step()
    average = AveragedWeights(parameters, 0.9)
    average.update(1)
    moments = TorchMoments(parameters, optimizer)
    return TrainingState(
        parameters=parameters, average=average, moments=moments, step=step, samples=8 * step
    )


def kept(state: TrainingState) -> list[dict]:
    """What the optimiser keeps of each parameter."""
    assert isinstance(state.moments, TorchMoments)
    return [state.moments.optimizer.state[p] for p in state.parameters.values()]


def test_a_checkpoint_gives_back_every_bit_where_it_lay(tmp_path: Path):
    saved, loaded = state(step=3), state()
    load_checkpoint(save_checkpoint(tmp_path, saved, keep=1, main=True), loaded)
    assert (loaded.step, loaded.samples) == (3, 24)
    for name, parameter in saved.parameters.items():
        other = loaded.parameters[name]
        assert torch.equal(parameter, other)
        assert torch.equal(saved.average.values[name], loaded.average.values[name])
    for entries, others in zip(kept(saved), kept(loaded), strict=True):
        assert entries.keys() == others.keys() == {"step", "exp_avg", "exp_avg_sq"}
        for entry, moment in entries.items():
            assert torch.equal(moment, others[entry])
            assert moment.stride() == others[entry].stride()


def test_a_count_of_steps_that_is_no_tensor_is_kept(tmp_path: Path):
    """bitsandbytes keeps an int beside its moments."""
    saved, loaded = state(step=3), state()
    for entries in kept(saved):
        entries["step"] = 3
    load_checkpoint(save_checkpoint(tmp_path, saved, keep=1, main=True), loaded)
    counts = [entries["step"] for entries in kept(loaded)]
    assert counts == [3, 3] and all(isinstance(count, int) for count in counts)


def test_the_newest_and_the_best_are_kept(tmp_path: Path):
    for step, loss in enumerate([0.5, 0.2, 0.4, 0.3], start=1):
        save_checkpoint(tmp_path, state(step=step), keep=1, main=True, validation=loss)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["step-0000002", "step-0000004"]
    best = best_checkpoint(tmp_path)
    assert best is not None and best.name == "step-0000002"


def test_what_a_kill_left_is_never_picked_up(tmp_path: Path):
    saved = save_checkpoint(tmp_path, state(step=1), keep=2, main=True)
    for name in (".step-0000002.0a.partial", ".step-0000000.removed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights.safetensors").write_bytes(b"cut")
    assert newest_checkpoint(tmp_path) == saved
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [saved]


def test_weights_that_are_not_finite_are_not_kept(tmp_path: Path):
    good, broken = state(step=1), state(step=2)
    save_checkpoint(tmp_path, good, keep=1, main=True)
    broken.parameters["0.bias"].data.fill_(torch.inf)
    with pytest.raises(CheckpointError, match=r"0\.bias"):
        save_checkpoint(tmp_path, broken, keep=1, main=True)
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000001"]


def test_the_checkpoint_of_another_model_is_refused_in_three_lines(tmp_path: Path):
    path = save_checkpoint(tmp_path, state(width=4, step=1), keep=1, main=True)
    with pytest.raises(CheckpointError, match="another model") as error:
        load_checkpoint(path, state())
    assert len(str(error.value).splitlines()) == 3
