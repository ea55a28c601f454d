from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from posexfer_core.body.joints import JOINT_INDEX, JOINT_NAMES
from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.errors import OutputError, ParamsError
from posexfer_core.export.bvh import save_bvh, zxy_angles
from posexfer_core.files.bvh_text import parse_bvh
from posexfer_core.formats.bvh_bone_names import match_bones, plain_name
from posexfer_core.formats.read import read_params
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from posexfer_core.geometry.so3 import exp_map, log_map
from tests.posexfer_core.body.sample_params import random_params
from tests.posexfer_core.formats.bvh_samples import (
    A_POSE,
    BIPED,
    CMU,
    DAZ,
    MIXAMO,
    SMPL,
    Z_UP,
    bvh_text,
    world_of,
)

REPORTED = Path(__file__).parents[2] / "data/reported_cases"

TWO_BONES = """HIERARCHY
ROOT a
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT b
  {
    OFFSET 0 2 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 1 0
    }
  }
}
MOTION
Frames: 1
Frame Time: 0.04
1 2 3 90 0 0 0 90 0
"""


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


def about(axis: int, angle: float) -> np.ndarray:
    """Turn about one of the axes, radians."""
    return exp_map(angle * np.eye(3)[axis])


def joints_of(body: BodyModel, params: HumanParams) -> np.ndarray:
    _, places = world_of(body, params.pose[:, 0])
    return places + params.transl[:, 0, None].double().numpy()


def test_bones_hang_on_each_other_and_turn_in_the_channels_order():
    bvh = parse_bvh(TWO_BONES.encode(), "a.bvh")
    rotations, places = bvh.world()
    # a quarter turn about z lays the bone along -x
    np.testing.assert_allclose(places[0], [[1, 2, 3], [-1, 2, 3]], atol=1e-12)
    quarter = about(2, np.pi / 2) @ about(0, np.pi / 2)
    np.testing.assert_allclose(rotations[0, 1], quarter, atol=1e-12)
    assert bvh.frame_time == 0.04
    np.testing.assert_allclose(bvh.rest(), [[0, 0, 0], [0, 2, 0]])


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


def test_exported_motions_come_back_to_a_ten_thousandth_radian(tmp_path, body: BodyModel):
    params = random_params(4)
    save_bvh(replace(params, frame_rate=24.0), body, tmp_path / "a.bvh")
    found = read_params(tmp_path / "a.bvh", body=body)
    torch.testing.assert_close(
        found.rotations[:, :, 1:], params.rotations[:, :, 1:], atol=2e-5, rtol=0
    )
    y_up = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    torch.testing.assert_close(
        found.rotations[:, :, 0], y_up @ params.rotations[:, :, 0], atol=2e-5, rtol=0
    )
    assert found.frame_rate == pytest.approx(24.0, rel=1e-4)


def test_angles_are_those_of_the_channels_even_at_a_right_angle():
    random = np.random.default_rng(0)
    turns = axis_angle_to_matrix(torch.from_numpy(random.normal(0, 2, (50, 3)))).numpy()
    right = about(2, 0.7) @ about(0, np.pi / 2)
    for rotation in (*turns, right):
        z, x, y = zxy_angles(rotation)
        again = about(2, z) @ about(0, x) @ about(1, y)
        np.testing.assert_allclose(again, rotation, atol=1e-7)
    np.testing.assert_allclose(zxy_angles(about(0, 1.0)), [0, 1, 0])


def test_a_folder_that_is_not_there_gets_a_sentence(tmp_path, body: BodyModel):
    with pytest.raises(OutputError, match="cannot be written"):
        save_bvh(random_params(), body, tmp_path / "none" / "a.bvh")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("mixamorig:LeftUpLeg", "leftupleg"),
        ("m_avg_L_Hip", "lhip"),
        ("Bip01 L Thigh", "lthigh"),
        ("mixamorig1:Hips", "hips"),
        ("thigh.L", "thighl"),
    ],
)
def test_prefixes_and_signs_are_stripped(name, plain):
    assert plain_name(name) == plain


