import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from posexfer_core.body.articulated import ArticulatedBody
from posexfer_core.body.hands_face import HandsFace
from posexfer_core.body.joints import PARENTS
from posexfer_core.body.model import BodyModel
from posexfer_core.body.smpl_files import load_body_model
from posexfer_core.errors import BodyFileError
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from tests.posexfer_core.formats.samples import npz

smplx = pytest.importorskip("smplx")

SMPLH_HAND_PARENTS = [20, 22, 23, 20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35]
SMPLH_PARENTS = [
    *PARENTS[:22],
    *SMPLH_HAND_PARENTS,
    *(parent + (1 if parent == 20 else 15) for parent in SMPLH_HAND_PARENTS),
]


@pytest.fixture
def pose(generator) -> tuple[torch.Tensor, ...]:
    return (
        0.5 * torch.randn(2, 24, 3, generator=generator),
        torch.randn(2, 10, generator=generator),
        torch.randn(2, 3, generator=generator),
    )


def posed(body: BodyModel, pose: tuple[torch.Tensor, ...]) -> torch.Tensor:
    axis_angle, betas, transl = pose
    return body(axis_angle_to_matrix(axis_angle), betas, transl).vertices


def with_fingers(toy: dict[str, np.ndarray], joints: int, parents: list[int]):
    """Give the toy body as many joints as another family has."""
    random = np.random.default_rng(1)
    weights = random.random((200, joints)) ** 8
    regressor = random.random((joints, 200)) ** 8
    return {
        **toy,
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "J_regressor": regressor / regressor.sum(axis=1, keepdims=True),
        "posedirs": random.normal(0, 0.01, (200, 3, 9 * (joints - 1))),
        "kintree_table": np.array([parents, range(joints)]).astype(np.uint32),
    }


def test_an_smpl_npz_poses_like_smplx(tmp_path: Path, toy_smpl, pose):
    path = tmp_path / "SMPL_TOY.npz"
    np.savez(path, **toy_smpl)
    body = load_body_model(path)
    assert body.beta_space == "smpl"
    reference = smplx.SMPL(
        model_path="",
        data_struct=smplx.utils.Struct(**toy_smpl),
        vertex_ids=body.keypoint_vertices,
        create_transl=False,
        batch_size=2,
    )
    axis_angle, betas, transl = pose
    expected = reference(
        betas=betas,
        global_orient=axis_angle[:, 0],
        body_pose=axis_angle[:, 1:].reshape(2, -1),
        transl=transl,
    )
    torch.testing.assert_close(posed(body, pose), expected.vertices, atol=1e-5, rtol=0)


@pytest.mark.parametrize("protocol", [2, 5])
def test_an_smpl_pickle_is_the_same_body_as_its_npz(tmp_path: Path, toy_smpl, pose, protocol):
    sparse = pytest.importorskip("scipy.sparse")
    np.savez(tmp_path / "toy.npz", **toy_smpl)
    contents = {
        **toy_smpl,
        "J_regressor": sparse.csc_matrix(toy_smpl["J_regressor"]),
        "bs_type": "lrotmin",
    }
    (tmp_path / "toy.pkl").write_bytes(pickle.dumps(contents, protocol))
    from_npz = load_body_model(tmp_path / "toy.npz")
    from_pickle = load_body_model(tmp_path / "toy.pkl")
    assert torch.equal(posed(from_npz, pose), posed(from_pickle, pose))


def test_an_smplh_file_poses_like_smplx_at_zero_finger_pose(tmp_path: Path, toy_smpl, pose):
    arrays = with_fingers(toy_smpl, 52, SMPLH_PARENTS)
    np.savez(tmp_path / "toy.npz", **arrays)
    body = load_body_model(tmp_path / "toy.npz")
    assert body.beta_space == "smplh"
    hands = {f"hands_{kind}{side}": np.zeros(45) for kind in ("mean",) for side in "lr"}
    hands |= {f"hands_components{side}": np.eye(45) for side in "lr"}
    reference = smplx.SMPLH(
        model_path="",
        data_struct=smplx.utils.Struct(**arrays, **hands),
        vertex_ids=body.keypoint_vertices,
        create_transl=False,
        use_pca=False,
        batch_size=2,
    )
    axis_angle, betas, transl = pose
    axis_angle[:, 22:] = 0.0
    expected = reference(
        betas=betas,
        global_orient=axis_angle[:, 0],
        body_pose=axis_angle[:, 1:22].reshape(2, -1),
        transl=transl,
    )
    found = posed(body, (axis_angle, betas, transl))
    torch.testing.assert_close(found, expected.vertices, atol=1e-5, rtol=0)


def toy_details(generator) -> HandsFace:
    return HandsFace(
        fingers=0.4 * torch.randn(2, 1, 30, 3, generator=generator),
        face=0.2 * torch.randn(2, 1, 3, 3, generator=generator),
        expression=torch.randn(2, 1, 10, generator=generator),
    )


class JointsAlone(torch.nn.Module):
    def forward(self, vertices: torch.Tensor, joints: torch.Tensor) -> torch.Tensor:
        return joints


