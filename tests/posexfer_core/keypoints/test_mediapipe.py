import numpy as np
import pytest

from posexfer_core.errors import KeypointsError
from posexfer_core.keypoints import mediapipe
from posexfer_core.keypoints.detections import load_keypoints, read_keypoints
from posexfer_core.keypoints.layouts import MEDIAPIPE33, MEDIAPIPE_NAMES

SIZE = (400, 200)
RNG = np.random.default_rng(0)
IMAGE = np.c_[RNG.uniform(0.1, 0.9, (33, 3)), np.linspace(0.3, 0.9, 33)]
WORLD = np.c_[RNG.uniform(-0.9, 0.9, (33, 3)), np.linspace(0.3, 0.9, 33)]
WORLD[24, :3] = -WORLD[23, :3]  # between the hips is the origin
L_WRIST, R_BIG_TOE = 15, 32
"""Of MediaPipe's landmarks."""


def objects(points: np.ndarray) -> list[dict[str, float]]:
    return [dict(zip(("x", "y", "z", "visibility"), one, strict=True)) for one in points.tolist()]


def named(points: np.ndarray) -> list[dict[str, object]]:
    pairs = zip(MEDIAPIPE_NAMES, objects(points), strict=True)
    return [{"name": name, **point} for name, point in pairs]


IMAGE_LIST, WORLD_LIST = objects(IMAGE), objects(WORLD)
BOTH = {
    "solutions": {"pose_landmarks": IMAGE_LIST, "pose_world_landmarks": WORLD_LIST},
    "tasks": {"pose_landmarks": [IMAGE_LIST], "pose_world_landmarks": [WORLD_LIST]},
    "javascript": {"poseLandmarks": IMAGE_LIST, "poseWorldLandmarks": WORLD_LIST},
    "web tasks": {"landmarks": [IMAGE_LIST], "worldLandmarks": [WORLD_LIST]},
    "snake": {"frame_index": 0, "landmarks": IMAGE_LIST, "world_landmarks": WORLD_LIST},
    "protobuf": {
        "pose_landmarks": {"landmark": IMAGE_LIST},
        "pose_world_landmarks": {"landmark": WORLD_LIST},
    },
    "rows": {"pose_landmarks": IMAGE.tolist(), "pose_world_landmarks": WORLD.tolist()},
    "names": {"landmarks": named(IMAGE), "worldLandmarks": named(WORLD)},
    "by name": {
        "poseLandmarks": dict(zip(MEDIAPIPE_NAMES, IMAGE_LIST, strict=True)),
        "poseWorldLandmarks": dict(zip(map(str.upper, MEDIAPIPE_NAMES), WORLD_LIST, strict=True)),
    },
    "by number": {
        "landmarks": {str(i): one for i, one in enumerate(IMAGE.tolist())},
        "world_landmarks": {str(i): one for i, one in enumerate(WORLD.tolist())},
    },
    "nested people": {"poses": [{"landmarks": IMAGE_LIST, "worldLandmarks": WORLD_LIST}]},
    "nested pose": {"pose": {"landmarks": [IMAGE_LIST], "worldLandmarks": [WORLD_LIST]}},
    "holistic": {
        "face_landmarks": [{"x": 0.5, "y": 0.5, "z": 0.0}] * 468,
        "pose_landmarks": IMAGE_LIST,
        "pose_world_landmarks": WORLD_LIST,
        "left_hand_landmarks": None,
    },
}


@pytest.mark.parametrize("value", BOTH.values(), ids=BOTH)
@pytest.mark.parametrize("frames", ["alone", "list", "under a key", "by number"])
def test_image_and_world_landmarks_are_found_however_they_are_written(value, frames):
    empty = {"pose_landmarks": None, "landmarks": []}
    data = {
        "alone": value,
        "list": [empty, value],
        "under a key": {"fps": 30.0, "frames": [empty, value]},
        "by number": {"0": empty, "7": value},
    }[frames]
    frame = 0 if frames == "alone" else 1
    found = read_keypoints(data)
    assert len(found) == frame + 1
    (observation,) = found.observations(frame, image_size=SIZE).usable()
    keypoints, joints = observation.keypoints, observation.joints
    wrist = keypoints.names.index("l_wrist")
    np.testing.assert_allclose(keypoints.xy[wrist], IMAGE[L_WRIST, :2] * (200.0, 400.0))
    assert keypoints.confidence[wrist] == pytest.approx(IMAGE[L_WRIST, 3])
    assert joints is not None
    toe = joints.names.index("r_big_toe")
    np.testing.assert_allclose(joints.xyz[toe], WORLD[R_BIG_TOE, :3])
    assert joints.confidence[toe] == pytest.approx(WORLD[R_BIG_TOE, 3])
    if frame:
        with pytest.raises(KeypointsError, match="no person is found"):
            load_keypoints(data, frame=0, image_size=SIZE)


