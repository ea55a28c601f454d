import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.errors import ParamsError
from posexfer_core.export.skinned_glb import skinned_glb_bytes
from posexfer_core.formats.any_pose import read_posed
from tests.posexfer_core.body.sample_params import random_params
from tests.posexfer_core.files.glb_changes import changed, without_mesh


@pytest.fixture(scope="module")
def walk(tmp_path_factory, body: BodyModel):
    """Write a motion whose nodes rest in a T-pose."""

    def rest(document):
        for node in document["nodes"]:
            node.pop("rotation", None)

    params = random_params(3)
    path = tmp_path_factory.mktemp("walk") / "walk.glb"
    path.write_bytes(changed(skinned_glb_bytes(params, body), rest))
    return path, params


@pytest.fixture(scope="module")
def followed(walk, body: BodyModel):
    return read_posed(walk[0], body, frame=None)


def test_every_frame_of_an_animation_is_followed(walk, followed):
    found, expected = followed, walk[1]
    assert found.params.frames == 3
    angles = (found.params.rotations[:, :, 1:22] - expected.rotations[:, :, 1:22]).abs()
    assert float(angles.amax()) < 0.1
    assert found.params.betas.std(0).max() == 0.0
    assert "frames 0 to 2" in found.notes[-1]


def test_one_frame_is_that_of_the_whole_motion(walk, followed, body: BodyModel):
    whole = followed.params
    one = read_posed(walk[0], body, frame=2).params
    torch.testing.assert_close(one.pose[0], whole.pose[2])
    torch.testing.assert_close(one.transl[0], whole.transl[2])


def test_a_frame_that_is_not_there_is_told(walk, body: BodyModel):
    with pytest.raises(ParamsError, match="3 frame"):
        read_posed(walk[0], body, frame=3)


def test_a_skeleton_without_a_mesh_is_read_as_a_motion(walk, tmp_path, body: BodyModel):
    path, expected = walk
    (tmp_path / "bones.glb").write_bytes(changed(path.read_bytes(), without_mesh))
    found = read_posed(tmp_path / "bones.glb", body, frame=None).params
    torch.testing.assert_close(
        found.rotations[:, :, 1:22], expected.rotations[:, :, 1:22], atol=1e-3, rtol=0.0
    )
