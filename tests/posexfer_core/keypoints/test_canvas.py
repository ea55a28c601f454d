"""Pixels of which canvas: sizes as tools write them, padded canvases, shares."""

from pathlib import Path

import numpy as np
import pytest

from posexfer_core.keypoints.canvas import pixels_of_canvas, pixels_of_shares
from posexfer_core.keypoints.detections import load_keypoints, read_keypoints

REPORTED = Path(__file__).parents[2] / "data/reported_cases"
IMAGE = (700, 600)
SEEN = np.array([[200.0, 300.0]])


def place(name: str, image_size: tuple[int, int], point: str, person: int = 0) -> np.ndarray:
    keypoints = load_keypoints(REPORTED / name, person=person, image_size=image_size)
    return keypoints.xy[keypoints.names.index(point)]


@pytest.mark.parametrize("name", ["pad.json", "pad_aux.json"])
def test_padded_canvases_are_scaled_alike_on_both_axes(name, caplog):
    np.testing.assert_allclose(place(name, IMAGE, "r_ankle"), (220.0, 632.0), atol=0.5)
    assert "512x640" in caplog.text and "600x700" in caplog.text


def test_a_doubt_is_told_once_a_file(caplog):
    found = read_keypoints(REPORTED / "pad.json")
    found.observations(image_size=IMAGE)
    found.observations(image_size=IMAGE)
    assert len(caplog.records) == 1


def test_an_image_padded_on_both_axes_keeps_its_scale():
    factors, doubt, _ = pixels_of_canvas(SEEN, (704, 640), IMAGE)
    assert factors.tolist() == [1.0, 1.0] and "704" in doubt


def test_stretched_canvases_are_scaled_per_axis_with_a_warning():
    factors, doubt, _ = pixels_of_canvas(SEEN, (576, 512), IMAGE)  # rounded to multiples of 64
    np.testing.assert_allclose(factors, (600 / 512, 700 / 576))
    assert "1.172" in doubt and "1.215" in doubt


def test_canvases_that_no_padding_explains_are_scaled_per_axis_with_a_warning():
    factors, doubt, _ = pixels_of_canvas(SEEN, (500, 500), IMAGE)
    assert factors.tolist() == [1.2, 1.4] and "500x500" in doubt


@pytest.mark.parametrize("canvas", [IMAGE, (1400, 1200), (350, 300), (597, 512)])
def test_resized_canvases_leave_no_doubt(canvas):
    factors, doubt, _ = pixels_of_canvas(SEEN, canvas, IMAGE)
    np.testing.assert_allclose(factors, np.array(IMAGE[::-1]) / canvas[::-1])
    assert not doubt


@pytest.mark.parametrize(
    ("canvas", "seen"), [(None, 0.5), (IMAGE, 0.5), (IMAGE, 0.9), (IMAGE, 1.2), ((597, 512), 0.95)]
)
def test_shares_are_of_the_image_where_nothing_speaks_for_padding(canvas, seen):
    factors, doubt, _ = pixels_of_shares(np.array([[0.2, seen]]), canvas, IMAGE)
    assert factors.tolist() == [600.0, 700.0] and not doubt


@pytest.mark.parametrize("name", ["editor.json", "op_wh.json"])
def test_sizes_are_found_under_their_bare_names(name):
    np.testing.assert_allclose(place(name, (512, 352), "nose"), (176.0, 71.25), atol=0.01)


@pytest.mark.parametrize(
    "names", [("canvasWidth", "canvasHeight"), ("image_width", "image_height"), ("w", "h")]
)
def test_sizes_are_found_under_their_other_names(names):
    points = np.array([[20.0 + 4 * i, 30.0 + 3 * i, 1.0] for i in range(18)])
    file = {
        "people": [{"pose_keypoints_2d": points.ravel().tolist()}],
        **dict(zip(names, (176, 256), strict=True)),
    }
    found = load_keypoints(file, image_size=(512, 352))
    np.testing.assert_allclose(found.xy, 2.0 * points[:, :2])


def test_the_size_of_a_box_is_not_the_size_of_the_image():
    points = np.array([[20.0 + 4 * i, 30.0 + 3 * i, 1.0] for i in range(17)])
    box = {"x": 1, "y": 2, "width": 80, "height": 60, "keypoints": points.ravel().tolist()}
    np.testing.assert_allclose(load_keypoints(box, image_size=(512, 352)).xy, points[:, :2])


