import dataclasses
import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from posexfer_core.body.hands_face import HandsFace
from posexfer_core.body.motion import join_frames
from posexfer_core.formats.meshcapade_smpl import save_smpl
from posexfer_core.formats.read import read_params
from tests.posexfer_core.formats.samples import FRAMES, MIDDLE, SHIFT, npz, person

RANDOM = np.random.default_rng(5)
FINGERS = RANDOM.normal(0, 0.4, (FRAMES, 30, 3))
FACE = RANDOM.normal(0, 0.2, (FRAMES, 3, 3))
EXPRESSION = RANDOM.normal(0, 1.0, (FRAMES, 10))
BODY = person(space="smplx").pose[:, :22]
WHOLE = np.concatenate([BODY, FACE, FINGERS], axis=1)


def amass_smplh() -> bytes:
    poses = np.concatenate([BODY, FINGERS], axis=1).reshape(FRAMES, 156)
    return npz(poses=poses, trans=SHIFT, betas=np.zeros(16))


def amass_smplx() -> bytes:
    return npz(
        root_orient=BODY[:, 0],
        pose_body=BODY[:, 1:].reshape(FRAMES, 63),
        pose_hand=FINGERS.reshape(FRAMES, 90),
        pose_jaw=FACE[:, 0],
        pose_eye=FACE[:, 1:].reshape(FRAMES, 6),
        trans=SHIFT,
        betas=np.zeros(16),
    )


def codec() -> bytes:
    return npz(
        smplVersion=np.int32(2),
        bodyPose=BODY,
        headPose=FACE,
        leftHandPose=FINGERS[:, :15],
        rightHandPose=FINGERS[:, 15:],
        expressionParameters=np.pad(EXPRESSION, np.array([(0, 0), (0, 40)])),
    )


def layers(hands: Callable[[np.ndarray], np.ndarray]) -> bytes:
    return npz(
        global_orient=BODY[:, 0],
        body_pose=BODY[:, 1:],
        left_hand_pose=hands(FINGERS[:, :15]),
        right_hand_pose=hands(FINGERS[:, 15:]),
        jaw_pose=FACE[:, 0],
        leye_pose=FACE[:, 1],
        reye_pose=FACE[:, 2],
        expression=EXPRESSION,
    )


def matrices(vectors: np.ndarray) -> np.ndarray:
    turned = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix()
    return turned.reshape(*vectors.shape[:-1], 3, 3)


def prompthmr() -> bytes:
    shown = {"rotmat": matrices(WHOLE), "shape": np.zeros((FRAMES, 10)), "trans": SHIFT}
    people = {1: {"smplx_cam": shown}}
    lens = {"img_focal": 800.0, "img_center": MIDDLE}
    return pickle.dumps({"people": people, "camera_world": lens})


def easymocap() -> bytes:
    frames = [
        {
            "id": 0,
            "Rh": [[0, 0, 0]],
            "Th": [[0, 0, 0]],
            "poses": [WHOLE[at].ravel().tolist()],
            "expression": [EXPRESSION[at].tolist()],
        }
        for at in range(FRAMES)
    ]
    return json.dumps(frames).encode()


FILES: dict[str, tuple[Callable[[], bytes], Any, Any]] = {
    "AMASS SMPL-H": (amass_smplh, np.zeros_like(FACE), np.zeros_like(EXPRESSION)),
    "AMASS SMPL-X": (amass_smplx, FACE, np.zeros_like(EXPRESSION)),
    "codec": (codec, FACE, EXPRESSION),
    "layers": (lambda: layers(lambda hand: hand.reshape(FRAMES, 45)), FACE, EXPRESSION),
    "layers as matrices": (lambda: layers(matrices), FACE, EXPRESSION),
    "PromptHMR": (prompthmr, FACE, np.zeros_like(EXPRESSION)),
    "EasyMocap": (easymocap, FACE, EXPRESSION),
}
"""What writes it → file, face and expression; the fingers are the same."""


@pytest.mark.parametrize("name", FILES)
def test_fingers_and_face_are_read(tmp_path: Path, name: str):
    make, face, expression = FILES[name]
    (tmp_path / "a.bin").write_bytes(make())
    hands_face = read_params(tmp_path / "a.bin").hands_face
    assert hands_face is not None
    np.testing.assert_allclose(hands_face.fingers[:, 0], FINGERS, atol=1e-5)
    np.testing.assert_allclose(hands_face.face[:, 0], face, atol=1e-5)
    np.testing.assert_allclose(hands_face.expression[:, 0], expression, atol=1e-5)
    one = read_params(tmp_path / "a.bin", frame=1).hands_face
    assert one is not None
    np.testing.assert_allclose(one.fingers[0, 0], FINGERS[1], atol=1e-5)


