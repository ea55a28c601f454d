"""Files that people reported elsewhere: each stands for a kind of fault."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.formats.body_family import convert_betas
from posexfer_core.formats.read import read_params

REPORTED = Path(__file__).parents[2] / "data/reported_cases"


def seen_joints(params: HumanParams, body: BodyModel) -> np.ndarray:
    """Return the joints of every frame in the camera's frame."""
    params = convert_betas(params, body)
    world = body(params.rotations[:, 0], params.betas[:, 0], params.transl[:, 0]).joints
    camera = params.camera_from_world
    return (world @ camera[:, :3, :3].mT + camera[:, None, :3, 3]).numpy()


def test_repeated_detections_of_a_lost_track_are_not_seen():
    params = read_params(REPORTED / "phalp_ghost.pkl")
    assert len(params.pose) == 6
    steps = (params.pose[1:] - params.pose[:-1]).abs().amax((1, 2, 3))
    assert steps.min() > 1e-3


def phalp_frames() -> dict:
    """Two people in four frames, as PHALP writes them."""
    person = {
        "global_orient": np.diag([1.0, -1.0, -1.0])[None],
        "body_pose": np.tile(np.eye(3), (23, 1, 1)),
        "betas": np.zeros(10),
    }
    return {
        f"{at}.jpg": {
            "tid": [1, 2],
            "smpl": [person, person],
            "camera": [np.array([x, 0.0, 30.0]) for x in (0.0, 0.5)],
            "size": [[600, 900]] * 2,
            "tracked_ids": [1, 2],
        }
        for at in range(4)
    }


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"smpl": [-100, -100], "camera": [-100, -100]}, (3, 3)),
        ({"tracked_ids": [1]}, (4, 3)),
        ({"tid": [], "smpl": [], "camera": [], "size": [], "tracked_ids": []}, (3, 3)),
        ({"size": [600, 900]}, (4, 4)),
    ],
    ids=["placeholders", "tracked ids", "nobody", "one size"],
)
def test_people_of_a_track_are_seen_where_they_were_found(tmp_path, change, seen):
    frames = phalp_frames()
    frames["0.jpg"] = {**frames["0.jpg"], **change}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(frames))
    counts = tuple(len(read_params(tmp_path / "a.pkl", person=at).pose) for at in (0, 1))
    assert counts == seen


def test_frames_without_any_name_of_a_track_are_passed(tmp_path):
    frames = phalp_frames() | {"0.jpg": {"time": 0}, "1.jpg": -100}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(frames))
    assert len(read_params(tmp_path / "a.pkl").pose) == 2


def test_the_lens_of_expose_is_read(caplog):
    params = read_params(REPORTED / "expose_params.npz")
    assert params.image_size == (900, 1200)
    expected = torch.tensor([[5000.0, 0.0, 430.0], [0.0, 5000.0, 460.0], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(params.intrinsics[0], expected)
    assert "focal" not in caplog.text


def test_the_person_of_expose_stands_where_its_lens_looks(body: BodyModel):
    params = read_params(REPORTED / "expose_params.npz", image_size=(900, 1200))
    pelvis = seen_joints(params, body)[0, 0]
    at = params.intrinsics[0].numpy() @ (pelvis / pelvis[2])
    np.testing.assert_allclose(at[:2], (430.0, 460.0), atol=1.0)
    assert 5000.0 / pelvis[2] == pytest.approx(315.0, abs=1.0)


@pytest.mark.parametrize("name", ["hmr4d_results.pt.pkl", "global_only.pkl"])
def test_a_world_under_the_names_of_a_camera_is_seen_upright(name, body: BodyModel):
    params = read_params(REPORTED / name)
    joints = seen_joints(params, body)
    head, foot = joints[:, JOINT_INDEX["head"]], joints[:, JOINT_INDEX["l_ankle"]]
    assert len(joints) == 9 and joints[..., 2].min() > 1.0
    assert (foot[:, 1] - head[:, 1] > 1.0).all()


def test_the_motion_of_mdm_is_that_of_the_same_walk_in_another_format(body: BodyModel):
    params, same = (read_params(REPORTED / f) for f in ("mdm_smpl_params.npy", "global_only.pkl"))
    turns, expected = (one.rotations[:, 0, :22] for one in (params, same))
    torch.testing.assert_close(turns, expected, atol=1e-4, rtol=0.0)
    torch.testing.assert_close(params.transl, same.transl)
    assert seen_joints(params, body)[..., 2].min() > 1.0


def test_a_motion_with_decimal_commas_is_the_same(tmp_path):
    text = (REPORTED / "m.bvh").read_text()
    (tmp_path / "a.bvh").write_text(text.replace(".", ","))
    params, same = read_params(tmp_path / "a.bvh"), read_params(REPORTED / "m.bvh")
    torch.testing.assert_close(params.pose, same.pose)
