import pickle

import numpy as np
import pytest

from posexfer_core.body.view import BodyView
from posexfer_core.errors import ParamsError
from posexfer_core.fit.kinematics import Pose, Skeleton
from posexfer_core.formats.read import read_params
from posexfer_core.keypoints.keypoint_placement import RestBody
from posexfer_core.keypoints.layouts import LAYOUTS_3D
from tests.benchmarks.random_people import aligned_error_mm, random_person

SIZE = (600, 800)
FOCAL = 900.0


@pytest.fixture
def people(body):
    rng = np.random.default_rng(11)
    return [random_person(rng, body) for _ in range(3)]


def sam_person(person, body):
    """Write a person as SAM 3D Body does; fingers and the like are far off and must not matter."""
    names = [name for name in LAYOUTS_3D[70] if name]
    skeleton = Skeleton(RestBody.of(body, names))
    transl = (
        person.joints[0]
        - skeleton.place(Pose(person.rotations[None], person.betas[None], np.zeros((1, 3)))).joints[
            0, 0
        ]
    )
    pose = Pose(person.rotations[None], person.betas[None], transl[None])
    points = skeleton.place(pose).points[0]
    joints = np.full((70, 3), 0.3)
    joints[[LAYOUTS_3D[70].index(name) for name in names]] = points - person.joints[0]
    placed = joints + person.joints[0]
    pixels = FOCAL * placed[:, :2] / placed[:, 2:] + np.array([400.0, 300.0])
    return {
        "pred_keypoints_3d": joints.astype(np.float32),
        "pred_keypoints_2d": pixels.astype(np.float32),
        "pred_cam_t": person.joints[0].astype(np.float32),
        "focal_length": np.float32(FOCAL),
        "mhr_model_params": np.zeros(204, dtype=np.float32),
    }


def joints_of(params, body):
    return BodyView.of(params, body, frame=None).joints.double().numpy()


def test_sam_3d_body_becomes_a_body(tmp_path, body, people, recognised):
    path = tmp_path / "person.npz"
    np.savez(path, **sam_person(people[0], body))
    assert recognised(path) == "sam-3d-body"
    params = read_params(path)
    assert params.image_size == SIZE
    found = joints_of(params, body)[0]
    assert aligned_error_mm(found, people[0].joints) < 15.0
    pixels = FOCAL * found[:, :2] / found[:, 2:]
    wanted = FOCAL * people[0].joints[:, :2] / people[0].joints[:, 2:]
    assert np.abs(pixels - wanted)[[16, 17, 18, 19, 20, 21, 4, 5]].max() < 4.0


def test_pose_data_of_comfyui_holds_frames_of_people(tmp_path, body, people):
    frames = [[sam_person(one, body) for one in people[:2]], [sam_person(people[2], body)]]
    path = tmp_path / "pose_data.pkl"
    path.write_bytes(pickle.dumps({"frames": frames, "image_size": SIZE}))
    params = read_params(path)
    assert (params.frames, params.image_size) == (2, SIZE)
    for joints, person in zip(joints_of(params, body), (people[0], people[2]), strict=True):
        assert aligned_error_mm(joints, person.joints) < 15.0
    assert read_params(path, person=1).frames == 1


def test_frames_and_people_that_are_not_asked_for_are_not_fitted(tmp_path, body, people):
    broken = sam_person(people[1], body) | {"pred_keypoints_3d": np.zeros((50, 3))}
    frames = [[sam_person(people[0], body), broken], [broken]]
    path = tmp_path / "pose_data.pkl"
    path.write_bytes(pickle.dumps({"frames": frames, "image_size": SIZE}))
    found = joints_of(read_params(path, frame=0), body)[0]
    assert aligned_error_mm(found, people[0].joints) < 15.0
    with pytest.raises(ParamsError, match="There are 50 3D joints"):
        read_params(path, frame=1)


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1.0, 1000.0])
def test_free_joints_of_nlf_become_bodies(tmp_path, body, people, unit, recognised):
    path = tmp_path / "nlf.npz"
    np.savez(path, joints3d_nonparam=np.stack([one.joints for one in people]) * unit)
    assert recognised(path) == "nlf-joints"
    for index, person in enumerate(people):
        params = read_params(path, person=index, image_size=SIZE)
        assert aligned_error_mm(joints_of(params, body)[0], person.joints) < 15.0


def test_joints_behind_the_camera_get_a_sentence(tmp_path, body, people):
    spoilt = sam_person(people[0], body) | {"pred_cam_t": np.array([0.0, 0.0, -3.0])}
    np.savez(tmp_path / "bad.npz", allow_pickle=False, **spoilt)
    with pytest.raises(ParamsError, match="before the camera"):
        read_params(tmp_path / "bad.npz", image_size=SIZE)


def test_another_number_of_joints_gets_a_sentence(tmp_path, body, people):
    spoilt = sam_person(people[0], body)
    spoilt["pred_keypoints_3d"] = spoilt["pred_keypoints_3d"][:50]
    np.savez(tmp_path / "bad.npz", **spoilt)
    with pytest.raises(ParamsError, match="There are 50 3D joints"):
        read_params(tmp_path / "bad.npz", image_size=SIZE)


def test_the_lens_that_sam_3d_body_leaves_out_is_solved(tmp_path, people, body):
    person = sam_person(people[0], body)
    del person["focal_length"]
    path = tmp_path / "img_subj00.npz"
    np.savez(path, **person)
    found = read_params(path, body=body)
    assert found.image_size == SIZE
    assert float(found.intrinsics[0, 0, 0]) == pytest.approx(FOCAL, rel=1e-3)


def test_a_lens_that_no_points_tell_is_asked_for(tmp_path, people, body):
    person = sam_person(people[0], body)
    del person["focal_length"]
    person["pred_keypoints_2d"] = np.random.default_rng(0).uniform(0.0, 500.0, (70, 2))
    np.savez(tmp_path / "a.npz", **person)
    with pytest.raises(ParamsError, match="Add the focal length"):
        read_params(tmp_path / "a.npz", body=body)
