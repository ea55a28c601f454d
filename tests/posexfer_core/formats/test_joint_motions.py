from pathlib import Path

import numpy as np
import pytest
import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.body.model import BodyModel
from posexfer_core.errors import ParamsError
from posexfer_core.formats.joint_motions import decode_features
from posexfer_core.formats.read import read_params
from posexfer_core.geometry.rotations import axis_angle_to_matrix

REPORTED = Path(__file__).parents[2] / "data/reported_cases"
WALK = np.load(REPORTED / "humanml_joints.npy").astype(np.float64)
Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def world_joints(params, body: BodyModel) -> np.ndarray:
    return body(params.rotations[:, 0], params.betas[:, 0], params.transl[:, 0]).joints.numpy()


def seen_joints(params, body: BodyModel) -> np.ndarray:
    camera = params.camera_from_world.numpy()
    turned = world_joints(params, body) @ camera[:, :3, :3].swapaxes(1, 2)
    return turned + camera[:, None, :3, 3]


def assert_upright(params, body: BodyModel) -> None:
    joints = seen_joints(params, body)
    assert (joints[:, JOINT_INDEX["l_ankle"], 1] - joints[:, JOINT_INDEX["head"], 1] > 1.0).all()
    assert joints[..., 2].min() > 1.0


def test_a_motion_of_humanml3d_is_fitted_where_its_joints_are(body: BodyModel):
    params = read_params(REPORTED / "humanml_joints.npy", body=body)
    assert params.frames == 9
    assert_upright(params, body)
    gaps = np.linalg.norm(world_joints(params, body)[:, :22] - WALK, axis=-1)
    assert gaps.mean() < 0.02


def test_only_the_frame_that_is_asked_for_is_fitted(tmp_path, body: BodyModel):
    joints = WALK[:3].copy()
    joints[2] = np.nan  # cannot be fitted
    np.save(tmp_path / "a.npy", joints)
    params = read_params(tmp_path / "a.npy", frame=1, body=body)
    assert params.frames == 1
    gaps = np.linalg.norm(world_joints(params, body)[0, :22] - WALK[1], axis=-1)
    assert gaps.mean() < 0.02
    step = seen_joints(params, body)[0, 0] - (0.0, 0.0, 4.2)  # the camera follows on the ground
    np.testing.assert_allclose(step, (0.0, WALK[0, 0, 1] - WALK[1, 0, 1], 0.0), atol=0.02)
    with pytest.raises(ParamsError, match="usable 3D joints"):
        read_params(tmp_path / "a.npy", body=body)
    with pytest.raises(ParamsError, match="no frame 3; this person has 3"):
        read_params(tmp_path / "a.npy", frame=3, body=body)


@pytest.mark.slow
@pytest.mark.parametrize("turn", [Z_UP, np.diag([1.0, -1.0, -1.0])], ids=["z", "-y"])
def test_the_way_up_is_that_along_which_people_stand(tmp_path, body: BodyModel, turn):
    np.save(tmp_path / "a.npy", (WALK[:2] - WALK[0, 0]) @ turn.T)
    assert_upright(read_params(tmp_path / "a.npy", body=body), body)


def test_joints_before_a_camera_keep_its_place(tmp_path, body: BodyModel):
    shift = np.array([0.5, 0.2, 6.0])
    before = (WALK[:2] - WALK[0, 0]) @ np.diag([1.0, -1.0, -1.0]) + shift
    pixels = 700.0 * before[..., :2] / before[..., 2:] + np.array([320.0, 240.0])
    np.savez(tmp_path / "a.npz", joints3d=before, joints2d=pixels)
    params = read_params(tmp_path / "a.npz", body=body)
    assert params.image_size == (480, 640)
    assert float(params.intrinsics[0, 0, 0]) == pytest.approx(700.0, rel=1e-3)
    np.testing.assert_allclose(seen_joints(params, body)[0, 0], shift, atol=0.05)


