import json
import logging
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.pose_editing import mirrored
from posexfer_core.body.view import BodyView
from posexfer_core.cli import main
from posexfer_core.formats.body_family import convert_betas
from posexfer_core.formats.read import read_params
from tests.posexfer_core.body.sample_params import random_params
from tests.posexfer_core.body.test_pose_editing import turned_camera


@pytest.fixture
def motion(tmp_path: Path) -> Path:
    """Six frames of the mean shape at 30 frames per second, before a camera that is turned."""
    params = random_params(6)
    params = replace(
        params,
        betas=torch.zeros_like(params.betas),
        frame_rate=30.0,
        camera_from_world=turned_camera(6),
    )
    params.save(tmp_path / "motion.npz")
    return tmp_path / "motion.npz"


def convert(*arguments: object) -> int:
    return main(["convert", *map(str, arguments)])


def y_up_joints(params: HumanParams, body: BodyModel) -> torch.Tensor:
    """Joints as the camera sees them, y up, metres."""
    return BodyView.of(params, body, frame=None).joints * torch.tensor([1.0, -1.0, -1.0])


def world_joints(params: HumanParams, body: BodyModel) -> torch.Tensor:
    with torch.no_grad():
        return body(params.rotations[:, 0], params.betas[:, 0], params.transl[:, 0]).joints


@pytest.mark.parametrize("suffix", [".bvh", ".smpl"])
def test_a_round_trip_keeps_every_joint_to_a_tenth_of_a_millimetre(
    motion: Path, body: BodyModel, suffix: str, caplog
):
    """Angles of nine joints in a row, rounded to float32, move a joint by a few micrometres."""
    middle, back = motion.with_suffix(suffix), motion.with_name("back.npz")
    assert convert(motion, middle) == 0
    assert convert(middle, back) == 0
    found = convert_betas(HumanParams.load(back), body)
    expected = y_up_joints(HumanParams.load(motion), body)
    torch.testing.assert_close(world_joints(found, body), expected, atol=1e-4, rtol=0)
    assert found.frame_rate == pytest.approx(30.0, rel=1e-6)
    assert ("mean shape is written" in caplog.text) == (suffix == ".smpl")


def test_parameters_stay_what_they_are(motion: Path):
    assert convert(motion, motion.with_name("same.npz")) == 0
    one, two = HumanParams.load(motion), HumanParams.load(motion.with_name("same.npz"))
    assert torch.equal(one.pose, two.pose)
    assert torch.equal(one.camera_from_world, two.camera_from_world)


def test_betas_of_another_body_are_kept_where_the_file_can_hold_them(motion: Path):
    params = replace(random_params(2), beta_space="smplx", frame_rate=25.0)
    params = replace(params, betas=params.betas[:1].expand(2, -1, -1))
    params.save(motion)
    smpl, back = motion.with_suffix(".smpl"), motion.with_name("back.npz")
    assert convert(motion, smpl) == 0
    assert convert(smpl, back) == 0
    found = HumanParams.load(back)
    assert found.beta_space == "smplx"
    torch.testing.assert_close(found.betas, params.betas)


def test_a_skinned_glb_holds_the_motion_and_a_plain_one_the_posed_mesh(
    motion: Path, body: BodyModel
):
    glb = motion.with_suffix(".glb")
    assert convert(motion, glb) == 0
    data = glb.read_bytes()
    document = json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])
    clock = document["accessors"][document["animations"][0]["samplers"][0]["input"]]
    assert clock["count"] == 6
    assert clock["max"] == pytest.approx([5 / 30])
    assert convert(motion, glb, "--frame", 2, "--no-skeleton") == 0
    trimesh = pytest.importorskip("trimesh")
    mesh = trimesh.load(glb, force="mesh", process=False)
    view = BodyView.of(HumanParams.load(motion), body, frame=2)
    assert mesh.vertices.shape == (len(body.v_template), 3)
    np.testing.assert_allclose(
        np.ptp(mesh.vertices, axis=0), np.ptp(view.vertices[0].numpy(), axis=0), atol=1e-4
    )


