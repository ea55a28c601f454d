import json
from pathlib import Path

import numpy as np
import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.errors import ImageError, KeypointsError
from posexfer_core.keypoints.detections import Detections, read_keypoints
from posexfer_core.keypoints.input_sequence import InputSequence, check_frame_counts
from posexfer_core.keypoints.joint_files import JointFrames, read_joint_file
from posexfer_core.keypoints.layouts import COCO17
from posexfer_core.keypoints.pose_keypoint import load_pose_keypoints

SIZE = (200, 100)
RNG = np.random.default_rng(0)
POINTS = np.concatenate([RNG.uniform(10.0, 90.0, (17, 2)), np.ones((17, 1))], axis=1)
STANDING = BodyModel.bundled().rest(torch.zeros(1, 10))[1].numpy() * [1.0, -1.0, -1.0]
JOINTS = np.array([0.0, 0.0, 4.0]) + STANDING + RNG.uniform(-0.05, 0.05, (2, 2, 24, 3))


def openpose(points: int) -> dict:
    return {"pose_keypoints_2d": RNG.uniform(10.0, 90.0, 3 * points).tolist()}


def landmarks(low: float) -> list[dict]:
    places = RNG.uniform(low, 0.9, (33, 3))
    return [dict(zip("xyz", one, strict=True)) for one in places.tolist()]


def mediapipe_frame(people: int) -> dict:
    return {
        "pose_landmarks": [landmarks(0.1) for _ in range(people)],
        "pose_world_landmarks": [landmarks(-0.9) for _ in range(people)],
    }


def mmpose_frame(people: int) -> dict:
    person = {"keypoints": POINTS[:, :2].tolist(), "keypoint_scores": [0.9] * 17}
    return {"frame_id": 0, "instances": [person] * people}


ANNOTATIONS = [{"image_id": 1, "keypoints": POINTS.ravel().tolist()}] * 2
FILES = {
    "OpenPose": ({"version": 1.3, "people": [openpose(25), openpose(25)]}, [2]),
    "POSE_KEYPOINT": (
        [
            {"people": [openpose(18)] * count, "canvas_height": 200, "canvas_width": 100}
            for count in (1, 0, 3)
        ],
        [1, 0, 3],
    ),
    "COCO": ({"images": [{"id": 1, "height": 200, "width": 100}], "annotations": ANNOTATIONS}, [2]),
    "COCO detections": (ANNOTATIONS, [2]),
    "MMPose": ({"instance_info": [mmpose_frame(count) for count in (2, 0, 1)]}, [2, 0, 1]),
    "MMPose, one frame": ([mmpose_frame(2)], [2]),
    "MediaPipe": ({"frames": [mediapipe_frame(1), mediapipe_frame(2)]}, [1, 2]),
    "MediaPipe, one frame": (mediapipe_frame(1), [1]),
    "MediaPipe, world landmarks": ({"worldLandmarks": [landmarks(-0.9)]}, [1]),
    "numbers": (np.broadcast_to(POINTS, (3, 2, 17, 3)).tolist(), [2, 2, 2]),
}


def count(detections: Detections) -> list[int]:
    """Count the people of every frame."""
    sequence = InputSequence(image_size=SIZE, keypoints=detections)
    return [len(sequence.people(frame).people) for frame in range(len(detections))]


@pytest.mark.parametrize(("content", "people"), FILES.values(), ids=FILES)
def test_command_line_and_nodes_agree_on_frames_and_people(tmp_path, content, people):
    """The command reads the file; Load Pose Keypoints reads it and passes a value on."""
    path = tmp_path / "keypoints.json"
    path.write_text(json.dumps(content))
    passed_on = load_pose_keypoints(path)
    assert count(read_keypoints(path)) == people
    assert [len(frame["people"]) for frame in passed_on] == people
    assert count(read_keypoints(passed_on)) == people


def array_frames(people: int = 2) -> Detections:
    return read_keypoints(np.broadcast_to(POINTS, (2, people, 17, 3)))


def joint_frames(folder: Path) -> JointFrames:
    np.save(folder / "joints.npy", JOINTS)
    return read_joint_file(folder / "joints.npy")


def test_joints_are_added_to_the_keypoints_of_the_same_person(tmp_path):
    sequence = InputSequence(
        image_size=SIZE, keypoints=array_frames(), joints=joint_frames(tmp_path), focal_px=300.0
    )
    found = sequence.people(1).person(1)
    assert found.keypoints.names == COCO17 and found.focal_px == 300.0
    assert found.joints is not None
    np.testing.assert_allclose(found.joints.xyz, JOINTS[1, 1])


def test_a_person_without_joints_cannot_be_used_but_others_can(tmp_path):
    sequence = InputSequence(
        image_size=SIZE, keypoints=array_frames(3), joints=joint_frames(tmp_path)
    )
    people = sequence.people(0)
    assert len(people.usable()) == 2
    with pytest.raises(KeypointsError, match=r"person 2 was asked for, but there are 2 in joints"):
        people.person(2)


def test_joints_alone_are_projected_to_keypoints(tmp_path):
    sequence = InputSequence(image_size=SIZE, joints=joint_frames(tmp_path), focal_px=300.0)
    found = sequence.people(0).person(0)
    x, y, z = JOINTS[0, 0, 0]
    np.testing.assert_allclose(found.keypoints.xy[0], [50.0 + 300.0 * x / z, 100.0 + 300.0 * y / z])


def test_everyone_in_a_frame_gets_its_mask():
    masks = [np.eye(3, dtype=bool), np.ones((3, 3), dtype=bool)]
    sequence = InputSequence(image_size=SIZE, keypoints=array_frames(), mask=masks.__getitem__)
    assert all(person.mask is masks[1] for person in sequence.people(1).usable())


def test_a_mask_that_cannot_be_used_is_not_taken_for_a_missing_person():
    def mask(frame: int) -> np.ndarray:
        raise ImageError("The mask is empty")

    sequence = InputSequence(image_size=SIZE, keypoints=array_frames(), mask=mask)
    with pytest.raises(ImageError, match="empty"):
        sequence.people(0)


def test_a_sequence_of_images_alone_has_nothing_to_fit():
    sequence = InputSequence(image_size=SIZE)
    assert not sequence.known
    with pytest.raises(KeypointsError, match="neither keypoints nor 3D joints"):
        sequence.people(0)


def test_parts_have_as_many_frames():
    check_frame_counts({"images": 3, "masks": None, "keypoints": 3}, "")
    with pytest.raises(KeypointsError, match=r"3 frames of images, 0 frames of masks; .* Do this"):
        check_frame_counts({"images": 3, "masks": 0, "keypoints": None}, "Do this.")
