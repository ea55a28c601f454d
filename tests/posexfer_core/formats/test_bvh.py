from pathlib import Path

import numpy as np
import pytest
import torch

from posexfer_core.body.joints import JOINT_INDEX, JOINT_NAMES
from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.errors import ParamsError
from posexfer_core.formats.read import read_params
from posexfer_core.geometry.so3 import exp_map, log_map
from tests.posexfer_core.body.sample_params import random_params
from tests.posexfer_core.formats.bvh_samples import (
    A_POSE,
    BIPED,
    CMU,
    DAZ,
    MIXAMO,
    SMPL,
    TWO_BONES,
    Z_UP,
    bvh_text,
    world_of,
)

REPORTED = Path(__file__).parents[2] / "data/reported_cases"


def motion(frames: int = 3) -> HumanParams:
    """A person who stands y up and moves, without hands or toes of their own."""
    params = random_params(frames)
    pose = params.pose.clone()
    pose[..., 0, :] = 0.2 * pose[..., 0, :]
    pose[..., [10, 11, 22, 23], :] = 0.0
    zeros = torch.zeros_like(params.betas)
    return HumanParams(
        pose=pose,
        betas=zeros,
        transl=params.transl,
        intrinsics=params.intrinsics,
        image_size=params.image_size,
    )


def joints_of(body: BodyModel, params: HumanParams) -> np.ndarray:
    _, places = world_of(body, params.pose[:, 0])
    return places + params.transl[:, 0, None].double().numpy()


@pytest.mark.parametrize("names", [MIXAMO, CMU, SMPL, BIPED], ids=["mixamo", "cmu", "smpl", "bip"])
@pytest.mark.parametrize("rest", [{}, A_POSE], ids=["T", "A"])
def test_motions_of_other_rigs_move_the_joints_alike(
    tmp_path, body: BodyModel, names, rest, recognised
):
    params = motion()
    (tmp_path / "a.bvh").write_text(bvh_text(body, params, names, rest=rest))
    found = read_params(tmp_path / "a.bvh", body=body)
    assert recognised(tmp_path / "a.bvh") == "bvh"
    gaps = np.linalg.norm(joints_of(body, found) - joints_of(body, params), axis=-1)
    assert gaps.max() < 0.004, dict(zip(JOINT_NAMES, gaps.max(0).round(3), strict=True))
    assert found.frame_rate == pytest.approx(30.0, rel=1e-4)


def test_bones_that_all_lie_along_their_own_x_are_measured_by_a_frame(tmp_path, body: BodyModel):
    params = motion()
    params.pose[1] = 0.0  # of the three frames this one is like SMPL's rest pose
    text = bvh_text(body, params, MIXAMO, along_x=True)
    (tmp_path / "a.bvh").write_text(text)
    found = read_params(tmp_path / "a.bvh", body=body)
    gaps = np.linalg.norm(joints_of(body, found) - joints_of(body, params), axis=-1)
    assert gaps.max() < 0.004, dict(zip(JOINT_NAMES, gaps.max(0).round(3), strict=True))


def test_z_up_inches_and_a_single_spine_bone_are_understood(tmp_path, body: BodyModel):
    params = motion()
    params.pose[:, :, [3, 6, 9]] = params.pose[:, :, [9]] / 3
    text = bvh_text(body, params, DAZ, axes=Z_UP, scale=1 / 0.0254)
    (tmp_path / "a.bvh").write_text(text)
    found = read_params(tmp_path / "a.bvh", body=body)
    gaps = np.linalg.norm(joints_of(body, found) - joints_of(body, params) @ Z_UP.T, axis=-1)
    assert gaps.max() < 0.03, dict(zip(JOINT_NAMES, gaps.max(0).round(3), strict=True))


def test_the_camera_sees_the_person_from_the_front(tmp_path, body: BodyModel):
    (tmp_path / "a.bvh").write_text(bvh_text(body, motion(1), MIXAMO))
    found = read_params(tmp_path / "a.bvh", body=body)
    joints = joints_of(body, found)[0] @ found.camera_from_world[0, :3, :3].double().numpy().T
    assert joints[15, 1] < joints[0, 1], "the head is up"
    assert joints[1, 0] > joints[2, 0], "the left hip is on the right"


def along_z(params: HumanParams, turn: np.ndarray) -> HumanParams:
    """Turn a y-up motion in the world, its skeleton as it is."""
    roots = turn @ exp_map(params.pose[:, 0, 0].double().numpy())
    params.pose[:, 0, 0] = torch.from_numpy(log_map(roots)).float()
    return params


@pytest.mark.parametrize("upright", [Z_UP, np.diag([1.0, -1.0, -1.0])], ids=["z", "-y"])
def test_a_motion_along_another_axis_than_the_skeleton_stands(
    tmp_path, body: BodyModel, upright, caplog
):
    params = motion()
    params.pose[:, :, :3] = torch.tensor([0.0, 0.4, 0.0])  # slightly turned, no lean
    text = bvh_text(body, along_z(params, upright), MIXAMO)
    (tmp_path / "a.bvh").write_text(text)
    found = read_params(tmp_path / "a.bvh", body=body)
    camera = found.camera_from_world[:, :3, :3].double().numpy()
    joints = joints_of(body, found) @ camera.swapaxes(1, 2)
    assert (joints[:, 7, 1] - joints[:, 15, 1] > 1.0).all(), "the head is above the ankles"
    assert "people stand along" in caplog.text


