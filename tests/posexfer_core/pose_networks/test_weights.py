import json

import pytest
import torch
from safetensors.torch import save_file

from posexfer_core.errors import CheckpointError, OutputError
from posexfer_core.files.weights import add_to_recipe, read_header
from posexfer_core.pose_networks.regressor_network import BodyRegressor, BodyRegressorConfig
from posexfer_core.pose_networks.weights import LIFTER, REGRESSOR

SMALL = BodyRegressorConfig(height=64, width=48, channels=(8, 8, 16), blocks=(1, 1, 1), hidden=32)


def small_network() -> BodyRegressor:
    torch.manual_seed(0)
    return BodyRegressor(SMALL).eval()


def test_a_network_comes_back_in_half_precision_with_its_recipe(tmp_path):
    path = tmp_path / "r.safetensors"
    REGRESSOR.save(path, small_network(), recipe={"seed": 3})
    add_to_recipe(path, scores={"regress alone": {"pa_mpjpe_mm": 70.0}})
    loaded, recipe = REGRESSOR.load(path)
    assert loaded.config == SMALL and not loaded.training
    assert recipe == {"seed": 3, "scores": {"regress alone": {"pa_mpjpe_mm": 70.0}}}
    for name, tensor in small_network().state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().float()), name


def damaged(path, **changes: str) -> None:
    """Write the small network again with another header."""
    metadata = {"format": "posexfer-regressor", "version": "1", "recipe": "{}"}
    metadata["config"] = json.dumps({"height": 64, "width": 48, "hidden": 32})
    tensors = {f"regressor.{k}": v for k, v in small_network().state_dict().items()}
    save_file(tensors, path, metadata | changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "does not fit its own header"),
        ({"format": "posexfer-bundle"}, "does not hold a regressor of bodies"),
        ({"version": "9"}, "layout version '9'"),
        ({"config": '{"colour": 3}'}, "config that cannot be used"),
        ({"config": '{"height": 7}'}, "config that cannot be used"),
        ({"recipe": "{"}, "header of r.safetensors is damaged"),
    ],
)
def test_other_files_get_a_sentence(tmp_path, changes, words):
    damaged(tmp_path / "r.safetensors", **changes)
    with pytest.raises(CheckpointError, match=words):
        REGRESSOR.load(tmp_path / "r.safetensors")


def test_cut_and_missing_files_get_a_sentence(tmp_path):
    path = tmp_path / "r.safetensors"
    REGRESSOR.save(path, small_network())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="cannot be read"):
        REGRESSOR.load(path)
    with pytest.raises(CheckpointError, match="no such file"):
        REGRESSOR.load(tmp_path / "none.safetensors")
    with pytest.raises(OutputError):
        REGRESSOR.save(tmp_path / "none" / "r.safetensors", small_network())


@pytest.mark.parametrize("kind", [REGRESSOR, LIFTER])
def test_the_weights_that_ship_are_of_version_1_and_load(kind):
    assert read_header(kind.bundled).version == "1"
    network, recipe = kind.load()
    assert not network.training and "scores" in recipe
