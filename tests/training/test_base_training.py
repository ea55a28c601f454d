"""The whole way over a small random base, by commands: DeepFashion, prepare, train, export."""

from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from posexfer_core.body.model import BodyModel
from posexfer_core.cli import main as posexfer
from posexfer_core.diffusion.base_files import BaseFiles
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.network.model import PoseTransferNetwork
from posexfer_core.network.weights import Bundle, load_bundle, save_bundle
from tests.posexfer_core.diffusion.toys import standing
from tests.small_bases import write_sd15, write_sdxl
from tests.small_shapes import SD15_SHAPED, SDXL_SHAPED
from tests.training.adapter_run import train_adapter
from tests.training.miniature import picture_of

pytestmark = pytest.mark.slow
FAMILIES = {"sd15": (write_sd15, SD15_SHAPED), "sdxl": (write_sdxl, SDXL_SHAPED)}


class Trained(NamedTuple):
    """What a run over a base came to."""

    family: str
    base: Path
    file: Path


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of both families: they are cut once."""
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="module", params=FAMILIES)
def trained(request, deepfashion, samples, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder, family = tmp_path_factory.mktemp(request.param), request.param
    base = FAMILIES[family][0](folder / "base")
    file = train_adapter(folder, deepfashion[0], base, family, samples=samples)
    return Trained(family, base, file)


def test_an_adapter_is_trained_exported_and_drawn(trained: Trained, body: BodyModel):
    exported, run = load_bundle(trained.file), trained.file.parent
    config, shape = exported.network.config, FAMILIES[trained.family][1]
    assert exported.header.format == "posexfer-adapter" and exported.unet_state is None
    assert config.unet.block_out_channels == shape.block_out_channels
    assert config.clip_width == 32 and config.encoder == "clip"
    assert exported.header.recipe["steps"] == 20 and exported.header.recipe["pairs"] == 2
    assert any(name.endswith(".out.weight") and bool(p.any()) for name, p in learned(exported))
    assert "posexfer-adapter" in trained.file.with_suffix(".md").read_text()
    at_the_end = load_file(run / "bundle.safetensors")
    for name, tensor in load_file(trained.file).items():
        assert torch.equal(tensor, at_the_end[name]), name

    drawn = [
        draw(PoseTransferPipeline.from_base(BaseFiles(model=trained.base), file), body)
        for file in (trained.file, untrained(run, exported))
    ]
    assert torch.isfinite(drawn[0]).all()
    assert float((drawn[0] - drawn[1]).abs().mean()) > 1e-4, "what was learned is heard"


def test_the_command_line_draws_from_it(trained: Trained, deepfashion, tmp_path: Path):
    root, names = deepfashion
    source, target = names[2][0], names[1][0]
    command = ["transfer", str(picture_of(root, source)), "--out", str(tmp_path / "out.png")]
    for name, value in {
        "method": "network",
        "weights": trained.file,
        "base": trained.base,
        "source-params": root / "bodies" / f"{Path(source).stem}.npz",
        "target": root / "bodies" / f"{Path(target).stem}.npz",
        "size": "128x88",
        "steps": 2,
    }.items():
        command += [f"--{name}", str(value)]
    assert posexfer(command) == 0
    with Image.open(tmp_path / "out.png") as drawn:
        assert drawn.size == (88, 128) and len(drawn.getcolors(128 * 88) or []) > 100


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