def test_one_frame_of_multi_hmr_has_fingers_and_jaw(tmp_path: Path):
    human = {
        "rotvec": np.concatenate([BODY[0], FINGERS[0], FACE[0, :1]]),
        "shape": np.zeros(10),
        "expression": EXPRESSION[0],
        "transl_pelvis": SHIFT[:1],
    }
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([human]))
    hands_face = read_params(tmp_path / "a.pkl").hands_face
    assert hands_face is not None
    np.testing.assert_allclose(hands_face.fingers[0, 0], FINGERS[0], atol=1e-6)
    np.testing.assert_allclose(hands_face.face[0, 0], [FACE[0, 0], [0] * 3, [0] * 3], atol=1e-6)
    np.testing.assert_allclose(hands_face.expression[0, 0], EXPRESSION[0], atol=1e-6)


def test_eyes_that_are_no_rotations_stay_at_rest(tmp_path: Path):
    params = {
        "global_orient": matrices(BODY[:1, None, 0]),
        "body_pose": matrices(BODY[:1, 1:]),
        "jaw_pose": matrices(FACE[:1, None, 0]),
        "leye_pose": np.zeros((1, 1, 3, 3)),
        "reye_pose": np.zeros((1, 1, 3, 3)),
        "transl": np.zeros((1, 3)),
    }
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"params": params, "pose2rot": False}))
    hands_face = read_params(tmp_path / "a.pkl").hands_face
    assert hands_face is not None
    np.testing.assert_allclose(hands_face.face[0, 0], [FACE[0, 0], [0] * 3, [0] * 3], atol=1e-5)


def test_hands_as_components_stay_at_rest(tmp_path: Path):
    data = layers(lambda hand: hand.reshape(FRAMES, 45)[:, :6])
    (tmp_path / "a.npz").write_bytes(data)
    hands_face = read_params(tmp_path / "a.npz").hands_face
    assert hands_face is not None
    assert not hands_face.fingers.any()
    assert hands_face.face.any()


def test_details_of_other_shapes_stay_at_rest(tmp_path: Path):
    content = dict(np.load(io.BytesIO(amass_smplx())))
    content["pose_hand"] = np.ones((FRAMES, 24))  # components
    (tmp_path / "a.npz").write_bytes(npz(**content))
    hands_face = read_params(tmp_path / "a.npz").hands_face
    assert hands_face is not None
    assert not hands_face.fingers.any() and hands_face.face.any()
    content = dict(np.load(io.BytesIO(codec())))
    content["expressionParameters"] = np.ones((FRAMES + 1, 10))
    content["leftHandPose"] = np.ones(6)
    (tmp_path / "a.smpl").write_bytes(npz(**content))
    hands_face = read_params(tmp_path / "a.smpl").hands_face
    assert hands_face is not None
    assert not hands_face.expression.any() and not hands_face.fingers[..., :15, :].any()


def test_bodies_of_24_joints_have_no_details(tmp_path: Path):
    poses = person().flat
    (tmp_path / "a.npz").write_bytes(npz(poses=poses, trans=SHIFT))
    assert read_params(tmp_path / "a.npz").hands_face is None


def test_details_survive_a_smpl_file_and_our_own(tmp_path: Path):
    (tmp_path / "a.smpl").write_bytes(codec())
    params = read_params(tmp_path / "a.smpl")
    save_smpl(params, tmp_path / "b.smpl")
    params.save(tmp_path / "c.npz")
    for name in ("b.smpl", "c.npz"):
        hands_face = read_params(tmp_path / name).hands_face
        assert hands_face is not None and params.hands_face is not None
        for part in ("fingers", "face", "expression"):
            ours, before = getattr(hands_face, part), getattr(params.hands_face, part)
            np.testing.assert_array_equal(ours, before)


def test_frames_without_details_are_at_rest_in_a_sequence(tmp_path: Path):
    (tmp_path / "a.smpl").write_bytes(codec())
    params = read_params(tmp_path / "a.smpl")
    plain = dataclasses.replace(params, hands_face=None)
    joined = join_frames([params, plain])
    assert isinstance(joined.hands_face, HandsFace)
    assert joined.hands_face.fingers[:FRAMES].any() and not joined.hands_face.fingers[FRAMES:].any()
    assert join_frames([plain, plain]).hands_face is None
