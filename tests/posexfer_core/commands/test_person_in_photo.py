from dataclasses import replace
from math import degrees

import numpy as np
import pytest
import torch
from PIL import Image

from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.cli import main
from posexfer_core.conventions import DEMO
from posexfer_core.errors import DetectorMissingError
from posexfer_core.files.images import load_image, save_image
from tests.people import facing_camera
from tests.posexfer_core.silhouette_landmarker import SilhouetteLandmarker, draw_person

OPENED_BY = "posexfer_core.commands.person_in_photo.open_landmarker"
SIZE = (120, 160)
TARGET = str(DEMO / "arms_raised.npz")


def standing(x_m: float, z_m: float, arm: float = 1.0) -> HumanParams:
    return facing_camera(SIZE, (x_m, 0.2, z_m), 200.0, arm_deg=degrees(arm))


PEOPLE = (standing(-0.7, 4.2), standing(0.9, 3.6, arm=0.6))


@pytest.fixture(scope="module")
def scene(tmp_path_factory, body):
    """A photo of two people, the larger one to the right, and who finds them."""
    image = torch.full((3, *SIZE), -0.8)
    found = [draw_person(image, one, body, channel) for channel, one in enumerate(PEOPLE)]
    folder = tmp_path_factory.mktemp("photo")
    save_image(image[None], folder / "photo.png")
    return folder, SilhouetteLandmarker(found)


@pytest.fixture
def detector(scene, monkeypatch):
    monkeypatch.setattr(OPENED_BY, lambda model: scene[1])
    return scene[1]


@pytest.fixture
def no_detector(monkeypatch):
    def missing(model):
        raise DetectorMissingError("There is no detector of people: install it.")

    monkeypatch.setattr(OPENED_BY, missing)


def transfer(photo, out, *more: str) -> int:
    return main(["transfer", str(photo), "--target", TARGET, "--out", str(out), *more])


