import copy
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from training.data.shards import ShardDataset, ShardError, image_of, read_header, write_shard


def rows(count: int, first: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(first)
    floats = {
        "source_pose": (24, 3),
        "target_pose": (24, 3),
        "betas": (10,),
        "source_transl": (3,),
        "target_transl": (3,),
    }
    tensors = {
        name: torch.randn(count, *shape, generator=generator) for name, shape in floats.items()
    }
    for name in ("source", "target"):
        tensors[name] = torch.randint(256, (count, 8, 6, 3), dtype=torch.uint8, generator=generator)
    tensors["intrinsics"] = torch.eye(3).repeat(count, 1, 1)
    tensors["index"] = torch.arange(first, first + count)
    return tensors


@pytest.fixture
def folder(tmp_path):
    about = {"beta_space": "posexfer", "seed": 1}
    write_shard(tmp_path / "shard-000000.safetensors", rows(3), about)
    write_shard(tmp_path / "shard-000001.safetensors", rows(2, first=3), about)
    return tmp_path


def test_pairs_run_on_over_shards(folder):
    data = ShardDataset(folder)
    assert len(data) == 5
    assert data.starts == [0, 3, 5]
    assert data.locate(2) == (0, 2)
    assert data.locate(3) == (1, 0)
    assert [data.pair(index).index for index in range(5)] == [0, 1, 2, 3, 4]


def test_a_pair_is_what_was_written(folder):
    pair, written = ShardDataset(folder).pair(4), rows(2, first=3)
    assert torch.equal(pair.source_image, image_of(written["source"][1]))
    assert torch.equal(pair.target_image, image_of(written["target"][1]))
    assert torch.equal(pair.source.pose[0, 0], written["source_pose"][1])
    assert torch.equal(pair.target.transl[0, 0], written["target_transl"][1])
    assert torch.equal(pair.source.betas, pair.target.betas)
    assert pair.target.image_size == (8, 6)
    assert pair.source.beta_space == "posexfer"


def test_bytes_become_minus_one_to_one_channels_first():
    stored = torch.zeros(2, 4, 3, dtype=torch.uint8)
    stored[1, 3, 2] = 255
    image = image_of(stored)
    assert image.shape == (3, 2, 4)
    assert image[2, 1, 3] == 1.0
    assert image[0, 0, 0] == -1.0


def test_a_dataset_travels_to_another_process(folder):
    data = ShardDataset(folder)
    before = data.source_bytes(1)
    again = pickle.loads(pickle.dumps(data))
    assert torch.equal(again.source_bytes(1), before)
    assert torch.equal(copy.deepcopy(data).target_bytes(4), data.target_bytes(4))


def test_there_is_no_pair_beyond_the_last(folder):
    with pytest.raises(IndexError, match="holds 5"):
        ShardDataset(folder).pair(5)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ShardError, match=r"is not a folder.*make_synthetic"):
        ShardDataset(tmp_path / "nowhere")


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(ShardError, match="holds no shard"):
        ShardDataset(tmp_path)


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_shard_is_named(folder, kept):
    path = folder / "shard-000001.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(ShardError, match=r"shard-000001.*cut short"):
        ShardDataset(folder)


def test_a_safetensors_file_of_something_else_is_named(tmp_path):
    path = tmp_path / "shard-000000.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(ShardError, match=r"expected 'posexfer\.pairs'"):
        ShardDataset(tmp_path)


def test_nothing_is_left_behind_but_the_shard(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "shard-000000.safetensors",
        "shard-000001.safetensors",
    ]


def test_the_header_says_how_the_shard_was_made(folder):
    header = read_header(folder / "shard-000001.safetensors")
    assert (header["pairs"], header["seed"], header["version"]) == (2, 1, 1)


def test_reading_one_row_costs_no_whole_shard(folder):
    data = ShardDataset(folder)
    assert np.prod(data.source_bytes(0).shape) == data.source_bytes(0).untyped_storage().nbytes()
