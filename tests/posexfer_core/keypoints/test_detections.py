import json

import numpy as np
import pytest

from posexfer_core.errors import KeypointsError
from posexfer_core.keypoints.detections import load_keypoints, read_keypoints
from posexfer_core.keypoints.layouts import (
    BODY25,
    COCO17,
    FEET6,
    HALPE26,
    HALPE136,
    OPENPOSE18,
    WHOLEBODY133,
)

SIZE = (400, 600)
PLACES = {
    name: (20.0 + 4.0 * i, 300.0 - 3.0 * i)
    for i, name in enumerate(dict.fromkeys((*BODY25, *WHOLEBODY133)))
}


def shape(source) -> list[int]:
    """Count the people of every frame."""
    found = read_keypoints(source)
    return [len(found.people(frame)) for frame in range(len(found))]


def flat(names, scale=(1.0, 1.0)):
    return [
        value
        for name in names
        for x, y in [PLACES[name]]
        for value in (x * scale[0], y * scale[1], 1)
    ]


def pose_keypoint(**person):
    return [{"people": [person], "canvas_height": SIZE[0], "canvas_width": SIZE[1]}]


def check_places(keypoints):
    assert keypoints.image_size == SIZE
    for name, xy in zip(keypoints.names, keypoints.xy, strict=True):
        np.testing.assert_allclose(xy, PLACES[name])


@pytest.mark.parametrize(
    "names", [COCO17, OPENPOSE18, COCO17 + FEET6, BODY25, HALPE26, WHOLEBODY133, HALPE136]
)
@pytest.mark.parametrize("shape", [(-1, 3), (1, -1, 3)])
def test_arrays_are_told_apart_by_their_number_of_points(names, shape):
    keypoints = load_keypoints(np.array(flat(names)).reshape(shape), image_size=SIZE)
    check_places(keypoints)
    assert set(keypoints.names) == set(names) - {""}


def test_arrays_without_confidence_are_sure():
    keypoints = load_keypoints(np.array(flat(COCO17)).reshape(-1, 3)[:, :2], image_size=SIZE)
    assert (keypoints.confidence == 1.0).all()


def test_npy_files_are_read(tmp_path):
    np.save(tmp_path / "points.npy", np.array(flat(BODY25)).reshape(-1, 3))
    check_places(load_keypoints(tmp_path / "points.npy", image_size=SIZE))


@pytest.mark.parametrize("names", [OPENPOSE18, BODY25])
def test_openpose_files_are_read(tmp_path, names):
    path = tmp_path / "frame_keypoints.json"
    path.write_text(json.dumps({"version": 1.3, "people": [{"pose_keypoints_2d": flat(names)}]}))
    check_places(load_keypoints(path, image_size=SIZE))


@pytest.mark.parametrize("scale", [(1.0, 1.0), (1 / SIZE[1], 1 / SIZE[0])])
def test_pose_keypoint_is_read_in_pixels_and_in_shares(scale):
    value = pose_keypoint(
        pose_keypoints_2d=flat(OPENPOSE18, scale),
        foot_keypoints_2d=flat(FEET6, scale),
        face_keypoints_2d=None,
        hand_left_keypoints_2d=None,
    )
    keypoints = load_keypoints(value)
    check_places(keypoints)
    assert "l_heel" in keypoints.names


def test_hands_go_to_the_nearer_wrist_whatever_they_are_called():
    wrist = PLACES["r_wrist"]
    hand = [value for i in range(21) for value in (wrist[0] + i, wrist[1], 1.0)]
    value = pose_keypoint(pose_keypoints_2d=flat(OPENPOSE18), hand_left_keypoints_2d=hand)
    keypoints = load_keypoints(value)
    assert "l_knuckle" not in keypoints.names
    index = keypoints.names.index("r_knuckle")
    np.testing.assert_allclose(keypoints.xy[index], [wrist[0] + 9.0, wrist[1]])


def test_points_made_on_a_smaller_canvas_are_scaled_to_the_image():
    value = pose_keypoint(pose_keypoints_2d=flat(OPENPOSE18))
    keypoints = load_keypoints(value, image_size=(800, 1200))
    np.testing.assert_allclose(keypoints.xy[0], 2.0 * np.array(PLACES["nose"]))
    assert keypoints.image_size == (800, 1200)


def test_missing_points_have_no_confidence():
    points = np.array(flat(OPENPOSE18)).reshape(-1, 3)
    points[3] = 0.0
    points[4] = np.nan
    points[5, 2] = 0.0
    keypoints = load_keypoints(points, image_size=SIZE)
    assert np.flatnonzero(keypoints.confidence == 0.0).tolist() == [3, 4, 5]
    assert np.isfinite(keypoints.xy).all()