def test_frames_are_chosen_and_resampled(motion: Path):
    out, params = motion.with_name("out.npz"), HumanParams.load(motion)
    for arguments, frames, rate in (
        (["--frame", 3], [3], 30.0),
        (["--frames", "1:4"], [1, 2, 3], 30.0),
        (["--frames", "1::2"], [1, 3, 5], 15.0),
        (["--frames", ":2"], [0, 1], 30.0),
        (["--rate", 15], [0, 2, 4], 15.0),
        (["--rate", 15, "--input-rate", 60], [0, 4], 15.0),
        (["--count", 2], [0, 5], 6.0),
    ):
        assert convert(motion, out, *arguments) == 0
        found = HumanParams.load(out)
        torch.testing.assert_close(found.pose, params.pose[frames], atol=1e-5, rtol=0)
        assert found.frame_rate == pytest.approx(rate)
    assert convert(motion, out, "--mirror") == 0
    assert torch.equal(HumanParams.load(out).pose, mirrored(params).pose)


def test_one_of_several_persons_must_be_chosen(tmp_path: Path, capsys):
    params = random_params(2, 3)
    params.save(tmp_path / "people.npz")
    assert convert(tmp_path / "people.npz", tmp_path / "out.npz") == 2
    assert "holds 3, counted from 0" in capsys.readouterr().err
    assert convert(tmp_path / "people.npz", tmp_path / "out.npz", "--person", 2) == 0
    assert torch.equal(read_params(tmp_path / "out.npz").pose, params.pose[:, 2:])


def test_what_cannot_be_done_is_one_sentence(motion: Path, tmp_path: Path, capsys):
    replace(random_params(2), frame_rate=None).save(tmp_path / "still.npz")
    (tmp_path / "folder.bvh").mkdir()
    (tmp_path / "body.obj").write_text("v 0 0 0\n")
    for arguments, expected in (
        ((motion, tmp_path / "out.fbx"), "written are .npz, .bvh, .glb, .smpl"),
        ((motion, tmp_path / "none" / "out.bvh"), "there is no folder"),
        ((motion, tmp_path / "folder.bvh"), "it is a folder"),
        ((tmp_path / "none.npz", tmp_path / "out.bvh"), "not there"),
        ((motion, tmp_path / "out.bvh", "--frame", 6), "no frame 6"),
        ((motion, tmp_path / "out.bvh", "--frames", "2:9"), "has 6 frame(s)"),
        ((motion, tmp_path / "out.bvh", "--frames", "7:"), "has 6 frame(s)"),
        ((motion, tmp_path / "out.bvh", "--person", 1), "no person 1"),
        ((motion, tmp_path / "out.glb", "--no-skeleton"), "choose one with --frame"),
        ((tmp_path / "still.npz", tmp_path / "out.bvh", "--rate", 24), "--input-rate"),
        ((motion, tmp_path / "out.bvh", "--format", "wham"), "WHAM"),
        ((tmp_path / "body.obj", tmp_path / "out.bvh", "--frame", 1), "is a mesh"),
    ):
        before = sorted(tmp_path.iterdir())
        assert convert(*arguments) == 2, arguments
        assert expected in capsys.readouterr().err
        assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("text", ["5", "5:5", "5:3", "a:b", "1:2:0", "-1:4", "1:2:3:4"])
def test_ranges_without_a_frame_are_refused(motion: Path, text: str, capsys):
    with pytest.raises(SystemExit):
        convert(motion, motion.with_suffix(".bvh"), f"--frames={text}")
    assert "--frames" in capsys.readouterr().err


def test_help_names_every_kind_of_file(capsys):
    with pytest.raises(SystemExit):
        convert("--help")
    shown = capsys.readouterr().out
    assert all(suffix in shown for suffix in (".npz", ".bvh", ".glb", ".smpl"))


def test_a_mesh_becomes_a_motion_of_one_frame(body: BodyModel, tmp_path: Path, caplog):
    trimesh = pytest.importorskip("trimesh")
    params = random_params(1, seed=3)
    params = replace(params, betas=torch.zeros_like(params.betas))
    vertices = BodyView.of(params, body).vertices[0].numpy() * [1.0, -1.0, -1.0]
    trimesh.Trimesh(vertices, body.faces.numpy(), process=False).export(tmp_path / "body.ply")
    with caplog.at_level(logging.WARNING):
        assert convert(tmp_path / "body.ply", tmp_path / "out.npz", "--mesh-up", "y") == 0
    found = HumanParams.load(tmp_path / "out.npz")
    expected = y_up_joints(params, body)
    torch.testing.assert_close(world_joints(found, body), expected, atol=2e-3, rtol=0)