def posed_whole(body: BodyModel, pose: tuple[torch.Tensor, ...], hands_face: HandsFace | None):
    axis_angle, betas, transl = pose
    return body.posed(axis_angle_to_matrix(axis_angle), betas, transl, hands_face)


def test_fingers_of_an_smplh_file_pose_like_smplx(tmp_path: Path, toy_smpl, pose, generator):
    arrays = with_fingers(toy_smpl, 52, SMPLH_PARENTS)
    np.savez(tmp_path / "toy.npz", **arrays)
    body = load_body_model(tmp_path / "toy.npz")
    hands = {f"hands_mean{side}": np.zeros(45) for side in "lr"}
    hands |= {f"hands_components{side}": np.eye(45) for side in "lr"}
    reference = smplx.SMPLH(
        model_path="",
        data_struct=smplx.utils.Struct(**arrays, **hands),
        vertex_ids=body.keypoint_vertices,
        create_transl=False,
        use_pca=False,
        batch_size=2,
    )
    axis_angle, betas, transl = pose
    axis_angle[:, 22:] = 0.0
    hands_face = toy_details(generator)
    expected = reference(
        betas=betas,
        global_orient=axis_angle[:, 0],
        body_pose=axis_angle[:, 1:22].reshape(2, -1),
        left_hand_pose=hands_face.fingers[:, 0, :15].reshape(2, -1),
        right_hand_pose=hands_face.fingers[:, 0, 15:].reshape(2, -1),
        transl=transl,
    )
    found = posed_whole(body, pose, hands_face)
    torch.testing.assert_close(found.vertices, expected.vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.joints[:, :22], expected.joints[:, :22], atol=1e-5, rtol=0)
    knuckles = expected.joints[:, [25, 40]]
    torch.testing.assert_close(found.joints[:, 22:], knuckles, atol=1e-5, rtol=0)


@pytest.mark.parametrize("directions", [20, 400])
def test_an_smplx_file_poses_like_smplx_fingers_and_face_too(
    tmp_path: Path, toy_smpl, pose, generator, directions: int
):
    path = tmp_path / "SMPLX_TOY.npz"
    arrays = toy_smplx(toy_smpl, directions)
    path.write_bytes(npz(**arrays, part2num=np.array({"Global": 0}, dtype=object)))
    body = load_body_model(path)
    assert body.beta_space == "smplx"
    hands = {f"hands_mean{side}": np.zeros(45) for side in "lr"}
    hands |= {f"hands_components{side}": np.eye(45) for side in "lr"}
    landmarks = {"lmk_faces_idx": np.zeros(51, int), "lmk_bary_coords": np.ones((51, 3)) / 3}
    (tmp_path / "plain.npz").write_bytes(npz(**arrays, **hands, **landmarks))
    reference = smplx.SMPLX(
        model_path=str(tmp_path / "plain.npz"),
        create_transl=False,
        use_pca=False,
        use_face_contour=False,
        batch_size=2,
    )
    reference.vertex_joint_selector = JointsAlone()  # its ids are of the real mesh
    axis_angle, betas, transl = pose
    axis_angle[:, 22:] = 0.0
    hands_face = toy_details(generator)
    expected = reference(
        betas=betas,
        global_orient=axis_angle[:, 0],
        body_pose=axis_angle[:, 1:22].reshape(2, -1),
        jaw_pose=hands_face.face[:, 0, 0],
        leye_pose=hands_face.face[:, 0, 1],
        reye_pose=hands_face.face[:, 0, 2],
        left_hand_pose=hands_face.fingers[:, 0, :15].reshape(2, -1),
        right_hand_pose=hands_face.fingers[:, 0, 15:].reshape(2, -1),
        expression=hands_face.expression[:, 0],
        transl=transl,
    )
    found = posed_whole(body, pose, hands_face)
    torch.testing.assert_close(found.vertices, expected.vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.joints[:, :22], expected.joints[:, :22], atol=1e-5, rtol=0)
    assert body.detail_regressors.keys() == {"fingers"}


def test_landmarks_of_an_smplx_file_are_the_points_of_its_face(tmp_path: Path, toy_smpl):
    arrays = toy_smplx(toy_smpl, 20)
    faces, weights = np.arange(51), np.tile([0.5, 0.25, 0.25], (51, 1))
    path = tmp_path / "face.npz"
    path.write_bytes(npz(**arrays, lmk_faces_idx=faces, lmk_bary_coords=weights))
    found = load_body_model(path).detail_regressors["face"] @ torch.eye(200)
    assert found[7, arrays["f"][7]].tolist() == [0.5, 0.25, 0.25]
    path.write_bytes(npz(**arrays, lmk_faces_idx=faces + 300, lmk_bary_coords=weights))
    with pytest.raises(BodyFileError, match="landmarks name face 350, but there are 300"):
        load_body_model(path)


