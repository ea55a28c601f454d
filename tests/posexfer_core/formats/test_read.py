import dataclasses
import json
import logging
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.errors import ParamsError, UnknownFileError
from posexfer_core.formats.body_family import convert_betas
from posexfer_core.formats.meshcapade_smpl import save_smpl
from posexfer_core.formats.read import read_params
from posexfer_core.geometry.camera import project_perspective
from tests.posexfer_core.body.sample_params import random_params
from tests.posexfer_core.formats import samples
from tests.posexfer_core.formats.samples import Sample, tagged_body, write
from tests.posexfer_core.formats.variants import ALL

MOST_PX = 0.5


def load(sample: Sample, folder: Path, **options) -> HumanParams:
    return read_params(
        write(sample, folder),
        image_size=sample.size,
        body=tagged_body(sample.space),
        **options,
    )


def seen(params: HumanParams, space: str) -> tuple[np.ndarray, np.ndarray, BodyView]:
    """Pixels, world joints and view of every frame, with the body that made the sample."""
    body = tagged_body(space)
    view = BodyView.of(params, body, frame=None)
    in_world = dataclasses.replace(
        params, camera_from_world=torch.eye(4).repeat(params.frames, 1, 1)
    )
    world = BodyView.of(in_world, body, frame=None).joints
    pixels = project_perspective(view.joints.double(), view.intrinsics.double())
    return pixels.numpy(), world.numpy(), view


@pytest.mark.parametrize("name", ALL)
def test_every_format_is_recognised_by_its_content(tmp_path: Path, name: str, recognised):
    expected, make = ALL[name]
    path = write(make(), tmp_path)
    assert recognised(path.rename(tmp_path / "renamed.bin")) == expected


@pytest.mark.parametrize("name", ALL)
def test_joints_fall_where_the_tool_sees_them(tmp_path: Path, name: str):
    sample = ALL[name][1]()
    params = load(sample, tmp_path)
    assert params.beta_space == sample.space
    assert (params.frames, params.persons) == (len(sample.pose), 1)
    ours = Rotation.from_rotvec(params.pose.double().numpy().reshape(-1, 3))
    theirs = Rotation.from_rotvec(sample.pose.reshape(-1, 3))
    assert (ours.inv() * theirs).magnitude().max() < 1e-3
    pixels, world, view = seen(params, sample.space)
    if sample.pixels is not None:
        assert params.image_size in (samples.SIZE, (256, 256), (896, 896))
        assert np.abs(pixels - sample.pixels).max() < MOST_PX
        assert (view.joints[..., 2] > 0.1).all()
    if sample.joints is not None and not name.startswith("easymocap"):
        np.testing.assert_allclose(world, sample.joints, atol=1e-4)


@pytest.mark.parametrize("name", [name for name, (_, make) in ALL.items() if make().pixels is None])
def test_motions_without_a_camera_stand_upright_in_the_made_up_one(tmp_path: Path, name: str):
    sample = ALL[name][1]()
    pixels, _, view = seen(load(sample, tmp_path), sample.space)
    head, feet = pixels[:, 15], pixels[:, [10, 11]].mean(axis=1)
    assert (head[:, 1] < feet[:, 1]).all()
    assert (view.joints[..., 2] > 0.5).all()
    height, width = view.size
    assert ((pixels >= 0) & (pixels <= [width, height])).all()


@pytest.mark.parametrize("name", ["easymocap", "easymocap_smplx", "easymocap_layers"])
def test_easymocap_turns_about_the_origin(tmp_path: Path, name: str):
    sample = ALL[name][1]()
    params = load(sample, tmp_path)
    assert sample.joints is not None
    _, _, view = seen(params, sample.space)
    ours, theirs = view.joints[0].double().numpy(), sample.joints[0]
    turn, shift = _rigid(theirs, ours)
    np.testing.assert_allclose(theirs @ turn.T + shift, ours, atol=1e-4)
    up = [0, 1, 0] if name == "easymocap" else [0, -1, 0]
    np.testing.assert_allclose(turn @ up, [0, -1, 0], atol=1e-4)


