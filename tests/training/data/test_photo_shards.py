import os

import pytest
import torch
from PIL import Image

from posexfer_core.body.params import HumanParams
from training.data.body_files import Bodies
from training.data.data_config import DataConfig
from training.data.photo_shards import make_photo_shards
from training.data.photos import Collection, Photo
from training.data.shards import ShardDataset
from training.processes import ALL

CONFIG = DataConfig(height=64, width=48, shard_size=1)


@pytest.fixture
def photos(tmp_path) -> tuple[Collection, Bodies]:
    """A black and a white photo, each the source of the other."""
    photos, params = {}, {}
    for name, colour in (("a.png", (0, 0, 0)), ("b.png", (255, 255, 255))):
        Image.new("RGB", (48, 64), colour).save(tmp_path / name)
        photos[name] = Photo(name=name, path=tmp_path / name)
        params[name] = HumanParams.single(
            pose=torch.tensor([[torch.pi, 0.0, 0.0], *[[0.0] * 3] * 23]),
            betas=torch.zeros(10),
            transl=torch.tensor([0.0, 0.0, 4.0]),
            intrinsics=torch.tensor([[90.0, 0, 24.0], [0, 90.0, 32.0], [0, 0, 1]]),
            image_size=(64, 48),
        )
    pairs = [("a.png", "b.png"), ("b.png", "a.png")]
    bodies = Bodies(
        params=params, masks={}, left_out=[], origins={}, fit_errors=[], overlaps=[], notes={}
    )
    return Collection(photos=photos, pairs=pairs, whole=True), bodies


def test_shards_are_made_once_and_again_where_a_photo_is_another(photos, tmp_path):
    collection, bodies = photos
    folder = tmp_path / "pairs"

    def make() -> list[int]:
        made = make_photo_shards(
            collection, bodies, folder, CONFIG, dataset="two", workers=1, part=ALL
        )
        assert made == 2
        return [path.stat().st_mtime_ns for path in sorted(folder.glob("shard-*"))]

    first = make()
    data = ShardDataset(folder)
    assert [int(data.source_bytes(index).max()) for index in (0, 1)] == [0, 255]
    assert make() == first
    seen = collection.photos["b.png"].path.stat()
    os.utime(collection.photos["b.png"].path, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1))
    again = make()
    assert again[0] != first[0] and again[1] != first[1]
