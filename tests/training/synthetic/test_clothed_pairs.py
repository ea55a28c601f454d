import numpy as np
import pytest

from training.synthetic.clothed_pairs import make_clothed_pair
from training.synthetic.pairs import IMAGE_SIZE
from training.synthetic.portrait import LABELS


@pytest.fixture(scope="module")
def pairs(body):
    return [make_clothed_pair(5, index, body) for index in range(4)]


def test_a_pair_depends_on_seed_and_index_alone(pairs, body):
    again = make_clothed_pair(5, 3, body)
    assert all(np.array_equal(again.row[name], pairs[3].row[name]) for name in again.row)
    other = make_clothed_pair(6, 3, body)
    assert not np.array_equal(other.row["source"], again.row["source"])


def test_a_pair_is_the_same_at_every_scale(pairs, body):
    large = make_clothed_pair(5, 1, body, scale=2)
    small = pairs[1]
    assert large.source.image.shape == (2 * IMAGE_SIZE[0], 2 * IMAGE_SIZE[1], 3)
    assert np.array_equal(large.row["target_pose"], small.row["target_pose"])
    assert np.array_equal(large.row["target_transl"], small.row["target_transl"])
    shrunk = large.source.coverage.reshape(IMAGE_SIZE[0], 2, IMAGE_SIZE[1], 2).mean((1, 3))
    assert np.abs(shrunk - small.source.coverage).mean() < 2.0


def test_masks_belong_to_the_images(pairs):
    for pair in pairs:
        for role, shown in (("source", pair.source), ("target", pair.target)):
            assert np.array_equal(pair.row[role], shown.image)
            assert np.array_equal(pair.row[f"{role}_coverage"], shown.coverage)
            covered = shown.coverage > 0
            assert 0.03 < covered.mean() < 0.8
            assert np.array_equal(covered, shown.labels > 0)
            assert np.array_equal(covered, np.isfinite(shown.depth))
            assert (shown.depth[covered] > 0.3).all()


def test_labels_say_what_hangs(pairs):
    for pair in pairs:
        seen = {LABELS[label] for label in np.unique(pair.source.labels)}
        assert seen - {"background", "body"} <= pair.kinds
    assert set().union(*(pair.kinds for pair in pairs)) >= {"hair"}
