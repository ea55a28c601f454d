import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from posexfer_core.errors import KeypointsError, ParamsError
from posexfer_core.keypoints.joint_files import JointFrames, read_joint_file
from posexfer_core.keypoints.layouts import MHR70, SMPL24

RNG = np.random.default_rng(0)
JOINTS = np.array([0.0, 0.0, 4.0]) + RNG.uniform(-0.5, 0.5, (3, 2, 70, 3))
SIZE = (300, 400)


def saved(path: Path, **arrays: np.ndarray) -> JointFrames:
    np.savez(path, **arrays)  # pyright: ignore[reportArgumentType]
    return read_joint_file(path)


def people(file: JointFrames, frame: int) -> int:
    return len(file.observations(frame, SIZE).people)


@pytest.mark.parametrize(
    ("array", "frames", "count"),
    [(JOINTS[0, 0], 1, 1), (JOINTS[:, 0], 3, 1), (JOINTS, 3, 2)],
    ids=["joints", "frames", "people"],
)
@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_plain_arrays_are_frames_of_people_in_metres_or_millimetres(
    tmp_path, array, frames, count, scale
):
    file = saved(tmp_path / "a.npz", joints_3d=scale * array[..., :24, :])
    assert len(file) == frames and people(file, frames - 1) == count
    found = file.joints(frames - 1, count - 1)
    assert found.names == SMPL24
    np.testing.assert_allclose(found.xyz, JOINTS[frames - 1, count - 1, :24])


def test_a_numpy_file_will_do(tmp_path):
    np.save(tmp_path / "a.npy", JOINTS[:, 0, :33])
    file = read_joint_file(tmp_path / "a.npy")
    assert len(file) == 3 and "l_heel" in file.joints(2, 0).names


def test_nlfs_free_joints_are_seen_by_its_lens(tmp_path):
    frames = [1000.0 * frame[:, :24] for frame in JOINTS]
    (tmp_path / "nlf.pkl").write_bytes(pickle.dumps({"joints3d_nonparam": frames}))
    file = read_joint_file(tmp_path / "nlf.pkl")
    assert len(file) == 3
    seen = file.observations(1, SIZE).person(1)
    assert seen.focal_px == pytest.approx(200.0 / np.tan(np.radians(27.5)))
    x, _, z = JOINTS[1, 1, 0]
    assert seen.keypoints.xy[0, 0] == pytest.approx(200.0 + seen.focal_px * x / z)


def test_sam_3d_bodys_people_keep_their_own_lens(tmp_path):
    person = {
        "pred_keypoints_3d": JOINTS[0, 0] - (0.0, 0.0, 4.0),
        "pred_cam_t": np.array([0.0, 0.0, 4.0]),
        "focal_length": 500.0,
    }
    (tmp_path / "sam.pkl").write_bytes(pickle.dumps({"frames": [[person], [person]]}))
    file = read_joint_file(tmp_path / "sam.pkl")
    assert len(file) == 2 and people(file, 1) == 1
    assert file.observations(1, SIZE, 700.0).person(0).focal_px == 500.0
    nose = file.joints(0, 0)
    assert nose.names == tuple(name for name in MHR70 if name)
    with pytest.raises(KeypointsError, match="person 1 was asked for, but there are 1"):
        file.joints(1, 1)


def test_mediapipes_world_landmarks_need_keypoints_beside_them(tmp_path):
    world = JOINTS[0, 0, :33] - JOINTS[0, 0, 23:25].mean(0)
    value = {"frames": [{"pose_world_landmarks": world.tolist()}]}
    (tmp_path / "a.json").write_text(json.dumps(value))
    file = read_joint_file(tmp_path / "a.json")
    np.testing.assert_allclose(file.joints(0, 0).xyz[0], world[0])
    with pytest.raises(
        KeypointsError, match=r"person 0 of a\.json: .* Give a file of keypoints as well"
    ):
        file.observations(0, SIZE).person(0)


def test_joints_about_their_own_origin_need_keypoints_too(tmp_path):
    file = saved(tmp_path / "a.npz", joints=JOINTS[0, 0, :24] - (0.0, 0.0, 4.0))
    with pytest.raises(KeypointsError, match="does not say where in the image"):
        file.observations(0, SIZE).person(0)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"other": JOINTS}, "holds no 3D joints that are known"),
        ({"joints": JOINTS[..., :2]}, "joints of shape"),
        ({"joints": np.array(["a"])}, "holds no 3D joints"),
    ],
)
def test_other_files_get_a_sentence(tmp_path, arrays, sentence):
    with pytest.raises(ParamsError, match=sentence):
        saved(tmp_path / "a.npz", **arrays)


def test_a_number_of_joints_that_is_not_known_gets_a_sentence(tmp_path):
    file = saved(tmp_path / "a.npz", joints=JOINTS[0, 0, :25])
    with pytest.raises(KeypointsError, match="There are 25 3D joints, expected 22, 24, 33, 45, 52"):
        file.joints(0, 0)


def test_an_empty_list_of_nlfs_frames_gets_a_sentence(tmp_path):
    (tmp_path / "nlf.pkl").write_bytes(pickle.dumps({"joints3d_nonparam": []}))
    with pytest.raises(ParamsError, match="holds no frame"):
        read_joint_file(tmp_path / "nlf.pkl")


def test_people_of_sam_3d_body_are_recognised_after_empty_frames(tmp_path):
    person = {
        "pred_keypoints_3d": JOINTS[0, 0] - (0.0, 0.0, 4.0),
        "pred_cam_t": np.array([0.0, 0.0, 4.0]),
        "focal_length": 500.0,
    }
    (tmp_path / "sam.pkl").write_bytes(pickle.dumps({"frames": [[]] * 9 + [[person]]}))
    file = read_joint_file(tmp_path / "sam.pkl")
    assert [people(file, frame) for frame in (0, 9)] == [0, 1]