def test_several_people_keep_their_places():
    other = objects(IMAGE * (0.5, 0.5, 1.0, 1.0))
    data = {"pose_landmarks": [IMAGE_LIST, other], "pose_world_landmarks": [WORLD_LIST]}
    first, second = read_keypoints(data).observations(image_size=SIZE).usable()
    np.testing.assert_allclose(second.keypoints.xy[0], 0.5 * IMAGE[0, :2] * (200.0, 400.0))
    assert first.joints is not None and second.joints is None


@pytest.mark.parametrize(
    "size",
    [
        {"width": 200, "height": 400},
        {"image_width": 200, "image_height": 400},
        {"imageSize": {"width": 200, "height": 400}},
        {"video_info": {"width": 200, "height": 400, "fps": 25}},
    ],
)
def test_the_images_size_is_read_where_it_is_written(size):
    keypoints = load_keypoints({**size, "frames": [{"pose_landmarks": IMAGE_LIST}]})
    assert keypoints.image_size == SIZE
    keypoints = load_keypoints({**size, "pose_landmarks": IMAGE_LIST})
    assert keypoints.image_size == SIZE


def test_legs_below_the_image_do_not_turn_shares_into_pixels():
    low = IMAGE.copy()
    low[25:, 1] = 1.9
    keypoints = load_keypoints({"pose_landmarks": objects(low)}, image_size=SIZE)
    assert keypoints.xy[keypoints.names.index("l_ankle"), 1] == pytest.approx(760.0)


def test_pixels_stay_pixels():
    data = {"keypoints": objects(IMAGE * (200.0, 400.0, 1.0, 1.0)), "keypoints3D": WORLD_LIST}
    keypoints = load_keypoints(data, image_size=SIZE)
    np.testing.assert_allclose(keypoints.xy[0], IMAGE[0, :2] * (200.0, 400.0))


def test_world_landmarks_under_a_name_that_does_not_say_so_are_told_by_the_hips():
    (person,) = read_keypoints({"frames": [{"landmarks": WORLD_LIST}]}).people(0)
    assert len(person.points) == 0
    assert person.world is not None
    np.testing.assert_array_equal(person.world, WORLD)


def test_people_without_image_landmarks_count_where_nobody_has_such():
    both = {"landmarks": [IMAGE_LIST], "worldLandmarks": [WORLD_LIST, WORLD_LIST]}
    assert len(read_keypoints(both).people(0)) == 1
    assert len(read_keypoints({"worldLandmarks": [WORLD_LIST, WORLD_LIST]}).people(0)) == 2


def test_landmarks_have_the_names_of_the_keypoints():
    pairs = dict(zip(MEDIAPIPE_NAMES, MEDIAPIPE33, strict=True))
    assert pairs["left_shoulder"] == "l_shoulder" and pairs["right_foot_index"] == "r_big_toe"
    assert pairs["mouth_left"] == pairs["left_eye_inner"] == pairs["right_pinky"] == ""


def test_points_without_visibility_count_as_seen_and_missing_ones_as_not():
    points = [{"x": x, "y": y} for x, y in IMAGE[:, :2].tolist()]
    points[16] = {"x": float("nan"), "y": 0.5}
    points[15] = {**points[15], "visibility": None, "presence": 0.25}
    keypoints = load_keypoints({"pose_landmarks": points}, image_size=SIZE)
    trust = dict(zip(keypoints.names, keypoints.confidence.tolist(), strict=True))
    assert (trust["nose"], trust["l_wrist"], trust["r_wrist"]) == (1.0, 0.25, 0.0)


@pytest.mark.parametrize(
    "value",
    [
        {"keypoints": [1.0] * 33},
        {"annotations": [{"keypoints": [1.0, 2.0, 2.0] * 17}]},
        [{"people": []}],
        {"landmarks": [{"x": 0.1, "y": 0.2}] * 21},
        {"pose_landmarks": [["a", "b"]] * 33},
        [],
        3,
        None,
    ],
)
def test_other_formats_are_left_to_others(value):
    assert mediapipe.find_frames(value) is None


def test_a_frame_that_is_not_there_gets_a_sentence():
    with pytest.raises(KeypointsError, match="Frame 4 was asked for, but there are 1"):
        read_keypoints({"pose_landmarks": IMAGE_LIST}).people(4)
