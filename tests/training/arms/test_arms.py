import json
from pathlib import Path

import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.errors import ConfigError
from posexfer_core.network.condition import ConditionInputs
from training.arms.__main__ import main
from training.arms.catalogue import ARMS, MAIN, POSTER
from training.arms.network import ArmNetwork
from training.arms.pairs import SmallPairs, prepare_small, restored, stored, tell
from training.arms.task import load_arm
from training.data.shards import ShardDataset
from training.make_synthetic import ClothedPairs, make_shards


@pytest.fixture(scope="module")
def clothed(tmp_path_factory) -> Path:
    """Three pairs of clothed people."""
    folder = tmp_path_factory.mktemp("clothed")
    make_shards(folder, maker=ClothedPairs(), count=3, seed=3, shard_size=2)
    return folder


@pytest.fixture(scope="module")
def told(clothed) -> ConditionInputs:
    data = ShardDataset(clothed)
    pair, mask = data.pair(0), data.coverage(0, "source")[None] / 255.0
    return tell(pair.source_image, pair.source, pair.target, BodyModel.bundled(), mask)


def test_what_is_told_survives_being_bytes(told):
    back = restored({name: values[None] for name, values in stored(told).items()})
    assert back.maps.keys() == told.maps.keys()
    for name, values in told.maps.items():
        torch.testing.assert_close(back.maps[name], values, atol=0.007, rtol=0)
    torch.testing.assert_close(back.points, told.points, atol=2e-3, rtol=0)
    torch.testing.assert_close(back.points_canonical, told.points_canonical)
    assert back.body_vector is not None and told.body_vector is not None
    assert torch.equal(back.body_vector, told.body_vector)


@pytest.mark.parametrize("name", [*MAIN, *POSTER])
def test_depth_changes_the_image_of_arms_that_are_told_points(told, name):
    torch.manual_seed(0)
    model = ArmNetwork(ARMS[name].config, 0.0).eval()
    deeper = told.with_depth(-told.points[..., 2])
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_(std=0.1)
        first, second = model.draw(told), model.draw(deeper)
    assert first.shape == (1, 3, 64, 44)
    config = ARMS[name].config
    has_points = config.ablation.control_3d and config.pose_from == "points"
    assert torch.equal(first, second) != has_points


def test_every_arm_has_the_same_unet_and_the_plate():
    for name, arm in ARMS.items():
        assert "plate" in arm.config.ablation.map_groups, name
        assert arm.config.unet.block_out_channels == MAIN["points"].config.unet.block_out_channels


@pytest.mark.slow
def test_arms_are_trained_kept_and_loaded(clothed, tmp_path, told):
    arguments = ["--pairs", str(clothed), "--out", str(tmp_path), "--held-out", "1"]
    arguments += ["--arms", "points", "skeleton", "--steps", "2", "--batch", "2"]
    assert main(arguments) == 0
    bundle = tmp_path / "points-0" / "bundle.safetensors"
    before = bundle.stat().st_mtime_ns
    assert main(arguments) == 0 and bundle.stat().st_mtime_ns == before
    assert json.loads((tmp_path / "points-0" / "done.json").read_text())["steps"] == 2
    drawn = load_arm(bundle, ARMS["points"]).draw(told)
    assert drawn.isfinite().all()


def test_pairs_of_other_sizes_and_unknown_arms_are_refused(clothed, tmp_path, capsys):
    common = ["--pairs", str(clothed), "--out", str(tmp_path)]
    assert main([*common, "--arms", "points", "legs"]) == 2
    assert "legs" in capsys.readouterr().err
    assert main(common) == 2  # nothing but held-out pairs
    assert "held out" in capsys.readouterr().err
    (tmp_path / "small.json").write_text('{"version": 0}')
    with pytest.raises(ConfigError, match="version"):
        prepare_small(ShardDataset(clothed), tmp_path)


def test_small_pairs_are_read_in_any_order(clothed, tmp_path):
    data = ShardDataset(clothed)
    prepare_small(data, tmp_path)
    pairs = SmallPairs(data, tmp_path)
    batch = pairs.batch([2, 0])
    assert batch["truth"].shape == (2, 64, 44, 3) and batch["image"].shape == (2, 128, 88, 3)
    assert torch.equal(batch["vector"][1], pairs.batch([0])["vector"][0])