def test_coco_flags_become_confidences():
    points = np.array(flat(COCO17)).reshape(-1, 3)
    points[:, 2] = 2
    points[0, 2], points[1] = 1, 0
    entry = {"keypoints": points.ravel().tolist(), "image_id": 7}
    file = {"images": [{"id": 7, "height": SIZE[0], "width": SIZE[1]}], "annotations": [entry]}
    keypoints = load_keypoints(file)
    assert keypoints.confidence[:3].tolist() == [0.7, 0.0, 1.0]
    assert keypoints.image_size == SIZE


def test_mmpose_predictions_are_read():
    points = np.array(flat(WHOLEBODY133)).reshape(-1, 3)
    entry = {"keypoints": points[:, :2].tolist(), "keypoint_scores": [0.5] * 133}
    keypoints = load_keypoints({"instance_info": [{"instances": [entry]}]}, image_size=SIZE)
    check_places(keypoints)
    assert (keypoints.confidence == 0.5).all()


def test_frames_of_arrays_and_of_mmpose_are_picked():
    points = np.array(flat(COCO17)).reshape(-1, 3)
    array = np.stack([points[None] + 9.0, points[None]])
    assert shape(array) == [1, 1]
    check_places(load_keypoints(array, frame=1, image_size=SIZE))
    frames = [{"instances": [{"keypoints": one[0].tolist()}]} for one in array]
    assert shape({"instance_info": frames}) == shape(frames) == [1, 1]
    check_places(load_keypoints({"instance_info": frames}, frame=1, image_size=SIZE))
    check_places(load_keypoints(frames, frame=1, image_size=SIZE))
    for value in (array, frames):
        with pytest.raises(KeypointsError, match="Frame 2 was asked for, but there are 2"):
            load_keypoints(value, frame=2, image_size=SIZE)


def test_a_file_without_frames_is_one_frame():
    assert shape({"annotations": []}) == shape([]) == [0]
    assert len(read_keypoints([1.0, 2.0])) == 1
    assert shape(pose_keypoint(pose_keypoints_2d=[0.0] * 54) * 3) == [1, 1, 1]


def test_one_of_several_people_and_frames_is_picked():
    shifted = flat(OPENPOSE18, (0.5, 0.5))
    frame = pose_keypoint(pose_keypoints_2d=shifted)[0]
    people = [{"pose_keypoints_2d": flat(OPENPOSE18)}, {"pose_keypoints_2d": shifted}]
    value = [{**frame, "people": []}, {**frame, "people": people}]
    keypoints = load_keypoints(value, person=1, frame=1)
    np.testing.assert_allclose(keypoints.xy[0], 0.5 * np.array(PLACES["nose"]))
    assert shape(value) == [0, 2]
    assert shape(np.zeros((3, 4, 17, 3))) == [4, 4, 4]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (pose_keypoint(pose_keypoints_2d=[0.0] * 54), "no keypoint with a confidence"),
        (pose_keypoint(pose_keypoints_2d=None), "no person is found in the keypoints"),
        (
            [{"people": [], "canvas_height": 4, "canvas_width": 4}],
            "no person is found in the keypoints",
        ),
        ({"annotations": [{"keypoints": [0] * 51}]}, "no person is found in the keypoints"),
        (pose_keypoint(pose_keypoints_2d=[1.0] * 33), r"shape \(11, 3\)"),
        (pose_keypoint(pose_keypoints_2d=["a"] * 54), "not a list of numbers"),
        (pose_keypoint(pose_keypoints_2d=[5.0, 5.0, 1.0] * 18), "apart from each other"),
        ({"people": 3}, "the keypoints: 'people' is a int, expected a list"),
        ({"poses": []}, "is not recognised as keypoints"),
        ([], "no person is found in the keypoints"),
        ([[1.0, 2.0], [3.0]], "ragged"),
        (np.zeros((0, 17, 3)), "no person"),
        (np.zeros((0, 1, 17, 3)), "no frame"),
        ([None, {"people": []}], "is not recognised as keypoints"),
        (
            {"pose_world_landmarks": [[0.1 * i, 0.2, 0.3] for i in range(33)]},
            "world landmarks alone",
        ),
        (np.zeros((1, 1, 1, 17, 3)), "as many points as no layout"),
        (pose_keypoint(pose_keypoints_2d=flat(OPENPOSE18, (40, 1))), "no keypoint lies in"),
    ],
)
def test_what_cannot_be_used_gets_a_sentence(value, sentence):
    with pytest.raises(KeypointsError, match=sentence):
        load_keypoints(value, image_size=SIZE)


def test_people_and_frames_that_are_not_there_get_a_sentence():
    value = pose_keypoint(pose_keypoints_2d=flat(OPENPOSE18))
    with pytest.raises(KeypointsError, match="person 1 was asked for, but there are 1"):
        load_keypoints(value, person=1)
    with pytest.raises(KeypointsError, match="Frame 2 was asked for, but there are 1"):
        load_keypoints(value, frame=2)