@pytest.mark.parametrize(
    ("pelvis", "sides", "bones"),
    [
        ("Ch1_Hips", ("Left", "Right"), "Ch1_{}UpLeg Ch1_{}Leg Ch1_{}Arm Ch1_{}ForeArm"),
        ("J_B_C_Hips", "LR", "J_B_{}_UpperLeg J_B_{}_LowerLeg J_B_{}_UpperArm J_B_{}_LowerArm"),
        ("DEF-spine", "LR", "DEF-thigh.{} DEF-shin.{} DEF-upper_arm.{} DEF-forearm.{}"),
        ("root.x", "lr", "thigh_stretch.{} leg_stretch.{} arm_stretch.{} forearm_stretch.{}"),
        ("hip", "lr", "{}ThighBend {}Shin {}ShldrBend {}ForearmBend"),
        ("SpineBase", ("Left", "Right"), "Hip{} Knee{} Shoulder{} Elbow{}"),
        ("Skeleton_Hip", "LR", "Skeleton_{}Thigh Skeleton_{}Shin Skeleton_{}UArm Skeleton_{}FArm"),
        ("root", "LR", "upperleg01.{} lowerleg01.{} upperarm01.{} lowerarm01.{}"),
        ("Hip_01", "lr", "{}_thigh_02 {}_shin_03 {}_upperarm_04 {}_forearm_055"),
        ("root", "lr", "{}_upleg {}_lowleg {}_uparm {}_lowarm"),
    ],
)
def test_rigs_are_known_by_their_tree_and_without_what_all_names_share(pelvis, sides, bones):
    names = [pelvis, *(name.format(side) for side in sides for name in bones.split())]
    found = match_bones(names, [-1, 0, 1, 0, 3, 0, 5, 0, 7])
    parts = [f"{side}_{part}" for side in "lr" for part in ("hip", "knee", "shoulder", "elbow")]
    assert found == dict(zip(["pelvis", *parts], range(9), strict=True))


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


@pytest.mark.parametrize(
    "respell",
    [
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("OFFSET ", "OFFSET\n\t"),
        lambda text: text.replace(" ", "\t"),
        lambda text: " ".join(text.split()).replace(" MOTION", "\nMOTION"),
        lambda text: text.replace("HIERARCHY", "Hierarchy").replace("MOTION", "Motion"),
        lambda text: text.replace("Frames:", "Frames :"),
    ],
)
def test_any_white_space_and_case_will_do(respell):
    text = (REPORTED / "classic_tab.bvh").read_text()
    plain, other = (parse_bvh(one.encode(), "a.bvh") for one in (text, respell(text)))
    assert plain.names == other.names and plain.parents == other.parents
    np.testing.assert_array_equal(plain.offsets, other.offsets)
    np.testing.assert_array_equal(plain.rotations, other.rotations)


@pytest.mark.parametrize("motion", ["", "MOTION\nFrames: 0\nFrame Time: 0.04\n"])
def test_a_skeleton_without_motion_is_one_frame_at_rest(motion, caplog):
    still = parse_bvh((TWO_BONES.partition("MOTION")[0] + motion).encode(), "a.bvh")
    np.testing.assert_array_equal(still.world()[1], [[[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
    assert "holds no motion" in caplog.text


def test_frames_without_a_length_are_thirty_a_second(caplog):
    moving = parse_bvh(TWO_BONES.replace("0.04", "0").encode(), "a.bvh")
    assert moving.frame_time == pytest.approx(1 / 30)
    assert "30 frames a second" in caplog.text


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


def test_shoulders_are_collars_where_there_are_arms():
    names = ["Hips", "LeftShoulder", "LeftArm", "L_Ankle", "L_Foot"]
    found = match_bones(names, [-1, 0, 1, 0, 3])
    assert found["l_collar"] == 1 and found["l_shoulder"] == 2
    assert found["l_ankle"] == 3 and found["l_foot"] == 4


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
