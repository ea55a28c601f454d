import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator

from training.run_config import RunConfig
from training.run_log import LINES, JsonLines, logged, start_log

ENTRIES = (
    {"step": 10, "loss": 0.5, "images_per_second": 3.0},
    {"step": 20, "loss": 0.4, "images_per_second": 4.0},
    {"step": 20, "validation": 0.7},
    {"step": 30, "loss": 0.3},
)


def write(folder: Path, end: str = "") -> Path:
    path = folder / LINES
    path.write_text("".join(json.dumps(entry) + "\n" for entry in ENTRIES) + end)
    return path


def test_the_last_of_every_name_up_to_a_step_is_read(tmp_path: Path):
    write(tmp_path)
    assert logged(tmp_path, 20) == {"loss": 0.4, "images_per_second": 4.0, "validation": 0.7}
    assert logged(tmp_path, 99)["loss"] == 0.3 and logged(tmp_path, 99)["validation"] == 0.7
    assert logged(tmp_path, 5) == {} and logged(tmp_path / "elsewhere", 5) == {}


def test_a_line_that_a_kill_cut_off_is_passed_over(tmp_path: Path):
    write(tmp_path, end='{"step": 31, "lo')
    assert logged(tmp_path, 99)["loss"] == 0.3


def test_a_run_that_goes_on_drops_the_lines_after_its_checkpoint(tmp_path: Path):
    path = write(tmp_path, end='{"step": 31, "lo')
    JsonLines(path, start=20).log({"loss": 0.2}, step=21)
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert entries == [*ENTRIES[:3], {"step": 21, "loss": 0.2}]


def log_one_step(folder: Path, tracker: str) -> None:
    """Log two numbers and a grey image after 7 steps."""
    accelerator = Accelerator(cpu=True, log_with=[tracker], project_dir=str(folder / tracker))
    run = RunConfig(data=folder, output=folder, log_with=(tracker,))
    log = start_log(accelerator, run, 0, {"config": {"run": {"steps": 8}}, "pairs": 1234})
    log.write({"loss": 0.5, "validation": 0.7}, 7)
    log.image("sample", torch.zeros(3, 8, 6), 7)
    accelerator.end_training()


def test_tensorboard_is_given_numbers_and_images(tmp_path: Path):
    log_one_step(tmp_path, "tensorboard")
    events = b"".join(path.read_bytes() for path in tmp_path.rglob("events.*"))
    assert b"loss" in events and b"sample" in events and b"PNG" in events
    assert logged(tmp_path, 7) == {"loss": 0.5, "validation": 0.7}


def test_wandb_is_given_numbers_and_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    log_one_step(tmp_path, "wandb")
    (record,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    assert b"validation" in record.read_bytes()
    assert b"pairs" in record.read_bytes() and b"1234" in record.read_bytes()
    assert list(tmp_path.glob("wandb/offline-run-*/files/media/images/sample_7_*.png"))


def test_a_run_that_goes_on_goes_on_in_the_same_run_of_wandb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    started: list[dict] = []
    package = SimpleNamespace(init=lambda **options: started.append(options))
    monkeypatch.setitem(sys.modules, "wandb", package)
    run = RunConfig(data=tmp_path, output=tmp_path, log_with=("wandb",))
    for folder, step in ((tmp_path / "a", 0), (tmp_path / "a", 4), (tmp_path / "b", 0)):
        accelerator = Accelerator(cpu=True)
        accelerator.log_with.append("wandb")
        start_log(accelerator, replace(run, output=folder), step, {"pairs": 3})
    first, second, other = started
    assert first == second and first["id"] != other["id"] and first["resume"] == "allow"
    assert first["config"] == {"pairs": 3} and first["name"] == "a"
