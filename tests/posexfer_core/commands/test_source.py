"""Who is protected in a photo of several people whose bodies or keypoints come from files."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.cli import main
from posexfer_core.conventions import DEMO
from posexfer_core.files.images import load_image, save_image
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.keypoints.keypoint_placement import located
from posexfer_core.keypoints.layouts import COCO17
from tests.people import facing_camera
from tests.posexfer_core.silhouette_landmarker import draw_person

SIZE = (120, 160)
OTHER, MOVED = (facing_camera(SIZE, (x_m, 0.2, 4.0), 200.0) for x_m in (-0.35, 0.35))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, body):
    """A photo of two people who touch, who is who in it, and a mask of both."""
    folder = tmp_path_factory.mktemp("two")
    image = torch.full((3, *SIZE), -0.8)
    for channel, one in enumerate((OTHER, MOVED)):
        draw_person(image, one, body, channel)
    save_image(image[None], folder / "photo.png")
    save_image(1.0 - 2.0 * (image < 0.0).all(0).float().expand(1, 3, -1, -1), folder / "mask.png")
    MOVED.save(folder / "one.npz")
    both = {name: torch.cat([getattr(OTHER, name), getattr(MOVED, name)], 1)
            for name in ("pose", "betas", "transl", "confidence")}  # fmt: skip
    replace(OTHER, **both).save(folder / "both.npz")
    twice = {name: value[:, [1, 1]] for name, value in both.items()}
    replace(OTHER, **twice).save(folder / "twice.npz")
    np.save(folder / "keypoints.npy", np.stack([coco(one, body) for one in (MOVED, OTHER)]))
    return folder


def coco(params: HumanParams, body) -> np.ndarray:
    view = BodyView.of(params, body)
    found = [located(name, view) for name in COCO17]
    places = torch.stack([place for place in found if place is not None], 1)
    return project_perspective(places, view.intrinsics)[0].numpy()


def kept(folder, out, *source: str) -> float:
    """Move one of both, everybody else in the mask gone, and tell how much of the other is left."""
    options = ["--mask", str(folder / "mask.png"), "--leftovers", "remove", "--out", str(out)]
    target = ["--target", str(DEMO / "arms_raised.npz")]
    assert main(["transfer", str(folder / "photo.png"), *source, *target, *options]) == 0
    before, after = load_image(folder / "photo.png")[0], load_image(out)[0]
    other = before[0] > 0.0
    return float((after[:, other] == before[:, other]).all(0).float().mean())


def test_the_others_of_a_parameter_file_stay(folder, tmp_path):
    source = ["--source-params", str(folder / "both.npz"), "--source-person", "1"]
    assert kept(folder, tmp_path / "a.png", *source) > 0.95


def test_keypoints_beside_a_body_tell_who_else_is_there(folder, tmp_path):
    source = ["--source-params", str(folder / "one.npz")]
    alone = kept(folder, tmp_path / "a.png", *source)
    keypoints = ["--keypoints", str(folder / "keypoints.npy")]
    assert alone < 0.8 and kept(folder, tmp_path / "b.png", *source, *keypoints) > 0.95


def test_the_moved_one_twice_in_a_file_is_nobody_else(folder, tmp_path):
    source = ["--source-params", str(folder / "twice.npz")]
    assert kept(folder, tmp_path / "a.png", *source) < 0.8


def test_a_skirt_told_on_the_command_line_is_drawn(folder, tmp_path):
    options = ["--source-params", str(folder / "one.npz"), "--mask", str(folder / "mask.png")]
    options += ["--target", str(DEMO / "walking.npz"), "--out"]
    drawn = []
    for length in ("none", "ankle"):
        out = tmp_path / f"{length}.png"
        given = ["transfer", str(folder / "photo.png"), *options, str(out), "--skirt", length]
        assert main(given) == 0
        drawn.append(load_image(out))
    assert float((drawn[0] != drawn[1]).float().mean()) > 0.01