def test_who_crawls_is_not_stood_up(tmp_path, body: BodyModel, caplog):
    params = motion()
    params.pose[:, 0] = 0.0
    params.pose[:, 0, 0, 0] = np.pi / 2.0  # the spine along z
    params.pose[:, 0, 1:3, 0] = -np.pi / 2.0  # the thighs below the hips
    (tmp_path / "a.bvh").write_text(bvh_text(body, params, MIXAMO))
    found = read_params(tmp_path / "a.bvh", body=body)
    np.testing.assert_allclose(found.camera_from_world[0, 1, :3], [0.0, -1.0, 0.0], atol=1e-6)
    assert "people stand along" not in caplog.text


def test_an_actor_of_another_size_keeps_the_pose_and_the_floor(tmp_path, body: BodyModel):
    params = motion()
    (tmp_path / "a.bvh").write_text(bvh_text(body, params, MIXAMO, scale=123.0))
    found = read_params(tmp_path / "a.bvh", body=body)
    gaps = np.linalg.norm(joints_of(body, found) - joints_of(body, params), axis=-1)
    assert gaps.max() < 0.004


@pytest.mark.parametrize("name", ["m_tab.bvh", "m_hik.bvh"])
def test_tabs_and_prefixes_change_nothing(name):
    plain, other = read_params(REPORTED / "m.bvh"), read_params(REPORTED / name)
    assert torch.equal(plain.pose, other.pose) and torch.equal(plain.transl, other.transl)


def test_a_classic_motion_raises_an_arm_and_a_thigh(body: BodyModel):
    places = joints_of(body, read_params(REPORTED / "classic_tab.bvh"))
    arm, thigh = (
        places[1, JOINT_INDEX[end]] - places[1, JOINT_INDEX[start]]
        for start, end in (("l_shoulder", "l_elbow"), ("r_hip", "r_knee"))
    )
    np.testing.assert_allclose(arm / np.linalg.norm(arm), (0.985, -0.174, 0.0), atol=0.02)
    np.testing.assert_allclose(thigh / np.linalg.norm(thigh), (0.0, -0.766, 0.643), atol=0.02)


def test_remarks_are_passed_wherever_they_are(tmp_path, body: BodyModel):
    text = bvh_text(body, motion(2), MIXAMO)
    lines = ["# exported", "// by a tool", *text.splitlines()]
    lines.insert(6, "  # a bone")
    (tmp_path / "a.bvh").write_text("\ufeff" + "\n".join(lines))
    (tmp_path / "b.bvh").write_text(text)
    remarked, plain = (read_params(tmp_path / f"{name}.bvh") for name in "ab")
    assert torch.equal(remarked.pose, plain.pose)


@pytest.mark.parametrize(
    ("axes", "up"),
    [
        ([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], (1.0, 0.0, 0.0)),
        ([[1, 0, 0], [0, 0, 1], [0, -1, 0]], (0.0, 0.0, -1.0)),
    ],
    ids=["x", "-z"],
)
def test_a_skeleton_along_any_axis_stands(tmp_path, body: BodyModel, axes, up):
    (tmp_path / "a.bvh").write_text(bvh_text(body, motion(2), MIXAMO, axes=np.array(axes, float)))
    read = read_params(tmp_path / "a.bvh", body=body)
    down = read.camera_from_world[0, 1, :3].numpy()
    np.testing.assert_allclose(down, -np.array(up), atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("MOTION", "", "without its MOTION"),
        ("Frames: 1", "", "without `Frames:`"),
        ("Frames: 1", "Frames: 999999999999", "too many"),
        ("Frames: 1", "Frames: 2", "cut off"),
        ("Frame Time: 0.04", "Frame Time: inf", "a frame lasts"),
        ("1 2 3 90", "1 2 nan 90", "NaN"),
        ("OFFSET 0 2 0", "OFFSET 0 2", "fewer than three"),
        ("OFFSET 0 2 0", "OFFSET 0 x 0", "damaged"),
        ("CHANNELS 3", "CHANNELS 2", "not a count"),
        ("ROOT a", "ROOT a }", "damaged"),
        ("90", "90", "no bone that is known"),
    ],
)
def test_damaged_motions_get_a_sentence(tmp_path, old, new, words):
    (tmp_path / "a.bvh").write_text(TWO_BONES.replace(old, new, 1))
    with pytest.raises(ParamsError, match=words):
        read_params(tmp_path / "a.bvh")


def test_mutated_motions_are_read_or_refused(tmp_path, body: BodyModel):
    text = bvh_text(body, motion(2), MIXAMO)
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        data = bytearray(text.encode())
        for _ in range(random.integers(1, 6)):
            at = int(random.integers(len(data)))
            match random.integers(4):
                case 0:
                    data[at] = random.integers(256)
                case 1:
                    del data[max(at, 20) :]
                case 2:
                    data[at:at] = random.bytes(3)
                case _:
                    data[at : at + 1] = (b"{", b"}", b"nan", b"1e999", b"-")[random.integers(5)]
        (tmp_path / "a.bvh").write_bytes(bytes(data))
        try:
            read_params(tmp_path / "a.bvh", body=body)
        except ParamsError:
            refused += 1
    assert 30 < refused < 150