def toy_smplx(toy_smpl, directions: int) -> dict[str, np.ndarray]:
    jaw_and_eyes = [15, 15, 15]
    hands = [parent + (0 if parent == 20 else 3) for parent in SMPLH_PARENTS[22:37]]
    hands += [parent + (0 if parent == 21 else 3) for parent in SMPLH_PARENTS[37:]]
    arrays = with_fingers(toy_smpl, 55, [*PARENTS[:22], *jaw_and_eyes, *hands])
    random = np.random.default_rng(2)
    arrays["shapedirs"] = random.normal(0, 0.01, (200, 3, directions))
    return arrays


def test_rest_details_change_nothing(tmp_path: Path, toy_smpl, pose):
    (tmp_path / "toy.npz").write_bytes(npz(**toy_smplx(toy_smpl, 20)))
    body = load_body_model(tmp_path / "toy.npz")
    assert isinstance(body, ArticulatedBody)
    pose[0][:, 22:] = 0.0
    resting = HandsFace.rest(pose[0][:, None])
    torch.testing.assert_close(
        posed_whole(body, pose, resting).vertices, posed(body, pose), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(body.skin_weights.sum(dim=1), torch.ones(200))


def test_smpls_joint_of_a_hand_turns_every_finger(tmp_path: Path, toy_smpl, pose):
    (tmp_path / "toy.npz").write_bytes(npz(**toy_smplx(toy_smpl, 20)))
    body = load_body_model(tmp_path / "toy.npz")
    axis_angle, betas, transl = pose
    turn = axis_angle[:, None, None, 22].clone()
    hands_face = HandsFace.rest(axis_angle[:, None])
    hands_face.fingers[:, :, 0:15:3] = turn
    by_hand = axis_angle.clone()
    by_hand[:, 23], axis_angle[:, 22:] = 0.0, 0.0
    found = posed_whole(body, (by_hand, betas, transl), HandsFace.rest(axis_angle[:, None]))
    expected = posed_whole(body, (axis_angle, betas, transl), hands_face)
    torch.testing.assert_close(found.vertices, expected.vertices, atol=1e-5, rtol=0)


def test_few_shape_directions_are_padded(tmp_path: Path, toy_smpl):
    toy_smpl["shapedirs"] = toy_smpl["shapedirs"][..., :6]
    np.savez(tmp_path / "toy.npz", **toy_smpl)
    assert load_body_model(tmp_path / "toy.npz").shapedirs[..., 6:].abs().max() == 0


def test_keypoints_are_found_on_any_mesh(tmp_path: Path, body: BodyModel):
    arrays = {
        "v_template": body.v_template.numpy(),
        "f": body.faces.numpy(),
        "weights": body.skin_weights.numpy(),
        "J_regressor": body.joint_regressor.numpy(),
        "shapedirs": body.shapedirs.numpy(),
        "kintree_table": np.array([PARENTS, range(24)]).astype(np.uint32),
    }
    np.savez(tmp_path / "toy.npz", **arrays)
    loaded = load_body_model(tmp_path / "toy.npz")
    assert loaded.keypoint_vertices == body.keypoint_vertices
    assert loaded.posedirs is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": None}, "lacks the arrays weights"),
        ({"weights": np.ones((200, 23))}, r"weights is \(200, 23\).*expected.*\(200, 24\)"),
        ({"v_template": np.full((200, 3), np.nan)}, "v_template holds numbers that are not finite"),
        ({"f": np.array([[0, 1, 200]])}, "vertex 200, but there are 200"),
        ({"J_regressor": np.zeros((16, 200))}, "16 joints; SMPL has 24"),
        ({"J_regressor": np.array(3.0)}, "0 joints; SMPL has 24"),
        ({"kintree_table": np.zeros((2, 24), np.uint32)}, "hang together in another way"),
        ({"v_template": np.full((200, 3), 1e60)}, "v_template holds numbers.*far too large"),
    ],
)
def test_files_that_are_no_body_are_a_sentence(tmp_path: Path, toy_smpl, change, message: str):
    contents = {**toy_smpl, **change}
    np.savez(
        tmp_path / "toy.npz",
        **{key: value for key, value in contents.items() if value is not None},
    )
    with pytest.raises(BodyFileError, match=message):
        load_body_model(tmp_path / "toy.npz")


def test_a_mesh_file_is_no_body(tmp_path: Path):
    path = tmp_path / "body.obj"
    path.write_text("v 0 0 0\nf 1 1 1\n")
    with pytest.raises(BodyFileError, match=r"body\.obj holds no arrays: it is"):
        load_body_model(path)


def test_a_list_is_no_body(tmp_path: Path):
    path = tmp_path / "body.pkl"
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(BodyFileError, match="holds a list"):
        load_body_model(path)


def test_a_missing_file_is_a_sentence(tmp_path: Path):
    with pytest.raises(BodyFileError, match=r"not there\.\nExpected a body model"):
        load_body_model(tmp_path / "missing.npz")


def test_what_to_install_is_said(tmp_path: Path, toy_smpl, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "smplx", None)
    np.savez(tmp_path / "toy.npz", **toy_smpl)
    with pytest.raises(BodyFileError, match="pip install smplx"):
        load_body_model(tmp_path / "toy.npz")