def test_a_size_must_come_from_somewhere():
    with pytest.raises(KeypointsError, match="how large its image is"):
        load_keypoints(np.array(flat(COCO17)).reshape(-1, 3))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00", '"people"'])
def test_broken_files_get_a_sentence(tmp_path, text):
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(KeypointsError):
        load_keypoints(path, image_size=SIZE)


def test_a_missing_file_and_one_of_nobody_get_a_sentence(tmp_path):
    with pytest.raises(KeypointsError, match=r"not there\.\nExpected a file of keypoints"):
        load_keypoints(tmp_path / "none.json")
    np.save(tmp_path / "nobody.npy", np.array([{"people": []}], dtype=object))
    with pytest.raises(KeypointsError, match="no person is found"):
        load_keypoints(tmp_path / "nobody.npy")


def test_annotation_and_pose_keypoint_of_one_photo_agree(skier):
    coco = load_keypoints(skier / "skier_coco_wholebody.json")
    openpose = load_keypoints(skier / "skier_pose_keypoint.json")
    assert coco.image_size == openpose.image_size == (425, 640)
    assert {"l_big_toe", "r_knuckle"} <= set(coco.names)
    np.testing.assert_allclose(coco.only(COCO17).xy, openpose.only(COCO17).xy)


def test_errors_name_the_file_and_the_person(tmp_path):
    path = tmp_path / "faint.json"
    people = [{"pose_keypoints_2d": flat(OPENPOSE18)}, {"pose_keypoints_2d": [0.0] * 54}]
    path.write_text(json.dumps({"people": people}))
    with pytest.raises(
        KeypointsError, match=r"person 1 of faint\.json: The person has no keypoint"
    ):
        load_keypoints(path, person=1, image_size=SIZE)
    assert len(read_keypoints(path).observations(image_size=SIZE).usable()) == 1


def test_a_frame_that_is_damaged_leaves_the_others():
    frames = [*pose_keypoint(pose_keypoints_2d=flat(OPENPOSE18)), {"people": 3}, None]
    found = read_keypoints(frames)
    assert len(found) == 3
    check_places(found.observation().keypoints)
    for frame, sentence in ((1, "'people' is a int"), (2, "a frame is a NoneType")):
        with pytest.raises(KeypointsError, match=sentence):
            found.people(frame)


def test_mmpose_frames_without_people_count():
    instance = {"keypoints": np.array(flat(COCO17)).reshape(-1, 3).tolist()}
    frames = [{"instances": []}, {"instances": [instance, instance]}, {}]
    found = read_keypoints({"instance_info": frames})
    assert [len(found.people(frame)) for frame in (0, 1)] == [0, 2]
    with pytest.raises(KeypointsError, match="no list of 'instances'"):
        found.people(2)


def test_a_folder_is_one_file_a_frame_in_the_order_of_its_numbers(tmp_path):
    for number in (10, 9, 100):
        frame = {"people": [{"pose_keypoints_2d": flat(OPENPOSE18, (number, number))}]}
        (tmp_path / f"f{number}_keypoints.json").write_text(json.dumps(frame))
    (tmp_path / "notes.txt").write_text("no keypoints")
    found = read_keypoints(tmp_path)
    assert found.name == tmp_path.name and len(found) == 3
    x = [found.people(frame)[0].points[0, 0] for frame in range(3)]
    np.testing.assert_allclose(x, PLACES["nose"][0] * np.array([9.0, 10.0, 100.0]))


def test_the_only_file_of_a_folder_may_hold_all_frames(tmp_path):
    video = pose_keypoint(pose_keypoints_2d=flat(OPENPOSE18)) * 3
    (tmp_path / "a.json").write_text(json.dumps(video))
    assert len(read_keypoints(tmp_path)) == 3
    (tmp_path / "b.json").write_text(json.dumps(video))
    with pytest.raises(KeypointsError, match=r"a\.json holds 3 frames"):
        read_keypoints(tmp_path).people(0)


def test_a_folder_without_keypoints_gets_a_sentence(tmp_path):
    with pytest.raises(KeypointsError, match=r"has no keypoint files that end in \.json, \.npy"):
        read_keypoints(tmp_path)


def test_each_frame_of_a_long_file_is_parsed_when_it_is_asked_for():
    parsed = []

    class Frame(dict):
        def get(self, key, default=None):
            if key == "people":
                parsed.append(self["number"])
            return super().get(key, default)

    frames = [Frame(number=number, people=[]) for number in range(1000)]
    found = read_keypoints(frames)
    assert len(found) == 1000 and parsed == []
    found.observations(7)
    assert parsed == [7]
