"""The trainer, end to end on a few made-up pairs."""

import functools
import itertools
import json
import shutil
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from safetensors.torch import load_file

from posexfer_core.network.weights import AUTOENCODER as AUTOENCODER_FILE
from posexfer_core.network.weights import load_bundle
from posexfer_core.pose_networks.weights import LIFTER, REGRESSOR, BundledNetworkFile
from tests.training.small_network import SMALL_MODEL
from training.train import main
from training.trainer import Trainer

AUTOENCODER = """
[run]
data = "{data}"
output = "{output}"
steps = {steps}
batch_size = 2
warmup_steps = 1
decay_steps = 1
save_every = 2
sample_every = 100
log_every = 1
precision = "no"

[autoencoder]
crop = 32
start_images = 8

[model]
width = 8
blocks = 1
"""
NETWORK = (
    """
[run]
data = "{data}"
output = "{output}"
steps = {steps}
batch_size = 2
warmup_steps = 1
decay_steps = 1
save_every = 2
sample_every = 100
log_every = 1
precision = "no"

[{task}]
autoencoder = "{autoencoder}"
prepared = "{prepared}"
{stage}
"""
    + SMALL_MODEL
)
REGRESSOR_RUN = """
[run]
data = "{data}"
output = "{output}"
steps = {steps}
batch_size = 4
warmup_steps = 1
decay_steps = 1
save_every = 2
sample_every = 100
log_every = 1
precision = "no"

[regressor]

[model]
height = 64
width = 48
channels = [8, 8, 16]
blocks = [1, 1, 1]
hidden = 16
"""
LIFTER_RUN = (
    REGRESSOR_RUN[: REGRESSOR_RUN.index("[regressor]")]
    + "[lifter]\n[model]\nhidden = 16\nblocks = 1\n"
)


NETWORK_HEAD = "[run]\ndata = 'x'\noutput = 'y'\n[network]\nautoencoder = 'a'\nprepared = 'p'\n"
BASE_HEAD = "[run]\ndata = 'x'\noutput = 'y'\n[base]\nmodel = '.'\n"


def run(template: str, path: Path, **values: object) -> Path:
    path.write_text(template.format(**values))
    assert main(["--config", str(path)]) == 0
    return Path(str(values["output"])) / "bundle.safetensors"


@pytest.fixture(scope="module")
def autoencoder(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("autoencoder")
    return run(AUTOENCODER, folder / "a.toml", data=shards, output=folder / "run", steps=2)


def test_an_autoencoder_is_trained_and_written_with_its_recipe(autoencoder: Path):
    loaded, recipe = AUTOENCODER_FILE.load(autoencoder)
    assert recipe["pairs"] == 6 and recipe["config"]["run"]["steps"] == 2
    image = torch.zeros(1, 3, 64, 48)
    assert loaded.encode(image).shape == (1, 16, 8, 6)
    samples = autoencoder.parent / "samples"
    assert [path.name for path in samples.iterdir()] == ["step-0000002.png"]
    log = [json.loads(x) for x in (autoencoder.parent / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log] == [1, 2]


@pytest.mark.slow
@pytest.mark.parametrize("task", ["network", "prior_head"])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    shards: Path, autoencoder: Path, tmp_path: Path, task: str
):
    prepared = tmp_path / "prepared"
    values = {"data": shards, "autoencoder": autoencoder, "prepared": prepared}
    values |= {"stage": "", "task": task}
    output = tmp_path / "run"
    whole = run(NETWORK, tmp_path / "run.toml", output=output, steps=4, **values)
    wanted = load_file(whole)
    whole.unlink()
    shutil.rmtree(output / "checkpoints" / "step-0000004")  # as if it had been stopped after 3
    run(NETWORK, tmp_path / "run.toml", output=output, steps=4, **values)
    for name, tensor in load_file(whole).items():
        assert torch.equal(tensor, wanted[name]), name
    bundle = load_bundle(whole)
    assert bundle.autoencoder is not None and bundle.unet_state is not None
    assert bundle.header.recipe["autoencoder"]["pairs"] == 6


@pytest.mark.parametrize(
    ("template", "kind", "made"),
    [(REGRESSOR_RUN, REGRESSOR, {"pairs": 6}), (LIFTER_RUN, LIFTER, {"poses": 19})],
    ids=["regressor", "lifter"],
)
def test_what_estimates_bodies_is_trained_and_resumed_exactly(
    shards: Path,
    poses: Path,
    tmp_path: Path,
    template: str,
    kind: BundledNetworkFile,
    made: dict[str, int],
):
    data = poses if kind is LIFTER else shards
    values = {"data": data, "output": tmp_path / "run", "steps": 4}
    bundle = run(template, tmp_path / "r.toml", **values)
    network, recipe = kind.load(bundle)
    assert network.config.hidden == 16 and recipe.items() >= made.items()
    assert (tmp_path / "run" / "samples" / "step-0000004.png").exists()
    wanted = load_file(bundle)
    bundle.unlink()
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "step-0000004")
    run(template, tmp_path / "r.toml", **values)
    for name, tensor in load_file(bundle).items():
        assert torch.equal(tensor, wanted[name]), name


