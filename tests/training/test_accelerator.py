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


def test_deepspeed_is_refused_for_what_does_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(ConfigError, match=r"zero2\.yaml"):
        start_accelerator(run())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_configs_are_such_as_accelerate_reads(path: Path):
    config = load_config_from_file(str(path))
    assert isinstance(config, ClusterConfig)
    assert config.num_processes == 8
    kind = "MULTI_GPU" if path.stem == "ddp" else "FSDP"
    assert config.distributed_type == kind
    if config.fsdp_config:
        assert config.fsdp_config["fsdp_version"] == 2
        assert config.fsdp_config["fsdp_reshard_after_forward"] == (path.stem == "fsdp")


@pytest.mark.parametrize(
    ("values", "words"),
    [({"log_with": ("wandb",)}, "pip install wandb"), ({"precision": "fp16"}, "no GPU")],
)
def test_what_this_machine_lacks_is_said_in_three_lines(
    values: dict, words: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("training.accelerator.find_spec", lambda name: name != "wandb" or None)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match=words) as error:
        start_accelerator(RunConfig(data=Path("d"), output=Path("o"), **values))
    assert len(str(error.value).splitlines()) == 3
