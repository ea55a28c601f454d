import shutil

import pytest

from posexfer_core.errors import ConfigError
from training.data.mixture import Mixture, write_mixture
from training.data.prepared import prepared_names
from training.data.shards import ShardDataset


@pytest.fixture
def mixed(shards, tmp_path):
    """Two folders of shards: six pairs, and three."""
    for name, number in (("a", 0), ("a", 1), ("b", 0)):
        (tmp_path / name).mkdir(exist_ok=True)
        file = f"shard-{number:06d}.safetensors"
        shutil.copy(shards / file, tmp_path / name / file)
    return tmp_path


def test_scarce_pairs_come_more_often_and_none_is_lost(mixed):
    write_mixture(mixed, {"a": 1.0, "b": 2.0})
    data = ShardDataset(mixed)
    mixture = Mixture(data)
    pairs = mixture.of(list(range(len(mixture))))
    assert len(data) == 9 and len(mixture) == 6 + 12
    assert sorted(set(pairs)) == list(range(9))
    assert sum(pair >= 6 for pair in pairs) == 12  # b's three pairs, four times each


def test_without_weights_every_pair_comes_once(mixed):
    assert len(Mixture(ShardDataset(mixed))) == 9


def test_weights_of_other_folders_are_refused(mixed):
    write_mixture(mixed, {"a": 1.0, "c": 2.0})
    with pytest.raises(ConfigError, match="has weights of a, c, and the shards are of a, b"):
        Mixture(ShardDataset(mixed))


def test_prepared_files_of_two_folders_do_not_collide(mixed, shards):
    assert prepared_names(ShardDataset(mixed)) == [
        "a-prepared-000000.safetensors",
        "a-prepared-000001.safetensors",
        "b-prepared-000000.safetensors",
    ]
    assert prepared_names(ShardDataset(shards))[0] == "prepared-000000.safetensors"