def _rigid(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    left, _, right = np.linalg.svd((target - target.mean(0)).T @ (source - source.mean(0)))
    sign = np.diag([1, 1, np.linalg.det(left @ right)])
    turn = left @ sign @ right
    return turn, target.mean(0) - turn @ source.mean(0)


def test_people_without_a_place_are_seen_from_where_the_tool_saw_them(tmp_path: Path):
    one = samples.person(1)
    content = {"smpl": {"body_pose": one.pose[:, 1:], "global_orient": one.pose[:, 0]}}
    path = tmp_path / "humandata.npz"
    path.write_bytes(samples.npz(meta={"gender": ["male"]}, **content))
    params = read_params(path, body=tagged_body("smpl"))
    _, world, view = seen(params, "smpl")
    expected = world[0] - world[0, 0] + [0, 0, 4.2]  # turned as before the file's own camera
    np.testing.assert_allclose(view.joints[0].double().numpy(), expected, atol=1e-4)


def test_smpler_x_keeps_the_lens_of_each_person_in_another_folder(tmp_path: Path):
    one = samples.person(1, space="smplx")
    focal, center = np.array([1500.0, 1480.0]), np.array([610.0, 250.0])  # of the person's box
    for folder in ("smplx", "meta"):
        (tmp_path / folder).mkdir()
    path = tmp_path / "smplx" / "00001_0.npz"
    content = {
        "global_orient": one.pose[:, 0],
        "body_pose": one.pose[0, 1:22],
        "left_hand_pose": np.zeros((15, 3)),
        "right_hand_pose": np.zeros((15, 3)),
        "betas": one.betas,
        "transl": samples.SHIFT[:1],
    }
    path.write_bytes(samples.npz(**content))
    meta = {"focal": focal.tolist(), "princpt": center.tolist(), "bbox": [510, 100, 200, 300]}
    (tmp_path / "meta" / "00001_0.json").write_text(json.dumps(meta))
    params = read_params(path, image_size=samples.SIZE, body=tagged_body("smplx"))
    assert params.image_size == samples.SIZE
    pixels, _, _ = seen(params, "smplx")
    expected = samples.see(one.joints + samples.SHIFT[:1], focal, center)
    assert np.abs(pixels - expected).max() < MOST_PX
    assert read_params(path).image_size == (400, 710)


def test_agora_is_placed_near_its_joints_without_the_body_of_its_betas(tmp_path: Path):
    sample = ALL["agora_placed"][1]()
    params = read_params(write(sample, tmp_path), image_size=sample.size)
    assert sample.pixels is not None
    pixels, _, _ = seen(params, "smpl")
    assert (
        np.abs(pixels - sample.pixels)[0, :22].mean() < 10.0
    )  # the person is 700 px tall, its betas are unknown


def test_frames_and_persons_are_chosen(tmp_path: Path):
    path = write(samples.hmr2(), tmp_path)
    second = read_params(path, person=1)
    np.testing.assert_allclose(second.pose[0, 0], samples.person(2).pose[1], atol=1e-4)
    with pytest.raises(ParamsError, match="no person 2; the file holds 2"):
        read_params(path, person=2)
    path = write(samples.wham(), tmp_path)
    one = read_params(path, frame=2, image_size=samples.SIZE)
    np.testing.assert_allclose(one.transl[0, 0], samples.SHIFT[2], atol=1e-6)
    with pytest.raises(ParamsError, match="no frame 3; this person has 3"):
        read_params(path, frame=3)


def test_our_own_files_load_as_they_were_saved(tmp_path: Path, recognised):
    params = random_params(frames=2, persons=2)
    params.save(tmp_path / "ours.npz")
    assert recognised(tmp_path / "ours.npz") == "posexfer"
    read = read_params(tmp_path / "ours.npz", person=1)
    assert torch.equal(read.pose, params.pose[:, 1:])
    with pytest.raises(ParamsError, match="no frame 5"):
        read_params(tmp_path / "ours.npz", frame=5)


def test_smpl_files_load_as_they_were_saved(tmp_path: Path):
    params = dataclasses.replace(random_params(frames=2), beta_space="smpl")
    body = tagged_body("smpl")
    params = dataclasses.replace(params, betas=params.betas[:1].repeat(2, 1, 1))
    save_smpl(dataclasses.replace(params, frame_rate=24.0), tmp_path / "a.smpl", body=body)
    read = read_params(tmp_path / "a.smpl", body=body)
    assert read.frame_rate == 24.0
    flip = torch.tensor([1.0, -1.0, -1.0])  # from the camera's frame to y up
    expected = BodyView.of(params, body, frame=None).joints * flip
    _, world, _ = seen(read, "smpl")
    np.testing.assert_allclose(world, expected, atol=1e-4)
    assert torch.equal(read.betas, params.betas)
    with np.load(tmp_path / "a.smpl") as file:
        assert {file[key].dtype.name for key in file.files} <= {"int32", "float32"}
        assert file["bodyPose"].shape == (2, 24, 3)


def test_what_was_assumed_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = write(samples.wham(), tmp_path)
    with caplog.at_level(logging.WARNING):
        assert read_params(path).image_size == (1080, 1920)
    assert "Give image_size" in caplog.text


def test_another_bodys_betas_are_dropped_and_the_pelvis_stays(
    tmp_path: Path, body, caplog: pytest.LogCaptureFixture
):
    params = read_params(write(samples.wham(), tmp_path), image_size=samples.SIZE)
    suited = convert_betas(params, body)
    assert "mean shape of 'posexfer'" in caplog.text
    assert suited.beta_space == "posexfer"
    assert not suited.betas.any()
    pelvis = BodyView.of(suited, body, frame=None).joints[:, 0]
    mean_smpl = torch.tensor([-0.0018, -0.2233, 0.0282])
    torch.testing.assert_close(pelvis, params.transl[:, 0] + mean_smpl, atol=1e-5, rtol=0)
    assert convert_betas(suited, body) is suited


@pytest.mark.parametrize(
    ("arrays", "likeness", "advice"),
    [
        ({"weights": np.zeros((3, 4))}, "None of its names", "global_orient, body_pose"),
        ({"poses": np.zeros((3, 72))}, "most like AMASS", "trans is lacking"),
        (
            {"global_orientation": np.zeros((3, 3)), "body_pose": np.zeros((3, 63))},
            "smplx's layers",
            r"global_orient \(is it global_orientation\?\) is lacking",
        ),
        ({"skeleton_tree": 1, "root_translation": np.eye(3)}, "Isaac Gym's poselib", "BVH"),
        ({"R_cam2world": np.eye(3), "K_fullimg": np.eye(3)}, "a camera's path", "body_pose"),
        (
            {"v_template": np.zeros(3), "weights": np.zeros(3), "kintree_table": np.zeros(3)},
            "a body model",
            "--body",
        ),
    ],
)
def test_unknown_content_says_what_it_looks_like_and_what_is_lacking(
    tmp_path: Path, arrays, likeness, advice
):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UnknownFileError, match=likeness) as raised:
        read_params(tmp_path / "a.npz")
    assert re.search(advice, str(raised.value))
    lines = str(raised.value).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("a.npz is not recognised as body parameters. It holds {")
    assert max(map(len, lines)) < 400


