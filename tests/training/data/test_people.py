from pathlib import Path

import torch
from einops import rearrange

from posexfer_core.body.view import BodyView
from posexfer_core.geometry.camera import project_perspective
from training.data.people import load_people, shrink
from training.data.shards import ShardDataset
from training.tasks.regressor import targets


def test_blocks_are_averaged(generator):
    image = torch.tensor([[10, 20], [30, 41]], dtype=torch.uint8).expand(1, 3, 2, 2)
    assert shrink(image, (1, 1)).flatten().tolist() == [25, 25, 25]
    odd = torch.randint(256, (2, 3, 30, 20), generator=generator, dtype=torch.uint8)
    assert shrink(odd, (16, 8)).shape == (2, 3, 16, 8)


def test_people_are_those_of_the_pairs(shards: Path, body):
    data = ShardDataset(shards)
    people = load_people(data, (64, 48), body)
    assert len(people) == 12
    pair = data.pair(1)
    image = (people.images[4].float() / 127.5) - 1.0  # shard 0: three sources, three targets
    torch.testing.assert_close(image, pair.target_image)
    view = BodyView.of(pair.target, body)
    torch.testing.assert_close(people.joints[4], view.joints[0], rtol=0, atol=1e-5)


def test_targets_are_where_the_camera_sees_the_joints(shards: Path, body):
    data = ShardDataset(shards)
    people = load_people(data, (32, 24), body)
    params = data.pair(0).source
    view = BodyView.of(params, body)
    pixels = project_perspective(view.joints, params.intrinsics)[0]
    found = targets(people, torch.zeros(12, 2))
    ndc = 2.0 * pixels / torch.tensor([48.0, 64.0]) - 1.0
    torch.testing.assert_close(found["pixels"][0], ndc, rtol=0, atol=1e-4)
    per_metre = params.intrinsics[0, 1, 1] / view.joints[0, 0, 2]
    torch.testing.assert_close(found["log_scale"][0].exp() * 32.0, per_metre)
    assert rearrange(found["joints"], "people joints xyz -> people (joints xyz)").shape == (12, 72)
