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


def test_pairs_that_are_held_out_are_trained_on_by_no_source(mixed):
    """Of b's three pairs the last is held out: of its two left an epoch has six each."""
    write_mixture(mixed, {"a": 1.0, "b": 2.0})
    mixture = Mixture(ShardDataset(mixed), held_out=1)
    pairs = mixture.of(list(range(len(mixture))))
    assert pairs[-1] == 8 and 8 not in pairs[:-1]
    assert [pairs.count(pair) for pair in range(9)] == [1] * 6 + [6, 6, 1]


def test_a_source_that_is_held_out_whole_is_refused_in_three_lines(mixed):
    write_mixture(mixed, {"a": 1.0, "b": 2.0})
    with pytest.raises(ConfigError, match=r"held_out is 3, the last of 9 .* none of b") as error:
        Mixture(ShardDataset(mixed), held_out=3)
    assert len(str(error.value).splitlines()) == 3


def test_without_weights_every_pair_comes_once(mixed):
    data = ShardDataset(mixed)
    for held_out in (0, 2, 20):
        assert Mixture(data, held_out).of(list(range(9))) == list(range(9))


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
