from pathlib import Path

import numpy as np
import torch
from PIL import Image

from posexfer_core.body.view import BodyView
from training.data.photo_bodies import covered_share
from training.data.photo_folders import read_people
from training.synthetic.one_person import main, one_person


def test_a_picture_depends_on_seed_and_number_and_its_body_is_in_its_mask(body):
    pictures = list(one_person(6, range(2, 4), body))
    (again,) = one_person(6, range(3, 4), body)
    assert np.array_equal(again.shown.image, pictures[1].shown.image)
    assert torch.equal(pictures[0].params.betas, pictures[1].params.betas)
    assert not torch.equal(pictures[0].params.pose, pictures[1].params.pose)
    for shown, params in pictures:
        mask = torch.from_numpy(shown.coverage / 255.0).float()
        assert covered_share(BodyView.of(params, body), mask) > 0.9
    corners = [one.shown.image[:20, :20].astype(int) for one in pictures]
    assert np.abs(corners[0] - corners[1]).max() <= 1, "before one background"


def test_the_folder_is_one_that_training_reads(tmp_path: Path):
    out = tmp_path / "photos"
    assert main(["--out", str(out), "--count", "2", "--seed", "6", "--start", "3"]) == 0
    found = read_people(out, per_photo=4, seed=0)
    assert list(found.photos) == ["003.png", "004.png"] and len(found.pairs) == 2
    assert all(photo.params and photo.mask for photo in found.photos.values())
    with Image.open(out / "003.png") as picture:
        assert picture.size == (176, 256)
