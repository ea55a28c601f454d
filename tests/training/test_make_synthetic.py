import numpy as np
import pytest
import torch
from PIL import Image

from posexfer_core.errors import ConfigError
from training.data.shards import ShardDataset, ShardError, read_header
from training.make_synthetic import ClothedPairs, main, make_shards


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    make_shards(folder, count=5, seed=3, shard_size=2)
    return folder


def test_shards_hold_what_was_asked_for(folder):
    data = ShardDataset(folder)
    assert data.starts == [0, 2, 4, 5]
    assert [data.pair(index).index for index in range(5)] == [0, 1, 2, 3, 4]


@pytest.mark.slow
def test_pairs_do_not_depend_on_sharding_or_workers(folder, tmp_path):
    make_shards(tmp_path, count=3, seed=3, shard_size=3, workers=2)
    one, two = ShardDataset(folder), ShardDataset(tmp_path)
    for index in range(3):
        assert torch.equal(one.source_bytes(index), two.source_bytes(index))
        assert torch.equal(one.pair(index).target.pose, two.pair(index).target.pose)


def test_a_run_may_start_at_a_later_shard(folder, tmp_path):
    make_shards(tmp_path, count=2, seed=3, start=2, shard_size=2)
    assert [path.name for path in tmp_path.iterdir()] == ["shard-000001.safetensors"]
    assert torch.equal(ShardDataset(tmp_path).source_bytes(0), ShardDataset(folder).source_bytes(2))


def test_what_is_there_is_kept_and_what_is_missing_or_damaged_is_made(tmp_path):
    make_shards(tmp_path, count=3, seed=3, shard_size=1)
    whole, damaged, missing = sorted(tmp_path.iterdir())
    before, content = whole.stat().st_mtime_ns, damaged.read_bytes()
    damaged.write_bytes(content[:1000])
    missing.unlink()
    make_shards(tmp_path, count=3, seed=3, shard_size=1)
    assert whole.stat().st_mtime_ns == before
    assert damaged.read_bytes() == content
    assert read_header(missing)["first"] == 2


def test_pairs_of_another_seed_are_not_mixed_in(folder):
    with pytest.raises(ShardError, match="seed=3, expected 4"):
        make_shards(folder, count=5, seed=4, shard_size=2)


def test_a_start_between_shards_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="multiple of the shard size"):
        make_shards(tmp_path, count=1, seed=0, start=3, shard_size=2)


def test_the_command_draws_a_contact_sheet(tmp_path, capfd):
    sheet = tmp_path / "sheet.png"
    out = str(tmp_path / "pairs")
    command = ["--out", out, "--count", "2", "--seed", "5", "--workers", "1"]
    assert main([*command, "--preview", str(sheet)]) == 0
    image = np.asarray(Image.open(sheet))
    assert image.shape == (256, 2 * (2 * 176 + 6), 3)
    assert np.array_equal(image[:, :176], ShardDataset(tmp_path / "pairs").source_bytes(0))


def test_bad_numbers_are_a_sentence_and_exit_code_2(tmp_path, capsys):
    assert main(["--out", str(tmp_path), "--count", "0", "--seed", "5"]) == 2
    assert "count=0" in capsys.readouterr().err


def test_clothed_people_come_with_masks(tmp_path, folder):
    make_shards(tmp_path, maker=ClothedPairs(scale=2), count=1, seed=3)
    data = ShardDataset(tmp_path)
    mask, image = data.coverage(0, "target"), data.target_bytes(0)
    assert mask.shape == image.shape[:2] == (512, 352)
    assert 0.03 < (mask > 127).float().mean() < 0.8
    assert data.headers[0]["generator"] == 4
    with pytest.raises(ShardError, match="--people clothed"):
        ShardDataset(folder).coverage(0, "source")
    with pytest.raises(ShardError, match="picture_size"):
        make_shards(tmp_path, maker=ClothedPairs(), count=1, seed=3)


def test_a_scale_of_nothing_is_refused(tmp_path, capsys):
    arguments = ["--out", str(tmp_path), "--count", "1", "--seed", "1", "--people", "clothed"]
    assert main([*arguments, "--scale", "0"]) == 2
    assert "scale=0" in capsys.readouterr().err
