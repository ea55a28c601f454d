import logging
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.errors import ConfigError
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from training.data.photo_bodies import (
    BodyRules,
    CountedNotes,
    PhotoBody,
    covered_share,
    find_bodies,
)
from training.data.photos import LeftOut, Photo


@pytest.fixture
def params(generator) -> HumanParams:
    """Somebody before a camera that is turned and moved in the world."""
    camera = torch.eye(4)
    camera[:3, :3] = axis_angle_to_matrix(torch.tensor([0.4, -0.7, 0.2]))
    camera[:3, 3] = torch.tensor([0.3, -0.2, 4.0])
    pose = 0.2 * torch.randn(24, 3, generator=generator)
    pose[0, 0] = math.pi
    return HumanParams(
        pose=pose[None, None],
        betas=torch.randn(1, 1, 10, generator=generator),
        transl=torch.tensor([[[0.2, 0.1, 0.4]]]),
        intrinsics=torch.tensor([[[90.0, 0, 24.0], [0, 90.0, 32.0], [0, 0, 1]]]),
        image_size=(64, 48),
        camera_from_world=camera[None],
    )


def plain_photo(folder: Path) -> Photo:
    """A picture of which nothing is known."""
    Image.new("RGB", (48, 64)).save(folder / "one.png")
    return Photo(name="one.png", path=folder / "one.png")


def test_the_camera_of_a_file_becomes_the_origin_and_sees_the_same(params, body, tmp_path):
    params.save(tmp_path / "one.npz")
    photo = replace(plain_photo(tmp_path), params=tmp_path / "one.npz")
    (found,) = find_bodies([photo], BodyRules(), body)
    assert isinstance(found, PhotoBody) and found.origin == "file"
    assert torch.equal(found.params.camera_from_world[0], torch.eye(4))
    before, after = BodyView.of(params, body), BodyView.of(found.params, body)
    torch.testing.assert_close(after.vertices, before.vertices, atol=1e-5, rtol=0)


def test_without_a_detector_photos_of_which_nothing_is_known_are_left_out(
    tmp_path, monkeypatch, body
):
    monkeypatch.delenv("POSEXFER_DETECTOR", raising=False)
    monkeypatch.setattr("posexfer_core.keypoints.detector.models_folder", lambda: tmp_path)
    (left,) = find_bodies([plain_photo(tmp_path)], BodyRules(), body)
    assert isinstance(left, LeftOut) and "there is no detector" in left.reason


def test_a_detector_that_is_named_must_be_there(tmp_path, monkeypatch, body):
    photo, missing = plain_photo(tmp_path), tmp_path / "missing.task"
    with pytest.raises(ConfigError, match=r"missing\.task"):
        find_bodies([photo], BodyRules(detector=missing), body)
    monkeypatch.setenv("POSEXFER_DETECTOR", str(missing))
    with pytest.raises(ConfigError, match=r"missing\.task"):
        find_bodies([photo], BodyRules(), body)


def test_the_share_of_a_body_in_its_mask(params, body):
    view = BodyView.of(params, body)
    drawn = view.visibility.mask[0].float()
    assert covered_share(view, drawn) == 1.0
    half = drawn.clone()
    half[:32] = 0.0
    wanted = float(half.sum() / drawn.sum())
    assert 0.1 < wanted < 0.9
    assert covered_share(view, half) == pytest.approx(wanted)
    assert covered_share(view, 1.0 - drawn) == 0.0


def test_warnings_of_many_files_are_counted_not_repeated(caplog):
    logger = logging.getLogger("posexfer_core.formats")
    with CountedNotes() as notes:
        for number in range(3):
            logger.warning("%s has no camera.", f"{number}.pkl")
    assert notes.counts == {"%s has no camera.": 3} and not caplog.records
    logger.warning("later")
    assert [record.message for record in caplog.records] == ["later"]