def test_two_people_may_be_in_one_list():
    assert len(read_keypoints(REPORTED / "editor2.json").people(0)) == 2
    first = place("editor2.json", (512, 352), "l_wrist", 0)
    second = place("editor2.json", (512, 352), "l_wrist", 1)
    assert np.abs(first - second).max() > 50.0


@pytest.mark.parametrize(
    "names",
    [
        {"original_width": 100, "original_height": 150},
        {"ImageWidth": "100", "ImageHeight": "150"},
        {"img_shape": [150, 100, 3]},
        {"image_size": [150, 100]},
        {"resolution": [100, 150]},
        {"canvas": {"width": 100, "height": 150}},
        {"metadata": {"w": 100, "h": 150}},
        {"image-width": 100, "image-height": 150},
        {"Frame Width px": 100, "Frame Height px": 150},
        {"cols": 100, "rows": 150},
        {"img_hw": [150, 100]},
        {"image_wh": [100, 150]},
        {"dimensions": {"width": 100, "height": 150}},
        {"video_info": {"width": 100, "height": 150}},
        {"size": "100x150"},
        {"image_shape": [3, 150, 100]},
    ],
    ids=lambda names: next(iter(names)),
)
@pytest.mark.parametrize("level", ["file", "person"])
def test_sizes_of_canvases_have_many_names(names, level):
    points = {"keypoints": [[10.0 + 5 * i, 140.0 - 8 * i, 1.0] for i in range(17)]}
    content = {**names, "annotations": [points]} if level == "file" else [{**names, **points}]
    found = load_keypoints_of(content, (300, 200))
    np.testing.assert_allclose(found[0], (20.0, 280.0))


def load_keypoints_of(content, image_size: tuple[int, int]) -> np.ndarray:
    return read_keypoints(content).observation(image_size=image_size).keypoints.xy


@pytest.mark.parametrize("size", [{"imgsz": 640}, {"img_size": [640, 640]}, {"input_size": 640}])
def test_letterboxes_are_the_image_in_the_middle(size, caplog):
    points = np.array([[200.0 + 20 * i, 60.0 + 30 * i] for i in range(17)])  # of 900x600
    boxed = points * 640 / 900 + (0.0, (640 - 600 * 640 / 900) / 2)
    content = [{**size, "keypoints": np.c_[boxed, np.ones(17)].tolist()}]
    np.testing.assert_allclose(load_keypoints_of(content, (600, 900)), points, atol=1e-6)
    assert "in the middle" in caplog.text and "106.7 px from the top" in caplog.text


def test_shares_of_a_letterbox_are_those_of_the_whole_canvas():
    found = pixels_of_shares(np.array([[0.5, 0.5]]), (640, 640), (600, 900))
    np.testing.assert_allclose((0.5 - found.origin) * found.factors, (450.0, 300.0))


def test_a_point_in_the_padding_speaks_against_a_letterbox():
    found = pixels_of_canvas(np.array([[320.0, 20.0]]), (640, 640), (600, 900))
    np.testing.assert_allclose(found.factors, (900 / 640, 600 / 640))
    assert "stretched" in found.doubt


def test_a_box_that_points_leave_is_no_canvas():
    points = [[40.0 + 5 * i, 240.0 - 8 * i, 1.0] for i in range(17)]
    found = load_keypoints_of([{"width": 80, "height": 130, "keypoints": points}], (300, 200))
    np.testing.assert_allclose(found[0], (40.0, 240.0))


def test_exchanged_sides_of_a_canvas_are_told(caplog):
    factors, doubt, _ = pixels_of_canvas(np.array([[90.0, 140.0]]), (100, 150), (300, 200))
    np.testing.assert_allclose(factors, (2.0, 2.0))
    assert "exchanged" in doubt and "150x100" in doubt
    factors, doubt, _ = pixels_of_canvas(np.array([[140.0, 90.0]]), (100, 150), (300, 200))
    np.testing.assert_allclose(factors, (200 / 150, 3.0))
    assert "stretched" in doubt
