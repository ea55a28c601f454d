import json
from pathlib import Path

import numpy as np
import pytest

from posexfer_core.errors import KeypointsError
from posexfer_core.keypoints.detections import read_keypoints
from posexfer_core.keypoints.layouts import FEET6

REPORTED = Path(__file__).parents[2] / "data/reported_cases"
SIZE = (256, 176)
POINTS = [value for i in range(17) for value in (20.0 + 4 * i, 30.0 + 3 * i, 1.0)]


def test_the_people_of_an_image_are_told_by_its_name():
    found = read_keypoints(REPORTED / "coco2.json").of_images(["pic.png"])
    assert len(found) == 1
    keypoints = found.observation(image_size=SIZE).keypoints
    wrists = [keypoints.xy[keypoints.names.index(f"{side}_wrist")] for side in "rl"]
    np.testing.assert_allclose(wrists, np.array([(24.5, 20.7), (150.5, 17.9)]), atol=0.1)


def test_images_of_a_file_are_frames():
    found = read_keypoints(REPORTED / "coco2.json")
    assert [len(found.people(frame)) for frame in range(len(found))] == [1, 1]
    assert found.people(0)[0].image_size == (512, 352)
    swapped = found.of_images(["shots/pic.png", "other.jpg"])
    assert swapped.people(0)[0].image_size == SIZE


def test_ids_tell_images_where_there_are_no_names():
    file = [{"image_id": key, "keypoints": POINTS} for key in (139, 139, 285)]
    found = read_keypoints(file)
    assert [len(found.people(frame)) for frame in range(len(found))] == [2, 1]
    assert len(found.of_images(["000000000285.jpg"]).people(0)) == 1


def test_listed_images_without_people_show_nobody():
    images = [{"id": key, "file_name": f"{key}.png"} for key in (1, 2, 3)]
    file = {"images": images, "annotations": [{"image_id": 2, "keypoints": POINTS}]}
    found = read_keypoints(file)
    assert len(found) == 1
    assert found.of_images(["1.png"]).people(0) == []
    names = ["1.png", "2.png", "other.png"]
    assert [len(found.of_images(names).people(frame)) for frame in range(3)] == [0, 1, 0]


def test_files_that_name_other_images_keep_their_frames():
    assert len(read_keypoints(REPORTED / "coco2.json").of_images(["photo.png"])) == 2


@pytest.mark.parametrize("name", ["halpe26.json", "mmpose_body26.json"])
def test_feet_of_halpe_are_read(name):
    keypoints = read_keypoints(REPORTED / name).observation(image_size=SIZE).keypoints
    assert set(FEET6) <= set(keypoints.names)
    heel = keypoints.xy[keypoints.names.index("l_heel")]
    np.testing.assert_allclose(heel, (117.3, 239.1), atol=0.1)
    assert (keypoints.confidence == 0.9).all()


@pytest.mark.parametrize("key", ["file_name", "image_path", "frame", "frame_id"])
def test_images_are_told_apart_by_whatever_names_them(key):
    file = [{key: one, "keypoints": POINTS} for one in (7, 7, 8)]
    found = read_keypoints(file)
    assert [len(found.people(frame)) for frame in range(len(found))] == [2, 1]


def ultralytics(**columns):
    """Write a person as `Results.to_json` of Ultralytics does."""
    points = np.array(POINTS).reshape(-1, 3)
    keypoints = {"x": points[:, 0].tolist(), "y": points[:, 1].tolist(), **columns}
    box = {"x1": 1.0, "y1": 2.0, "x2": 3.0, "y2": 4.0}
    return {"name": "person", "class": 0, "confidence": 0.9, "box": box, "keypoints": keypoints}


def test_columns_of_ultralytics_are_read():
    person = ultralytics(visible=[0.5] * 17)
    for content in ([person], [[person], [person, person]]):
        points = read_keypoints(content).people(0)[0].points
        np.testing.assert_allclose(points[3], [32.0, 39.0, 0.5])
    assert [len(read_keypoints([[person], [person, person]]).people(at)) for at in (0, 1)] == [1, 2]
    assert read_keypoints([ultralytics()]).people(0)[0].points.shape == (17, 2)


def test_columns_of_different_lengths_get_a_sentence():
    with pytest.raises(KeypointsError, match="columns of different lengths"):
        read_keypoints([ultralytics(visible=[1.0])]).people(0)


@pytest.mark.parametrize("more", [0, 1, 2])
def test_labels_of_yolo_are_shares_of_the_image(tmp_path, more):
    points = np.array(POINTS).reshape(-1, 3) / (176.0, 256.0, 1.0)
    rows = [[0, 0.5, 0.5, 0.2, 0.4, *points.ravel(), *[0.9] * more]] * 2
    text = "\n".join(" ".join(f"{number:.6f}" for number in row) for row in rows)
    (tmp_path / "pic.txt").write_text(text)
    for source in (tmp_path / "pic.txt", tmp_path):
        found = read_keypoints(source).observation(1, image_size=SIZE).keypoints
        np.testing.assert_allclose(found.xy[3], [32.0, 39.0], atol=0.01)


@pytest.mark.parametrize(
    "key", ["img", "img_path", "frame_num", "imageId", "source", "picture", "fname", "time"]
)
def test_images_are_told_by_any_name_of_the_key_or_end_of_the_value(key):
    moved = [value + 50.0 * (i % 3 < 2) for i, value in enumerate(POINTS)]
    file = [{key: "a.jpg", "keypoints": moved}, {key: "b/0012.png", "keypoints": POINTS}]
    found = read_keypoints(file).of_images(["12.png"])
    np.testing.assert_allclose(found.people(0)[0].points[0], POINTS[:3])


def test_cocos_own_id_goes_before_file_names():
    images = [{"id": 7, "file_name": "a.jpg"}]
    file = {"images": images}
    file["annotations"] = [{"image_id": 7, "file_name": "a.jpg", "keypoints": POINTS}]
    assert len(read_keypoints(file).of_images(["a.jpg"]).people(0)) == 1


@pytest.mark.parametrize("keys", [("a.jpg", "12.png"), ("11", "12")])
@pytest.mark.parametrize("wrap", [list, dict], ids=["coco", "openpose"])
def test_frames_under_their_names_or_numbers_are_read(keys, wrap):
    count = 17 if wrap is list else 18
    flat = [value for i in range(count) for value in (20.0 + 4 * i, 30.0 + 3 * i, 1.0)]
    both = (flat, [2.0 * value for value in flat])
    people: list = [[{"keypoints": one}] for one in both]
    if wrap is dict:
        people = [{"people": [{"pose_keypoints_2d": one}]} for one in both]
    found = read_keypoints(dict(zip(keys, people, strict=True)))
    assert len(found) == 2
    second = found.of_images(["12.jpg"]).people(0)[0].points[0]
    np.testing.assert_allclose(second, (40.0, 60.0, 2.0))
    assert len(read_keypoints({"frames": people})) == 2


def test_text_of_other_encodings_and_one_value_a_line_is_read(tmp_path):
    lines = [json.dumps({"image_id": f"{at}.png", "keypoints": POINTS}) for at in range(3)]
    (tmp_path / "a.json").write_text("\n".join(lines))
    assert len(read_keypoints(tmp_path / "a.json")) == 3
    (tmp_path / "b.json").write_bytes(lines[0].encode("utf-16"))
    assert len(read_keypoints(tmp_path / "b.json")) == 1
    (tmp_path / "c.json").write_text(lines[0] + "\n" + lines[1][:-9])
    with pytest.raises(KeypointsError, match="damaged JSON"):
        read_keypoints(tmp_path / "c.json")
