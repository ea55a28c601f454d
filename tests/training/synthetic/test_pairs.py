import numpy as np
import pytest
import torch

from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from training.synthetic.pairs import IMAGE_SIZE, make_pair


@pytest.fixture(scope="module")
def pairs(body):
    return [make_pair(11, index, body) for index in range(6)]


def view(row, role, body):
    params = HumanParams.single(
        pose=torch.from_numpy(row[f"{role}_pose"]),
        betas=torch.from_numpy(row["betas"]),
        transl=torch.from_numpy(row[f"{role}_transl"]),
        intrinsics=torch.from_numpy(row["intrinsics"]),
        image_size=IMAGE_SIZE,
    )
    return BodyView.of(params, body)


def test_a_pair_depends_on_seed_and_index_alone(pairs, body):
    again = make_pair(11, 4, body)
    assert all(np.array_equal(again[name], pairs[4][name]) for name in again)
    other = make_pair(12, 4, body)
    assert not np.array_equal(other["source"], again["source"])


def test_images_are_bytes_of_the_promised_size(pairs):
    for row in pairs:
        assert row["source"].shape == row["target"].shape == (*IMAGE_SIZE, 3)
        assert row["source"].dtype == np.uint8


def test_the_person_stands_where_the_parameters_say(pairs, body):
    for row in pairs:
        covered = view(row, "source", body).visibility.mask[0].numpy()
        assert 0.03 < covered.mean() < 0.7
        other = view(row, "target", body).visibility.mask[0].numpy()
        only_source, neither = covered & ~other, ~covered & ~other
        change = np.abs(row["source"].astype(float) - row["target"].astype(float)).sum(-1)
        if only_source.sum() > 200:
            assert np.median(change[only_source]) > np.median(change[neither])


def test_the_background_is_the_same_in_both_images(pairs):
    for row in pairs:
        rows = slice(0, 4)
        same = (row["source"][rows] == row["target"][rows]).all(-1)
        assert same.mean() > 0.5


def test_bodies_stand_before_the_camera_and_in_the_image(pairs, body):
    for row in pairs:
        for role in ("source", "target"):
            shown = view(row, role, body)
            assert shown.vertices[..., 2].min() > 0.3
            chest = shown.joints[0, 9]
            pixel = torch.from_numpy(row["intrinsics"]) @ chest
            u, v = (pixel[:2] / pixel[2]).tolist()
            assert 0 < u < IMAGE_SIZE[1]
            assert 0 < v < IMAGE_SIZE[0]


def test_betas_stay_within_their_limit(pairs):
    assert max(np.abs(row["betas"]).max() for row in pairs) <= 2.5
