import json
from pathlib import Path

import numpy as np
import pytest

from posexfer_core.conventions import DEMO
from posexfer_core.errors import KeypointsError
from posexfer_core.keypoints.detections import load_keypoints
from posexfer_core.keypoints.layouts import COCO17, OPENPOSE18
from posexfer_core.keypoints.pose_keypoint import load_pose_keypoints, openpose18, pose_frame
from posexfer_core.keypoints.raw_people import RawPerson


def write(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


def test_coco_points_take_openposes_order_and_get_a_neck():
    points = np.zeros((17, 3))
    points[COCO17.index("l_shoulder")] = (30.0, 10.0, 2.0)
    points[COCO17.index("r_shoulder")] = (10.0, 20.0, 1.0)
    points[COCO17.index("nose")] = (5.0, 5.0, 0.0)
    found = openpose18(RawPerson(points, COCO17))
    assert found[OPENPOSE18.index("l_shoulder")].tolist() == [30.0, 10.0, 1.0]
    assert found[OPENPOSE18.index("neck")].tolist() == [20.0, 15.0, 1.0]
    assert found[OPENPOSE18.index("nose")].tolist() == [0.0, 0.0, 0.0]


def test_one_shoulder_makes_no_neck():
    points = np.zeros((17, 3))
    points[COCO17.index("l_shoulder")] = (30.0, 10.0, 2.0)
    assert not openpose18(RawPerson(points, COCO17))[OPENPOSE18.index("neck")].any()


def test_a_coco_file_becomes_a_frame_that_means_the_same():
    path = DEMO / "astronaut_keypoints.json"
    (frame,) = load_pose_keypoints(path)
    assert (frame["canvas_height"], frame["canvas_width"]) == (512, 512)
    assert len(frame["people"][0]["pose_keypoints_2d"]) == 18 * 3
    before, after = load_keypoints(path), load_keypoints([frame])
    seen = {
        name: xy.tolist()
        for name, xy, sure in zip(before.names, before.xy, before.confidence, strict=True)
        if sure > 0
    }
    for name, xy, sure in zip(after.names, after.xy, after.confidence, strict=True):
        if sure > 0 and name != "neck":
            assert xy.tolist() == seen.pop(name)
    assert not seen


def test_what_a_pose_node_saved_passes_as_it_is(tmp_path: Path):
    frame = pose_frame([np.arange(54, dtype=float).reshape(18, 3)], (64, 48))
    frame["people"][0]["face_keypoints_2d"] = None
    saved = write(tmp_path / "two.json", [frame, frame])
    assert load_pose_keypoints(saved) == [frame, frame]
    assert load_pose_keypoints(write(tmp_path / "one.json", frame)) == [frame]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([{"people": []}, 3], "a frame is a int, expected an object with a list of people"),
        ({"poses": 1}, "is not recognised as keypoints"),
        ([1.0, 2.0], r"keypoints of shape \(2,\)"),
    ],
)
def test_other_files_are_refused_in_words(tmp_path: Path, content: object, words: str):
    with pytest.raises(KeypointsError, match=words):
        load_pose_keypoints(write(tmp_path / "file.json", content))


def test_mediapipe_frames_become_pixels_of_the_image(tmp_path):
    points = [{"x": 0.25, "y": 0.5, "visibility": 0.9} for _ in range(33)]
    points[27] = {"x": 0.5, "y": 1.8, "visibility": 0.2}  # below the image
    frames = [{"poseLandmarks": points}, {"poseLandmarks": None}]
    path = write(tmp_path / "a.json", {"width": 200, "height": 100, "frames": frames})
    first, second = load_pose_keypoints(path)
    flat = np.array(first["people"][0]["pose_keypoints_2d"]).reshape(18, 3)
    assert flat[OPENPOSE18.index("nose")].tolist() == [50.0, 50.0, 1.0]
    assert flat[OPENPOSE18.index("l_ankle")].tolist() == [0.0, 0.0, 0.0]
    assert (first["canvas_height"], first["canvas_width"]) == (100, 200)
    assert second["people"] == []
