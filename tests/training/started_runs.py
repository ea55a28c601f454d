"""Runs of `training.train`, started as the docs say, and what they leave."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from safetensors.torch import load_file

from training.train import main

RUN = """
[run]
data = "{data}"
output = "{output}"
steps = {steps}
batch_size = 4
learning_rate = 1e-3
warmup_steps = 1
decay_steps = 1
save_every = {save}
sample_every = 1000
log_every = 10
precision = "no"
held_out = 3
{extra}

[lifter]
[model]
hidden = 16
blocks = 1
"""
SINGLE = [sys.executable]
DOUBLE = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
DOUBLE += ["--rdzv_backend", "c10d", "--rdzv_endpoint", "localhost:0"]
Command = Callable[[list[str] | None], int]
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def config(folder: Path, name: str, **values: object) -> Path:
    values = {"output": folder / name, "steps": 20, "save": 10, "extra": ""} | values
    path = folder / f"{name}.toml"
    path.write_text(RUN.format(**values))
    return path


def command(start: list[str], path: Path) -> list[str]:
    return [*start, "-m", "training.train", "--config", str(path)]


def run(start: list[str], path: Path) -> str:
    done = subprocess.run(
        command(start, path), env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stderr


def state(folder: Path, name: str, step: int = 20) -> dict[str, torch.Tensor]:
    checkpoint = folder / name / "checkpoints" / f"step-{step:07d}"
    return {
        f"{part}/{key}": tensor
        for part in ("weights", "average", "optimizer")
        for key, tensor in load_file(checkpoint / f"{part}.safetensors").items()
    }


def start_ranks(
    path: Path, count: int, main: Command = main, /, **environment: str
) -> Sequence[BaseProcess]:
    """Start the processes of a run as a launcher does, from one that has its imports already."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["deepspeed", "training.train"])
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    if count > 1:
        environment |= {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
        environment |= {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    ranks = [context.Process(target=_rank, args=(main, path, i, environment)) for i in range(count)]
    for rank in ranks:
        rank.start()
    return ranks


def _rank(main: Command, path: Path, number: int, environment: dict[str, str]) -> None:
    if environment:
        os.environ |= environment | {"RANK": str(number), "LOCAL_RANK": str(number)}
    torch.set_num_threads(1)
    with path.with_suffix(f".{number}.log").open("w") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    sys.exit(main(["--config", str(path)]))


def wait_for(ranks: Sequence[BaseProcess]) -> None:
    """Wait for every process of a run, which must end well."""
    for rank in ranks:
        rank.join(600)
        assert rank.exitcode == 0
