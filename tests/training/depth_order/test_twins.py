import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from posexfer_core.body.joints import PARENT_INDEX
from posexfer_core.body.view import BodyView
from posexfer_core.geometry.camera import project_perspective
from training.depth_order.files import (
    FORMAT,
    TEST_SEED,
    VERSION,
    TwinsError,
    read_twins,
    row_of,
    the_body,
)
from training.depth_order.overlaps import SUBSETS, find_overlaps, subset_of
from training.depth_order.twins import LEAST_CONTRAST, LEAST_PX, make_twin


@pytest.fixture(scope="module")
def views(twins):
    return [[BodyView.of(row.params(name), the_body()) for name in ("a", "b")] for row in twins]


def test_twins_have_the_same_2d_joints_and_bones_and_other_depths(views):
    for a, b in views:
        pixels = [project_perspective(view.joints, view.intrinsics) for view in (a, b)]
        assert (pixels[0] - pixels[1]).abs().max() < 0.05
        bones = [
            (view.joints[0, 1:] - view.joints[0, PARENT_INDEX[1:]]).norm(dim=-1) for view in (a, b)
        ]
        torch.testing.assert_close(bones[0], bones[1], atol=1e-4, rtol=0)
        assert (a.joints[..., 2] - b.joints[..., 2]).abs().max() > 0.1


def test_order_changes_where_the_truths_differ_in_colour(twins, views):
    for row, (a, b) in zip(twins, views, strict=True):
        changed = row.overlaps.changed
        if row.subset == SUBSETS[-1]:
            assert not changed.any()
            continue
        assert row.subset in {subset_of(pair) for pair in row.pairs}
        assert int(changed.sum()) >= LEAST_PX
        assert (find_overlaps(a, b).changed | ~changed).float().mean() > 0.999
        apart = (row.images["a"] - row.images["b"]).norm(dim=0)
        assert apart[changed].min() > LEAST_CONTRAST - 0.01


def test_a_twin_is_the_same_whoever_makes_it(twins):
    made = row_of(make_twin(TEST_SEED, SUBSETS[-1], 0, the_body()))
    frozen = twins[-1].arrays
    for name in ("source_pose", "a_pose", "b_pose", "betas", "target_transl"):
        torch.testing.assert_close(made[name], frozen[name], atol=1e-4, rtol=0)
    levels = np.abs(made["a"].numpy().astype(int) - frozen["a"].numpy().astype(int))
    assert levels.mean() < 0.1


def test_a_twin_keeps_its_number_however_many_there_are(twins, tmp_path):
    for number in (0, 2):
        rows = {name: torch.stack([values] * 3) for name, values in twins[number].arrays.items()}
        about = {"format": FORMAT, "version": VERSION, "seed": 1, "subset": SUBSETS[number]}
        path = tmp_path / f"twins-{number}-0000.safetensors"
        save_file(rows, path, metadata={"header": json.dumps(about)})
    found = [[row.number for row in read_twins(tmp_path, each=each)] for each in (1, 3)]
    assert found == [[0, 20_000], [0, 1, 2, 20_000, 20_001, 20_002]]


def test_folders_without_twins_and_damaged_files_are_refused(tmp_path):
    with pytest.raises(TwinsError, match=r"training\.depth_order"):
        list(read_twins(tmp_path))
    (tmp_path / "twins-0-0000.safetensors").write_bytes(b"nothing")
    with pytest.raises(TwinsError, match="Remove it"):
        list(read_twins(tmp_path))