@pytest.mark.slow
def test_the_prior_can_be_frozen(shards: Path, autoencoder: Path, tmp_path: Path):
    values = {"data": shards, "autoencoder": autoencoder, "prepared": tmp_path / "prepared"}
    values |= {"task": "network"}
    first = run(NETWORK, tmp_path / "a.toml", output=tmp_path / "a", steps=2, stage="", **values)
    stage = f'freeze_prior = true\nstart = "{first}"'
    second = run(
        NETWORK, tmp_path / "b.toml", output=tmp_path / "b", steps=3, stage=stage, **values
    )
    before, after = load_file(first), load_file(second)
    changed = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    kept = {name for name in after if name.startswith("network.prior.") and ".outs." not in name}
    assert kept and not changed & kept
    assert any(".outs." in name for name in changed)
    assert any(name.startswith("unet.") for name in changed)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[run]\ndata = 'x'\noutput = 'y'\n", "one of them"),
        ("[run]\ndata = 'x'\noutput = 'y'\n[regressor]\nzoom_low = 2.0\n", "zoom_low"),
        ("[run]\nspeed = 3\ndata = 'x'\noutput = 'y'\n[autoencoder]\n", "speed"),
        ("[run\n", "not TOML"),
        (NETWORK_HEAD + "noises = 0\n", "noises must be at least 1"),
        (NETWORK_HEAD + "human_params = 'l3'\n", "human_params must be"),
        (NETWORK_HEAD + "drop_all = 2.0\n", "drop_all must be in"),
        (NETWORK_HEAD + "trained = 'half'\n", "trained must be"),
        (NETWORK_HEAD + "trained = 'keys_values'\n", "there is no start"),
        (NETWORK_HEAD + "[base]\nmodel = 'nowhere'\n", "there is nothing at nowhere"),
        (BASE_HEAD + "[prior_head]\nprepared = 'p'\n", "goes with [network]"),
        (BASE_HEAD + NETWORK_HEAD[NETWORK_HEAD.index("[network]") :], "two autoencoders"),
        ("[run]\ndata = 'x'\noutput = 'y'\nsteps = 0\n[autoencoder]\n", "at least 1"),
        ("[run]\ndata = 'x'\noutput = 'y'\nprecision = 'fp8'\n[autoencoder]\n", "precision must"),
        ("[run]\ndata = 'x'\noutput = 'y'\nlog_with = ['mlflow']\n[lifter]\n", "log_with has"),
    ],
)
def test_a_bad_run_is_a_sentence(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    assert main(["--config", str(path)]) == 2
    assert words in capsys.readouterr().err


def lifter_run(poses: Path, path: Path, extra: str, **values: object) -> Path:
    """Run a small lifter with some more lines under [run]; return its output folder."""
    template = LIFTER_RUN.replace("[lifter]", extra + "\n[lifter]")
    values = {"data": poses, "output": path / "run", "steps": 4} | values
    return run(template, path / "run.toml", **values).parent


def test_parts_of_a_batch_give_the_gradient_of_the_whole(poses: Path, tmp_path: Path):
    outputs = [
        lifter_run(poses, tmp_path, extra, output=tmp_path / name, steps=6)
        for name, extra in (("one", ""), ("two", "accumulation = 2"))
    ]
    one, two = (
        load_file(output / "checkpoints" / "step-0000006" / "weights.safetensors")
        for output in outputs
    )
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=1e-5)


