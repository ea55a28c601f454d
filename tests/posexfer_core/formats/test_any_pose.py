import pytest

from posexfer_core.body.model import BodyModel
from posexfer_core.errors import MeshError, ParamsError
from posexfer_core.formats.any_pose import read_posed
from tests.posexfer_core.body.sample_params import random_params


def test_parameters_pose_the_body_at_hand(tmp_path, body: BodyModel):
    params = random_params(frames=2)
    params.save(tmp_path / "a.npz")
    found = read_posed(tmp_path / "a.npz", body, frame=None)
    assert found.body is body
    assert found.params.frames == 2
    assert found.notes == ()


def test_a_mesh_poses_itself(tmp_path, body: BodyModel):
    trimesh = pytest.importorskip("trimesh")
    mesh = trimesh.Trimesh(body.v_template.numpy(), body.faces.numpy(), process=False)
    mesh.export(tmp_path / "a.ply")
    found = read_posed(tmp_path / "a.ply", body)
    assert found.body is not body
    assert float(found.params.pose.abs().max()) < 0.02, "at rest"
    assert "from the mesh" in found.notes[-1]


def test_a_mesh_has_one_person_in_one_frame(tmp_path, body: BodyModel):
    with pytest.raises(ParamsError, match="one person in 1 frame"):
        read_posed(tmp_path / "a.ply", body, frame=3)


def test_a_broken_mesh_gets_a_sentence(tmp_path, body: BodyModel):
    (tmp_path / "a.obj").write_text("v 1 2\n")
    with pytest.raises(MeshError, match=r"a\.obj"):
        read_posed(tmp_path / "a.obj", body)