def test_samples_of_mdm_are_people_cut_to_their_lengths(tmp_path, body: BodyModel):
    motion = np.stack([np.moveaxis(WALK[:3], 0, -1)] * 2)
    content = {"motion": motion, "lengths": np.array([1, 3]), "text": ["a", "b"]}
    np.save(tmp_path / "results.npy", np.array(content, dtype=object), allow_pickle=True)
    assert read_params(tmp_path / "results.npy", person=0).frames == 1
    assert read_params(tmp_path / "results.npy", person=1, frame=2).frames == 1
    with pytest.raises(ParamsError, match="this person has 3"):
        read_params(tmp_path / "results.npy", person=1, frame=3)


@pytest.mark.slow
def test_joints_that_are_not_numbers_are_missing(tmp_path, body: BodyModel):
    broken = WALK[:2].copy()
    broken[:, [10, 20]] = np.nan
    np.save(tmp_path / "a.npy", broken)
    assert_upright(read_params(tmp_path / "a.npy", body=body), body)


def test_rotations_are_not_taken_for_places(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(0.0, 0.5, (9, 22, 3)))
    with pytest.raises(ParamsError):
        read_params(tmp_path / "a.npy")


def test_features_of_a_straight_walk_are_decoded_by_hand():
    features = np.zeros((3, 263))
    features[:, 0] = np.pi / 4.0  # half the angle of a quarter turn to the left each frame
    features[:, 2] = 0.1  # ahead
    features[:, 3] = 0.9
    features[:, 4:7] = (0.1, 0.8, 0.0)  # the left hip, to the left
    joints = decode_features(features)
    np.testing.assert_allclose(joints[:, 0, 1], 0.9)
    np.testing.assert_allclose(joints[0, 1], [0.1, 0.8, 0.0], atol=1e-12)
    step = np.linalg.norm(np.diff(joints[:, 0], axis=0), axis=1)
    np.testing.assert_allclose(step, 0.1, atol=1e-12)
    np.testing.assert_allclose(joints[2, 1] - joints[2, 0], [-0.1, -0.1, 0.0], atol=1e-12)


def test_normalised_features_get_a_sentence(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(0.0, 0.01, (40, 263)))
    with pytest.raises(ParamsError, match=r"Std\.npy"):
        read_params(tmp_path / "a.npy")


def test_hybrik_gives_the_same_walk(body: BodyModel):
    params = read_params(REPORTED / "hybrik_res.pkl")
    same = read_params(REPORTED / "mdm_smpl_params.npy")
    torch.testing.assert_close(
        params.rotations[:, 0, 1:22], same.rotations[:, 0, 1:22], atol=1e-4, rtol=0.0
    )
    assert params.image_size == (900, 1200)
    assert float(params.intrinsics[0, 0, 0]) == pytest.approx(1000.0 / 256.0 * 300.0)
    assert_upright(params, body)


def phc(joints: int) -> dict[str, dict[str, object]]:
    walk = read_params(REPORTED / "mdm_smpl_params.npy")
    turn = torch.from_numpy(Z_UP).float()
    pose = walk.pose[:, 0].numpy().copy()
    roots = turn @ axis_angle_to_matrix(walk.pose[:, 0, 0])
    from posexfer_core.geometry.rotations import matrix_to_axis_angle

    pose[:, 0] = matrix_to_axis_angle(roots).numpy()
    motion = {"pose_aa": np.resize(pose, (9, joints, 3)), "fps": 30}
    motion["trans_orig"] = walk.transl[:, 0].numpy() @ Z_UP.T
    return {"walk": motion}


def test_motions_of_phc_are_z_up_and_those_of_robots_are_named(tmp_path, body: BodyModel):
    import pickle

    (tmp_path / "a.pkl").write_bytes(pickle.dumps(phc(24)))
    params = read_params(tmp_path / "a.pkl")
    assert_upright(params, body)
    assert params.frame_rate == 30.0
    (tmp_path / "b.pkl").write_bytes(pickle.dumps(phc(27)))
    with pytest.raises(ParamsError, match="the motion of a robot"):
        read_params(tmp_path / "b.pkl")