def run_lowered(precision: str, template: str, path: Path, **values: object) -> Path:
    """Run in another precision than accelerate remembers of the runs before."""
    AcceleratorState._reset_state(reset_partial_state=True)
    try:
        return run(template.replace('"no"', f'"{precision}"'), path, **values)
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_lower_precision_trains_nearly_the_same(
    shards: Path, autoencoder: Path, tmp_path: Path, precision: str
):
    """Its first loss is off by the rounding of 8 or 11 bits; weights stay float32."""
    values = {"data": shards, "output": tmp_path / "run", "steps": 2}
    bundle = run_lowered(precision, AUTOENCODER, tmp_path / "r.toml", **values)
    found, wanted = (
        json.loads((path.parent / "log.jsonl").read_text().splitlines()[0])["loss"]
        for path in (bundle, autoencoder)
    )
    assert found != wanted and found == pytest.approx(wanted, rel=2e-2)
    weights = load_file(tmp_path / "run" / "checkpoints" / "step-0000002" / "weights.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}


def test_a_step_that_the_scaler_of_fp16_skips_is_no_failure(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    large = functools.partial(torch.amp.GradScaler, init_scale=2.0**60)
    monkeypatch.setattr("torch.amp.GradScaler", large)
    template = AUTOENCODER.replace("save_every = 2", "save_every = 1")
    values = {"data": shards, "output": tmp_path / "run", "steps": 2}
    run_lowered("fp16", template, tmp_path / "r.toml", **values)
    first, last = (tmp_path / "run" / "checkpoints" / f"step-000000{step}" for step in (1, 2))
    assert json.loads((last / "state.json").read_text())["scaler"]["scale"] == 2.0**58
    name = "weights.safetensors"
    assert (first / name).read_bytes() == (last / name).read_bytes()
    assert not (tmp_path / "run" / "not_finite").exists()


def test_a_run_stops_at_the_first_loss_that_is_not_finite(
    poses: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path, output = tmp_path / "run.toml", tmp_path / "run"
    extra = "learning_rate = 1e30\n"
    template = LIFTER_RUN.replace("save_every = 2", "save_every = 1\n" + extra)
    path.write_text(template.format(data=poses, output=output, steps=8))
    assert main(["--config", str(path)]) == 2
    said = capsys.readouterr().err.splitlines()[-3:]
    assert "of step 2 is" in said[0] and said[1].startswith("Expected")
    assert [found.name for found in (output / "checkpoints").iterdir()] == ["step-0000001"]
    (kept,) = (output / "not_finite").iterdir()
    assert load_file(kept)["places"].shape[0] == 4
    assert not (output / "bundle.safetensors").exists()


def test_the_best_by_held_out_samples_is_kept_and_exported(poses: Path, tmp_path: Path):
    output = lifter_run(poses, tmp_path, "held_out = 3\nkeep_checkpoints = 1\nexport_every = 3")
    log = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    losses = {entry["step"]: entry["validation"] for entry in log if "validation" in entry}
    assert losses.keys() == {2, 4}
    best = min(losses, key=lambda step: losses[step])
    kept = {path.name for path in (output / "checkpoints").iterdir()}
    assert kept == {f"step-{best:07d}", "step-0000004"}
    assert LIFTER.load(output / "best.safetensors")[1]["steps"] == best


def test_the_average_is_exported_by_the_clock(
    poses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    minutes, exports, export = itertools.count(), [], Trainer.export

    def exported(trainer: Trainer, name: str) -> None:
        export(trainer, name)
        exports.append(LIFTER.load(tmp_path / "run" / f"{name}.safetensors")[1]["steps"])

    monkeypatch.setattr("training.trainer.monotonic", lambda: 60.0 * next(minutes))
    monkeypatch.setattr(Trainer, "export", exported)
    lifter_run(poses, tmp_path, "export_minutes = 2", steps=5)
    assert exports == [2, 4, 5]


def test_more_held_out_than_there_is_is_refused(
    poses: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "run.toml"
    text = LIFTER_RUN.replace("[lifter]", "held_out = 19\n[lifter]")
    path.write_text(text.format(data=poses, output=tmp_path / "run", steps=1))
    assert main(["--config", str(path)]) == 2
    assert "there are 19 samples" in capsys.readouterr().err


@pytest.mark.slow
def test_checkpointed_activations_give_the_same_gradient(
    shards: Path, autoencoder: Path, tmp_path: Path
):
    values = {"data": shards, "autoencoder": autoencoder, "prepared": tmp_path / "prepared"}
    values |= {"task": "network", "stage": "", "steps": 2}
    found = []
    for name, extra in (("plain", ""), ("checkpointed", "gradient_checkpointing = true\n")):
        lines = f'optimizer = "sgd"\n{extra}\n[{{task}}]'
        output = tmp_path / name
        run(NETWORK.replace("[{task}]", lines), tmp_path / f"{name}.toml", output=output, **values)
        found.append(load_file(output / "checkpoints" / "step-0000002" / "weights.safetensors"))
    for name, tensor in found[0].items():
        torch.testing.assert_close(found[1][name], tensor, rtol=0, atol=1e-5)