def test_arrays_and_keypoints_are_named(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.zeros((9, 165)))
    with pytest.raises(UnknownFileError, match="as long as SMPL-X's poses"):
        read_params(tmp_path / "a.npy")
    points = [float(number) for number in range(1, 52)]
    (tmp_path / "a.json").write_text(json.dumps([{"image_id": 1, "keypoints": points}]))
    with pytest.raises(UnknownFileError, match="posexfer estimate IMAGE KEYPOINTS"):
        read_params(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("start", "kind"), [(b"Kaydara FBX Binary", "an FBX file"), (b"\x89HDF\r\n", "an HDF5 file")]
)
def test_files_of_other_kinds_are_named(tmp_path: Path, start, kind):
    (tmp_path / "a.fbx").write_bytes(start + bytes(99))
    with pytest.raises(ParamsError, match=kind):
        read_params(tmp_path / "a.fbx")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pose": np.zeros((3, 71))}, r"pose has shape \(3, 71\), expected rotations of 24"),
        ({"trans": np.zeros((2, 3))}, "trans has 2 rows of 3, expected 3"),
        ({"betas": np.array(["a"])}, "betas holds <U1, expected numbers"),
        ({"pose": np.full((3, 72), np.nan)}, "NaN or infinite"),
        ({"pose": np.ones((3, 24, 3, 3))}, "no rotations"),
    ],
)
def test_odd_numbers_are_named(tmp_path: Path, change: dict, message: str):
    sample = samples.wham()
    content = pickle.loads(sample.data)
    content[0] |= change
    sample.data = pickle.dumps(content)
    with pytest.raises(ParamsError, match=message):
        load(sample, tmp_path)


def test_latents_of_vposer_are_refused_with_a_way_out(tmp_path: Path):
    sample = samples.smplify_x()
    content = pickle.loads(sample.data)
    content["body_pose"] = np.zeros((1, 32))
    sample.data = pickle.dumps(content)
    with pytest.raises(ParamsError, match="32 numbers of VPoser"):
        load(sample, tmp_path)


def test_other_kinds_of_files_are_told_from_damaged_ones(tmp_path: Path):
    for data in (b"\x89PNG\r\n\x1a\n", b"hello", b"\0" * 20):
        (tmp_path / "a.pkl").write_bytes(data)
        with pytest.raises(ParamsError, match="holds no arrays: it is"):
            read_params(tmp_path / "a.pkl")
    with pytest.raises(ParamsError, match="cannot be read: File name too long"):
        read_params(tmp_path / ("x" * 300))
    with pytest.raises(ParamsError, match="no plain file"):
        read_params(Path("/dev/zero"))


@pytest.mark.parametrize("data", [b"", b"{", b"PK\x03\x04", b"\x93NUMPY", b"x\x9c", b"\x80\x04."])
def test_damaged_files_are_a_sentence(tmp_path: Path, data: bytes):
    path = tmp_path / "a.pkl"
    path.write_bytes(data)
    with pytest.raises(ParamsError, match=r"a\.pkl"):
        read_params(path)
    with pytest.raises(ParamsError, match="not there"):
        read_params(tmp_path / "none.pkl")