@pytest.mark.parametrize(("number", "truth"), [(0, 1), (1, 0)])
def test_estimate_fits_the_person_that_is_chosen_by_size(
    scene, detector, body, tmp_path, capsys, number, truth
):
    photo, out = scene[0] / "photo.png", tmp_path / "body.npz"
    assert main(["estimate", str(photo), "--out", str(out), "--person", str(number)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("found in photo.png: 2 people, numbered by size from 0\nmean reproj")
    params = HumanParams.load(out)
    assert params.image_size == SIZE
    seen, true = (BodyView.of(one, body).visibility.mask[0] for one in (params, PEOPLE[truth]))
    assert (seen & true).sum() / (seen | true).sum() > 0.8


@pytest.mark.slow
def test_a_video_is_searched_frame_by_frame(scene, detector, body, tmp_path, capsys):
    (tmp_path / "frames").mkdir()
    for number in range(3):
        image = torch.full((3, *SIZE), -0.8)
        draw_person(image, standing(-0.7 + 0.05 * number, 4.2), body, 0)
        save_image(image[None], tmp_path / "frames" / f"{number}.png")
    out = tmp_path / "walk.npz"
    assert main(["estimate", str(tmp_path / "frames"), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "0.png: 1 person" in said and "over 3 frames" in said
    steps = np.diff(HumanParams.load(out).transl[:, 0, 0].numpy())
    assert (np.abs(steps - 0.05) < 0.03).all()


def test_transfer_moves_the_one_and_leaves_the_other(scene, detector, tmp_path, capsys):
    photo, out = scene[0] / "photo.png", tmp_path / "out.png"
    assert transfer(photo, out, "--source-person", "1", "--paste-back") == 0
    assert "found in photo.png: 2 people" in capsys.readouterr().out
    before, after = load_image(photo)[0], load_image(out)[0]
    others = before[1] > 0.0
    assert (after[:, others] == before[:, others]).float().mean() > 0.9
    gone = (before[0] > 0.0) & (after[0] < 0.0)
    assert gone.sum() > 50  # where the arms hung


@pytest.mark.slow
def test_a_photo_may_be_the_target(scene, detector, tmp_path, capsys):
    photo, out = scene[0] / "photo.png", tmp_path / "out.png"
    code = main(
        ["transfer", str(photo), "--target", str(photo), "--person", "1", "--out", str(out)]
    )
    assert code == 0
    assert capsys.readouterr().out.count("found in photo.png") == 2


def test_a_mask_that_is_given_counts_more_than_the_detectors(scene, detector, tmp_path, capsys):
    Image.new("L", (20, 20), 255).save(tmp_path / "mask.png")
    code = transfer(
        scene[0] / "photo.png", tmp_path / "out.png", "--mask", str(tmp_path / "mask.png")
    )
    assert code == 2 and "The mask" in capsys.readouterr().err


def test_landmarks_that_do_not_fit_the_mask_are_told(scene, monkeypatch, tmp_path, caplog):
    """Landmarks in the upper half of the silhouette that they belong to."""
    wrong = [replace(one, points=one.points * [1.0, 0.55, 1.0]) for one in scene[1].people]
    photo, told = scene[0] / "photo.png", "share only"
    for people, wanted in ((scene[1].people, False), (wrong, True)):
        monkeypatch.setattr(OPENED_BY, lambda model, found=people: SilhouetteLandmarker(found))
        assert transfer(photo, tmp_path / "out.png") == 0
        assert (told in caplog.text) == wanted


def three_lines(capsys, *words: str) -> None:
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 3 and lines[0].startswith("posexfer "), lines
    for line, word in zip(lines, words, strict=True):
        assert word in line


def test_nobody_found_is_an_error_in_three_lines(scene, detector, tmp_path, capsys):
    empty = tmp_path / "empty.png"
    Image.new("RGB", (80, 60)).save(empty)
    words = ("finds nobody in empty.png, 80x60", "Expected", "keypoints")
    assert transfer(empty, tmp_path / "out.png") == 2
    three_lines(capsys, *words)
    assert main(["estimate", str(empty), "--out", str(tmp_path / "out.npz")]) == 2
    three_lines(capsys, *words)
    assert not list(tmp_path.glob("out*"))


def test_a_person_that_is_not_there_gets_a_sentence(scene, detector, tmp_path, capsys):
    photo = scene[0] / "photo.png"
    assert transfer(photo, tmp_path / "out.png", "--source-person", "4") == 2
    assert "person 4 was asked for, but there are 2 in photo.png" in capsys.readouterr().err


def test_a_model_that_is_named_but_cannot_be_used_is_an_error(no_detector, tmp_path, capsys):
    photo = str(DEMO / "source.png")
    more = ["--out", str(tmp_path / "o.npz"), "--detector", "m.task"]
    assert main(["estimate", photo, *more]) == 2
    assert "There is no detector" in capsys.readouterr().err


@pytest.mark.slow
def test_without_a_detector_the_network_reads_who_is_certain(no_detector, tmp_path, caplog):
    out = tmp_path / "out.png"
    assert transfer(DEMO / "source.png", out) == 0
    assert "There is no detector of people: install it. Without it" in caplog.text
    assert (load_image(out) != load_image(DEMO / "source.png")).any()


def test_without_a_detector_doubtful_readings_draw_nothing(no_detector, tmp_path, capsys):
    noise = tmp_path / "noise.png"
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(pixels).save(noise)
    assert transfer(noise, tmp_path / "out.png", "--method", "network") == 2
    three_lines(capsys, "nobody for certain in noise.png", "Expected at most", "detector")
    assert not (tmp_path / "out.png").exists()
    assert transfer(DEMO / "source.png", tmp_path / "out.png", "--source-person", "1") == 2
    three_lines(capsys, "finds one", "number 0", "detector")
    assert main(["estimate", str(noise), "--out", str(tmp_path / "o.npz")]) == 0
    assert "nobody is found for certain" in capsys.readouterr().out
