from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from accelerate.utils import DeepSpeedPlugin

from posexfer_core.errors import ConfigError
from tests.training.started_runs import config, start_ranks, state, wait_for
from training.run_config import RunConfig
from training.zero import configure_deepspeed


def test_deepspeed_is_told_what_run_says():
    run = RunConfig(data=Path("d"), output=Path("o"), accumulation=4, clip_norm=0.5)
    plugin = DeepSpeedPlugin(zero_stage=2)
    configure_deepspeed(plugin, run, 3)
    told = plugin.deepspeed_config
    assert told["gradient_accumulation_steps"] == 4 and told["gradient_clipping"] == 0.5
    assert told["train_micro_batch_size_per_gpu"] == 3
    assert told["torch_autocast"]["dtype"] == "bfloat16"


def test_another_stage_is_refused_in_three_lines():
    run = RunConfig(data=Path("d"), output=Path("o"))
    with pytest.raises(ConfigError, match=r"deepspeed\.yaml") as error:
        configure_deepspeed(DeepSpeedPlugin(zero_stage=3), run, 3)
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.slow
@pytest.mark.skipif(find_spec("deepspeed") is None, reason="needs `pip install deepspeed`")
def test_two_processes_under_zero_2_train_what_one_does(poses: Path, tmp_path: Path):
    """Plain gradient descent, killed after ten steps and resumed; on a CPU, by gloo."""
    values = {"data": poses, "steps": 60, "extra": 'optimizer = "sgd"'}
    wait_for(start_ranks(config(tmp_path, "one", **values), 1))
    path, folder = config(tmp_path, "two", **values), tmp_path / "two" / "checkpoints"
    ranks = start_ranks(path, 2, ACCELERATE_USE_DEEPSPEED="true")
    while not (folder / "step-0000010").exists() and all(rank.is_alive() for rank in ranks):
        ranks[0].join(0.01)
    for rank in ranks:
        rank.kill()
        rank.join()
    assert not (folder / "step-0000060").exists()
    wait_for(start_ranks(path, 2, ACCELERATE_USE_DEEPSPEED="true"))
    said = path.with_suffix(".0.log").read_text()
    assert "2 processes on cpu (deepspeed)" in said and "Going on from step" in said
    one, two = state(tmp_path, "one", 60), state(tmp_path, "two", 60)
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("deepspeed") is None, reason="needs `pip install deepspeed`")
def test_moments_are_kept_whole_and_resumed(poses: Path, tmp_path: Path):
    """AdamW of one process after ten steps goes on under ZeRO-2, and the other way round."""
    values = {"data": poses, "save": 10, "extra": 'learning_rates = { "*.bias" = 2e-3 }'}
    zero = {"ACCELERATE_USE_DEEPSPEED": "true"}
    for name, first, second in (("one", {}, {}), ("to", {}, zero), ("fro", zero, {})):
        for steps, environment in ((10, first), (20, second)):
            path = config(tmp_path, name, **values | {"steps": steps})
            wait_for(start_ranks(path, 2 if environment else 1, **environment))
    one = state(tmp_path, "one")
    for other in (state(tmp_path, "to"), state(tmp_path, "fro")):
        assert other.keys() == one.keys()
        for name, tensor in one.items():
            torch.testing.assert_close(other[name], tensor, rtol=0, atol=1e-5)
