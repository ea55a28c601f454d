from dataclasses import replace
from pathlib import Path

import pytest
from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file

from posexfer_core.errors import ConfigError
from training.accelerator import samples_at_once, start_accelerator
from training.run_config import RunConfig

CONFIGS = sorted(Path(__file__).parents[2].glob("training/configs/accelerate/*.yaml"))


def run(**values: object) -> RunConfig:
    return RunConfig(data=Path("data"), output=Path("out"), precision="no", **values)  # type: ignore[arg-type]


def test_a_batch_is_divided_by_processes_and_accumulation():
    assert samples_at_once(run(batch_size=24, accumulation=2), 3) == 4


@pytest.mark.parametrize(("batch", "wanted"), [(2, 3), (32, 33)])
def test_a_batch_that_leaves_a_rest_is_refused_in_three_lines(batch: int, wanted: int):
    with pytest.raises(ConfigError, match=f"batch_size = {wanted}") as error:
        samples_at_once(run(batch_size=batch), 3)
    assert len(str(error.value).splitlines()) == 3


def test_a_launcher_that_starts_one_process_of_several_is_refused(monkeypatch: pytest.MonkeyPatch):
    """What `accelerate launch --cpu --num_processes 2` sets."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    monkeypatch.setenv("MASTER_PORT", "29500")
    with pytest.raises(ConfigError, match="torchrun --nproc_per_node"):
        start_accelerator(run())


def test_fp16_weights_are_refused(monkeypatch: pytest.MonkeyPatch):
    """DeepSpeed would train copies in float32 and compute with weights that are rounded."""
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(ConfigError, match="DeepSpeed would keep") as error:
        start_accelerator(replace(run(), precision="fp16"))
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_configs_are_such_as_accelerate_reads(path: Path):
    config = load_config_from_file(str(path))
    assert isinstance(config, ClusterConfig)
    assert config.num_processes == 8
    kinds = {"ddp": "MULTI_GPU", "deepspeed": "DEEPSPEED", "zero2": "FSDP", "fsdp": "FSDP"}
    assert config.distributed_type == kinds[path.stem]
    if config.deepspeed_config:
        assert config.deepspeed_config["zero_stage"] == 2
    if config.fsdp_config:
        assert config.fsdp_config["fsdp_version"] == 2
        assert config.fsdp_config["fsdp_reshard_after_forward"] == (path.stem == "fsdp")


def test_a_tracker_that_is_not_installed_is_said_in_three_lines(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.accelerator.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install wandb") as error:
        start_accelerator(run(log_with=("wandb",)))
    assert len(str(error.value).splitlines()) == 3
