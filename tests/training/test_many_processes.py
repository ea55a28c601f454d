"""Runs in several processes, started as the docs say, and runs that are killed."""

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from posexfer_core.network.autoencoder import AutoencoderConfig, PatchAutoencoder
from posexfer_core.network.weights import AUTOENCODER
from tests.training.sharded_run import main as sharded
from tests.training.small_network import SMALL_MODEL
from tests.training.started_runs import (
    DOUBLE,
    ENVIRONMENT,
    ROOT,
    SINGLE,
    Command,
    command,
    config,
    run,
    start_ranks,
    state,
    wait_for,
)
from training.checkpoint import newest_checkpoint
from training.train import main as train

pytestmark = pytest.mark.slow


def test_two_processes_train_what_one_does(poses: Path, tmp_path: Path):
    extra = 'optimizer = "sgd"'
    run(SINGLE, config(tmp_path, "one", data=poses, extra=extra))
    said = run(DOUBLE, config(tmp_path, "two", data=poses, extra=extra))
    assert "2 processes on cpu" in said and said.count("Going on") == 0
    one, two = state(tmp_path, "one"), state(tmp_path, "two")
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=1e-5)
    assert (tmp_path / "two" / "bundle.safetensors").exists()


def test_two_processes_train_a_part_of_a_network(shards: Path, tmp_path: Path):
    """What the prior head leaves without a gradient is waited for by no process."""
    autoencoder = tmp_path / "autoencoder.safetensors"
    AUTOENCODER.save(autoencoder, PatchAutoencoder(AutoencoderConfig(width=8, blocks=1)))
    tables = f'[prior_head]\nautoencoder = "{autoencoder}"\nprepared = "{tmp_path / "prepared"}"\n'
    for name, start in (("one", SINGLE), ("two", DOUBLE)):
        path = config(tmp_path, name, data=shards, steps=3, save=3, extra='optimizer = "sgd"')
        path.write_text(path.read_text().partition("[lifter]")[0] + tables + SMALL_MODEL)
        run(start, path)
    one, two = state(tmp_path, "one", 3), state(tmp_path, "two", 3)
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=1e-5)


def test_sharded_weights_train_as_whole_ones_and_resume_whole(poses: Path, tmp_path: Path):
    """Ten steps under FSDP 2 in two processes, then ten more in one."""
    values = {"data": poses, "extra": 'optimizer = "sgd"'}
    run(SINGLE, config(tmp_path, "whole", **values))
    path = config(tmp_path, "sharded", **values | {"steps": 10})
    script = [str(ROOT / "tests" / "training" / "sharded_run.py"), "--config", str(path)]
    done = subprocess.run(
        [*DOUBLE, *script], env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "sharded" / "samples" / "step-0000010.png").exists()
    early = state(tmp_path, "whole", 10)
    for name, tensor in state(tmp_path, "sharded", 10).items():
        torch.testing.assert_close(tensor, early[name], rtol=0, atol=1e-5)
    assert "Going on from step 10" in run(SINGLE, config(tmp_path, "sharded", **values))
    late = state(tmp_path, "sharded")
    for name, tensor in state(tmp_path, "whole").items():
        torch.testing.assert_close(late[name], tensor, rtol=0, atol=1e-5)


def test_a_batch_that_two_cannot_share_is_a_sentence(poses: Path, tmp_path: Path):
    path = config(tmp_path, "odd", data=poses)
    path.write_text(path.read_text().replace("batch_size = 4", "batch_size = 3"))
    done = subprocess.run(
        command(DOUBLE, path), env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "batch_size is 3, for 2 processes" in done.stderr
    assert "training/trainer.py" not in done.stderr


@pytest.mark.parametrize(
    ("count", "main", "steps"),
    [(1, train, 300), (2, train, 300), (2, sharded, 100)],
    ids=["one", "two", "sharded"],
)
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_was_not(
    poses: Path, tmp_path: Path, count: int, main: Command, steps: int
):
    """Ten times, at random moments; fewer where the machine is done before."""
    values = {"data": poses, "steps": steps, "save": 5}
    wait_for(start_ranks(config(tmp_path, "whole", **values), count, main))
    path, folder = config(tmp_path, "killed", **values), tmp_path / "killed" / "checkpoints"
    killed = 0
    for _ in range(10):
        before, ranks = newest_checkpoint(folder), start_ranks(path, count, main)
        while newest_checkpoint(folder) == before and all(rank.is_alive() for rank in ranks):
            time.sleep(0.002)
        time.sleep(random.uniform(0.0, 0.06))
        for rank in ranks:
            rank.kill()
        for rank in ranks:
            rank.join()
        killed += ranks[0].exitcode == -signal.SIGKILL
    wait_for(start_ranks(path, count, main))
    assert killed >= 5
    whole, last = state(tmp_path, "whole", steps), state(tmp_path, "killed", steps)
    assert whole.keys() == last.keys()
    for name, tensor in whole.items():
        assert torch.equal(last[name], tensor), name
    assert not list(folder.glob(".step-*"))
