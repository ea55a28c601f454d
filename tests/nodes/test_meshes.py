"""Mesh files through Load SMPL Mesh, and on to the nodes that take a body."""

import numpy as np
import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.geometry.rotations import axis_angle_to_matrix

trimesh = pytest.importorskip("trimesh")
pytest.importorskip("scipy")


@pytest.fixture(scope="module")
def person(host):
    """A mesh in the input folder: arms half down, in centimetres, every face cut in four."""
    body = BodyModel.bundled()
    pose = torch.zeros(1, 24, 3)
    pose[0, 16, 2], pose[0, 17, 2] = -0.6, 0.6
    posed = body(axis_angle_to_matrix(pose), torch.zeros(1, 10), torch.zeros(1, 3))
    mesh = trimesh.Trimesh(100.0 * posed.vertices[0].numpy(), body.faces.numpy(), process=False)
    mesh = mesh.subdivide()
    mesh.export(host.base / "input" / "person.glb")
    trimesh.creation.icosphere(radius=0.4).export(host.base / "input" / "ball.ply")
    return mesh


@pytest.fixture(scope="module")
def loaded(pack, person):
    return pack.run("LoadSMPLMesh", file="input/person.glb")


def test_mesh_files_are_offered(pack, person):
    offered = pack.module("nodes.host.paths").list_params()
    assert {"input/person.glb", "input/ball.ply"} <= set(offered)


def test_a_mesh_becomes_a_body_a_mesh_and_a_preview(loaded, person):
    body, mesh, preview = loaded
    assert mesh.vertices.shape == (1, len(person.vertices), 3)
    height = float(np.ptp(mesh.vertices[0, :, 1].numpy()))
    assert height == pytest.approx(np.ptp(person.vertices[:, 1]) / 100.0, abs=1e-3)
    assert body.model.canonical.shape == (len(person.vertices), 3)
    assert preview.std() > 0.05


def test_a_mesh_can_be_retargeted_and_rendered(pack, loaded):
    pose = pack.run("LoadSMPLMesh", file="demo/walking.npz")[0]
    body = pack.run("RetargetBody", source_body=loaded[0], target_body=pose)[0]
    mask = pack.run("RenderBodyMaps", body=body, width=88, height=128)[3]
    assert 0.02 < float(mask.mean()) < 0.6


def test_what_is_no_person_is_refused_in_words(pack, person):
    with pytest.raises(Exception, match="not recognised as one person"):
        pack.run("LoadSMPLMesh", file="input/ball.ply")


def test_a_body_is_written_with_its_skeleton(host, pack, loaded):
    name = pack.run("BodyToGLB", body=loaded[0], skeleton=True)[0]
    scene = trimesh.load_scene(host.base / "output" / name)
    assert {"pelvis", "l_elbow", "r_foot"} <= set(scene.graph.nodes)
