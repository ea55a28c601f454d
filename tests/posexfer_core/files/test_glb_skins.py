import numpy as np
import pytest

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.errors import MeshError
from posexfer_core.export.skinned_glb import skinned_glb_bytes
from posexfer_core.files.bvh_text import Bvh
from posexfer_core.files.meshes import read_mesh, read_moving
from posexfer_core.register.registration import register_file
from tests.posexfer_core.body.sample_params import random_params
from tests.posexfer_core.files.glb_changes import changed, without_mesh


def test_a_skinned_mesh_is_read_in_the_pose_of_its_skeleton(tmp_path, body: BodyModel):
    params = random_params(2)
    (tmp_path / "a.glb").write_bytes(skinned_glb_bytes(params, body))
    vertices, faces = read_mesh(tmp_path / "a.glb")
    wanted = BodyView.of(params, body).vertices[0].double().numpy() * [1.0, -1.0, -1.0]
    wanted += vertices.mean(0) - wanted.mean(0)
    assert np.percentile(np.linalg.norm(vertices - wanted, axis=1), 99) < 0.004
    np.testing.assert_array_equal(faces, body.faces.numpy())


def test_our_own_skinned_file_registers_by_its_topology(tmp_path, body: BodyModel):
    params = random_params()
    (tmp_path / "a.glb").write_bytes(skinned_glb_bytes(params, body))
    found = register_file(tmp_path / "a.glb", body)
    assert found.known
    assert found.residual.mean_mm < 1.0
    elbows = (found.params.rotations - params.rotations)[0, 0, [18, 19]]
    assert float(elbows.abs().max()) < 0.1


def test_scaled_nodes_and_matrices_place_the_mesh(tmp_path, body: BodyModel):
    def double(document):
        document["nodes"].append({"children": [1], "scale": [2.0, 2.0, 2.0]})
        document["nodes"][0]["matrix"] = np.eye(4).ravel().tolist()

    data = skinned_glb_bytes(random_params(), body)
    (tmp_path / "a.glb").write_bytes(data)
    (tmp_path / "b.glb").write_bytes(changed(data, double))
    one, two = (read_mesh(tmp_path / name)[0] for name in ("a.glb", "b.glb"))
    np.testing.assert_allclose(two, 2.0 * one, atol=1e-5)


def test_animations_that_move_no_skeleton_are_told(tmp_path, body: BodyModel, caplog):
    data = skinned_glb_bytes(random_params(), body)
    (tmp_path / "a.glb").write_bytes(changed(data, lambda document: document.pop("animations", 0)))
    read_mesh(tmp_path / "a.glb")
    assert not caplog.records
    blink = {"animations": [{"name": "blink", "channels": [], "samplers": []}]}
    (tmp_path / "b.glb").write_bytes(changed(data, lambda document: document.update(blink)))
    read_mesh(tmp_path / "b.glb")
    assert "1 animation(s) that move no skeleton" in caplog.text


def drop_weights(document):
    del document["meshes"][0]["primitives"][0]["attributes"]["WEIGHTS_0"]


def far_accessor(document):
    document["accessors"][0]["byteOffset"] = 10**9


def wrong_joint(document):
    document["skins"][0]["joints"] = [0]


def loop(document):
    document["nodes"][3]["children"] = [1]


@pytest.mark.parametrize("change", [drop_weights, far_accessor, wrong_joint])
def test_damaged_skins_get_a_sentence(tmp_path, body: BodyModel, change):
    (tmp_path / "a.glb").write_bytes(changed(skinned_glb_bytes(random_params(), body), change))
    with pytest.raises(MeshError, match=r"a\.glb is a damaged GLB"):
        read_mesh(tmp_path / "a.glb")


def test_a_skeleton_that_bites_its_tail_ends(tmp_path, body: BodyModel):
    (tmp_path / "a.glb").write_bytes(changed(skinned_glb_bytes(random_params(), body), loop))
    assert len(read_mesh(tmp_path / "a.glb")[0]) == len(body.v_template)


def test_a_motion_whose_skeleton_bites_its_tail_ends(tmp_path, body: BodyModel):
    data = changed(skinned_glb_bytes(random_params(frames=2), body), without_mesh)
    (tmp_path / "a.glb").write_bytes(changed(data, loop))
    motion = read_moving(tmp_path / "a.glb")
    assert isinstance(motion, Bvh)
    assert len(motion.names) == len(set(motion.names)) < 24
