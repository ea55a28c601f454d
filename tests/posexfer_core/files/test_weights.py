import json
from dataclasses import dataclass

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from posexfer_core.errors import CheckpointError, OutputError
from posexfer_core.files.weights import (
    SingleNetworkFile,
    add_to_recipe,
    open_tensors,
    read_header,
    read_weights,
    write_weights,
)


@dataclass(frozen=True, kw_only=True)
class ToyConfig:
    width: int = 2


class Toy(nn.Module):
    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.config = config
        self.layer = nn.Linear(config.width, 3)


KIND = SingleNetworkFile(part="toy", holds="a toy", config=ToyConfig, network=Toy)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "toy.safetensors"


def rewrite(path, tensors=None, **metadata):
    """Write the file again with other tensors or other entries in its header."""
    with open_tensors(path) as file:
        old = file.metadata()
    save_file(load_file(path) if tensors is None else tensors, path, old | metadata)


def test_a_network_comes_back_in_half_precision_with_its_settings_and_recipe(path):
    network = Toy(ToyConfig(width=4)).train()
    KIND.save(path, network, recipe={"seed": 3})
    loaded, recipe = KIND.load(path)
    assert loaded.config == network.config and recipe == {"seed": 3} and not loaded.training
    assert torch.equal(loaded.layer.weight, network.layer.weight.half().float())
    header = read_header(path)
    assert (header.format, header.version, header.config) == (
        "posexfer-toy",
        "2",
        {"toy": {"width": 4}},
    )


def test_parts_keep_their_own_tensors_and_settings(path):
    parts = {"a": ({"x": 1}, {"w": torch.ones(2)}), "b": ({}, {"w.v": torch.arange(3)})}
    write_weights(path, "posexfer-two", parts, recipe=None, dtype=None)
    header, found = read_weights(path, ["posexfer-two"], holds="two")
    assert header.config == {"a": {"x": 1}, "b": {}}
    assert torch.equal(found["a"]["w"], torch.ones(2))
    assert found["b"]["w.v"].dtype == torch.int64


def test_scores_are_added_and_everything_else_stays(path):
    KIND.save(path, Toy(ToyConfig()), recipe={"seed": 3})
    before = load_file(path)
    add_to_recipe(path, scores={"mm": 7.0})
    assert read_header(path).recipe == {"seed": 3, "scores": {"mm": 7.0}}
    assert all(torch.equal(tensor, before[name]) for name, tensor in load_file(path).items())


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"format": "other"}, "does not hold a toy: format='other'.*'posexfer-toy'"),
        ({"version": "99"}, "layout version '99', this program reads '1' and '2'"),
        ({"config": "{"}, "header of toy.safetensors is damaged"),
        ({"config": "[]"}, "header of toy.safetensors is damaged"),
        ({"config": '{"toy": 3}'}, "header of toy.safetensors is damaged"),
        ({"recipe": "none"}, "header of toy.safetensors is damaged"),
        ({"config": '{"toy": {"size": 1}}'}, "config that cannot be used: ToyConfig has no"),
        ({"config": '{"toy": {"width": 3}}'}, "does not fit its own header"),
        ({"config": "{}"}, r"holds tensors of \['toy'\], its header tells of \[\]"),
    ],
)
def test_a_header_that_does_not_fit_is_a_sentence(path, metadata, words):
    KIND.save(path, Toy(ToyConfig()))
    rewrite(path, **metadata)
    with pytest.raises(CheckpointError, match=words):
        KIND.load(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"toy.layer.bias": None}, "layer.bias"),
        ({"toy.layer.bias": torch.zeros(5)}, "layer.bias"),
        ({"toy.layer.extra": torch.zeros(1)}, "layer.extra"),
        ({"toy.layer.bias": torch.full((3,), torch.nan)}, "layer.bias holds numbers that are NaN"),
        ({"stray": torch.zeros(1)}, "stray tensor 'stray'"),
        ({"other.weight": torch.zeros(1)}, "'other'"),
    ],
)
def test_tensors_that_do_not_fit_are_named(path, changes, words):
    KIND.save(path, Toy(ToyConfig()))
    tensors = load_file(path) | changes
    rewrite(path, {name: tensor for name, tensor in tensors.items() if tensor is not None})
    with pytest.raises(CheckpointError, match=words):
        KIND.load(path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_a_truncated_file_is_told(path, share):
    KIND.save(path, Toy(ToyConfig()))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    for read in (KIND.load, read_header):
        with pytest.raises(CheckpointError, match="cannot be read"):
            read(path)


def test_other_files_missing_files_and_folders_are_told(tmp_path, path):
    save_file({"lora.weight": torch.ones(1)}, path)
    with pytest.raises(CheckpointError, match="does not hold weights of posexfer"):
        read_header(path)
    path.write_text("not weights at all")
    with pytest.raises(CheckpointError, match="cannot be read"):
        KIND.load(path)
    with pytest.raises(CheckpointError, match=r"gone\.safetensors.*no such file"):
        KIND.load(tmp_path / "gone.safetensors")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_header(tmp_path)


def test_weights_too_large_for_half_precision_are_not_written(path):
    network = Toy(ToyConfig())
    network.layer.bias.data[0] = 1e6
    with pytest.raises(CheckpointError, match=r"toy\.layer\.bias is not finite"):
        KIND.save(path, network)
    assert not path.exists()


def test_a_place_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "folder.safetensors").mkdir()
    for place in (tmp_path / "missing" / "x.safetensors", tmp_path / "folder.safetensors"):
        with pytest.raises(OutputError, match="cannot be written"):
            KIND.save(place, Toy(ToyConfig()))
    assert [one.name for one in tmp_path.iterdir()] == ["folder.safetensors"]


def test_settings_of_version_1_need_no_name_where_there_is_one_part(path):
    tensors = {f"lifter.{name}": value for name, value in Toy(ToyConfig()).state_dict().items()}
    metadata = {"format": "posexfer-lifter", "version": "1", "recipe": "{}"}
    save_file(tensors, path, metadata | {"config": json.dumps({"width": 2})})
    kind = SingleNetworkFile(part="lifter", holds="a toy", config=ToyConfig, network=Toy)
    assert kind.load(path)[0].config == ToyConfig()
