"""Training over a base, end to end on a small random one: prepare, train, export, draw."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from posexfer_core.body.model import BodyModel
from posexfer_core.diffusion.base_files import BaseFiles
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.network.model import PoseTransferNetwork
from posexfer_core.network.weights import Bundle, load_bundle, save_bundle
from tests.posexfer_core.diffusion.toys import standing
from tests.small_bases import write_sd15
from training.export import main as export
from training.preprocess import main as prepare
from training.train import main as train

RUN = """
[run]
data = "{data}"
output = "{output}"
steps = {steps}
batch_size = 2
learning_rate = 3e-3
warmup_steps = 1
decay_steps = 1
save_every = 100
sample_every = 100
log_every = 1
precision = "no"
gradient_checkpointing = {checkpointed}

[base]
model = "{base}"

[network]
prepared = "{prepared}"
noises = 1

[model]
points = 16
token_width = 24
control_heads = 2
control_blocks = 1
prior_widths = [8, 8, 16, 16]
prior_blocks = 1
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sd15(tmp_path_factory.mktemp("sd15") / "base")


@pytest.fixture(scope="module")
def trained(shards: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 20 steps over the base, with checkpointed activations."""
    folder = tmp_path_factory.mktemp("run")
    toml = write_run(folder, shards, base, steps=20, checkpointed=True)
    assert prepare(["--config", str(toml), "--workers", "1"]) == 0
    assert train(["--config", str(toml)]) == 0
    return folder


def write_run(
    folder: Path, data: Path, base: Path, *, steps: int, checkpointed: bool = False
) -> Path:
    path = folder / "run.toml"
    output, prepared = folder / "run", folder / "prepared"
    values = {"data": data, "base": base, "output": output, "prepared": prepared}
    path.write_text(RUN.format(**values, steps=steps, checkpointed=str(checkpointed).lower()))
    return path


@pytest.mark.slow
def test_an_adapter_is_trained_exported_and_drawn(trained: Path, base: Path, body):
    assert export([str(trained / "run")]) == 0
    exported = load_bundle(trained / "run" / "export.safetensors")
    assert exported.header.format == "posexfer-adapter" and exported.unet_state is None
    assert exported.network.config.unet.block_out_channels == (32, 64, 128, 128)
    assert exported.network.config.clip_width == 32 and exported.network.config.encoder == "clip"
    assert exported.header.recipe["steps"] == 20
    assert any(name.endswith(".out.weight") and bool(p.any()) for name, p in learned(exported))
    assert "posexfer-adapter" in (trained / "run" / "export.md").read_text()
    at_the_end = load_file(trained / "run" / "bundle.safetensors")
    for name, tensor in load_file(trained / "run" / "export.safetensors").items():
        assert torch.equal(tensor, at_the_end[name]), name

    drawn = [
        draw(PoseTransferPipeline.from_base(BaseFiles(model=base), file), body)
        for file in (trained / "run" / "export.safetensors", untrained(trained, exported))
    ]
    assert torch.isfinite(drawn[0]).all()
    assert float((drawn[0] - drawn[1]).abs().mean()) > 1e-4, "what was learned is heard"


def learned(bundle: Bundle) -> list[tuple[str, torch.nn.Parameter]]:
    return list(bundle.network.sites.named_parameters())


def untrained(folder: Path, like: Bundle) -> Path:
    """Write an adapter of the same sizes that adds nothing yet."""
    path = folder / "untrained.safetensors"
    save_bundle(path, PoseTransferNetwork(like.network.config))
    return path


def draw(pipeline: PoseTransferPipeline, body: BodyModel) -> torch.Tensor:
    pipeline.set_progress_bar_config(disable=True)
    image = torch.linspace(-1.0, 1.0, 64 * 40).reshape(1, 1, 64, 40).repeat(1, 3, 1, 1)
    drawn = pipeline(
        image,
        standing(body),
        standing(body, arm=1.0),
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(0),
        output_type="latent",
    ).images
    assert isinstance(drawn, torch.Tensor)
    return drawn
