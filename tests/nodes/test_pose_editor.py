"""Pose Editor: the pose as text, the start that the page is told, bodies of any kind."""

import json

import pytest
import torch

from tests.nodes.small_files import SIZE, write_small_files


@pytest.fixture(scope="module")
def bodies(pack, host):
    """The person with a bent arm, and three frames of the person standing."""
    write_small_files(host.base)
    bent = pack.run("LoadSMPLMesh", file="input/bent.npz")[0]
    return bent, pack.run("LoadSMPLMesh", file="walk.npz", frame=-1)[0]


def run(pack, **inputs):
    """Execute the node; its outputs, and what the page is told."""
    kind = pack.classes["PoseXfer_PoseEditor"]
    given = {"width": 0, "height": 0, "pose": "", **inputs}
    with torch.inference_mode():
        output = kind.PREPARE_CLASS_CLONE({}).EXECUTE_NORMALIZED(**given)
    (told,) = output.ui["posexfer_editor"]
    json.dumps(told)
    return output.args, told


def test_without_any_input_somebody_stands(pack):
    (body, preview, camera, _), told = run(pack)
    assert preview.shape == (1, 768, 512, 3)
    assert told["size"] == [512, 768] and told["body"] == "" and told["backdrop"] is None
    shown = preview[0, ..., 2] > 0.5
    assert 0.02 < float(shown.float().mean()) < 0.5
    assert camera["position"]["z"] > camera["target"]["z"]
    assert camera["fov"] == pytest.approx(35.0, abs=1e-3)
    assert body.params.frames == 1


def test_an_untouched_editor_hands_its_input_on(pack, bodies):
    (body, preview, *_), told = run(pack, body=bodies[1])
    for name in ("pose", "transl", "intrinsics", "camera_from_world", "betas"):
        assert torch.equal(getattr(body.params, name), getattr(bodies[1].params, name)), name
    assert preview.shape == (3, *SIZE, 3)
    assert len(told["start"]["frames"]) == 3


def test_what_the_page_is_told_draws_the_same_picture(pack, bodies):
    params = bodies[0].params
    lens = params.intrinsics.clone()
    lens[:, 0, 2] += 9.0
    moved = pack.module("nodes.sockets").PosedBody(
        params=params.with_camera(lens, params.image_size), model=bodies[0].model
    )
    (_, before, *_), told = run(pack, body=moved)
    start = told["start"]
    assert start["camera"]["centre"][0] == pytest.approx(0.5 + 9.0 / SIZE[1], abs=1e-5)
    for text in (start, {name: start[name] for name in ("version", "frames")}):
        (body, after, *_), _ = run(pack, body=moved, pose=json.dumps(text))
        assert float((after - before).abs().mean()) < 2e-3
        assert torch.allclose(body.params.intrinsics, lens, atol=1e-3)


def test_the_size_can_be_asked_for(pack, bodies):
    image = torch.rand(1, *SIZE, 3)
    (body, preview, *_), told = run(pack, body=bodies[0], image=image, width=176, height=256)
    assert preview.shape == (1, 256, 176, 3) and told["size"] == [176, 256]
    assert body.params.image_size == (256, 176)
    assert told["backdrop"]["type"] == "temp"
    (_, preview, *_), _ = run(pack, image=image)
    assert preview.shape == (1, *SIZE, 3)


def test_an_image_of_another_aspect_is_refused(pack, bodies):
    error = pack.module("posexfer_core.errors").ParamsError
    with pytest.raises(error, match="stands in an image of"):
        run(pack, body=bodies[0], image=torch.rand(1, 64, 128, 3))


def test_several_frames_become_a_batch_and_the_shape_is_the_inputs(pack, bodies):
    _, told = run(pack, body=bodies[0])
    frame = told["start"]["frames"][0]
    text = {"version": 1, "frames": [frame] * 4, "betas": [3.0] * 10}
    (body, preview, *_), _ = run(pack, body=bodies[0], pose=json.dumps(text))
    assert preview.shape[0] == body.params.frames == 4
    assert not body.params.betas.any()
    (body, *_), _ = run(pack, pose=json.dumps(text))
    assert bool((body.params.betas == 3.0).all())


def test_bodies_of_any_shape_and_model_are_found_by_the_query_of_the_page(pack, bodies):
    find = pack.module("nodes.host.editor_bodies").find_editor_body
    sockets = pack.module("nodes.sockets")
    params = bodies[0].params
    betas = torch.linspace(-1.0, 1.0, 10).expand(1, 1, 10)
    shaped = sockets.PosedBody(
        params=type(params)(**{**vars(params), "betas": betas}), model=bodies[0].model
    )
    _, told = run(pack, body=shaped)
    assert told["body"].startswith("betas=")
    assert find(told["body"]) != find("")
    other = pack.module("posexfer_core.body.model").BodyModel.bundled()
    other.v_template = 1.1 * other.v_template
    _, told = run(pack, body=sockets.PosedBody(params=params, model=other))
    assert told["body"].startswith("key=")
    assert find(told["body"])[:8] == b"posexfer"
    error = pack.module("posexfer_core.errors").ParamsError
    for query in ("key=0", "betas=1,2", "betas=" + ",".join(["nan"] * 10), "hat=1", "key="):
        with pytest.raises(error, match="\n"):
            find(query)


def test_a_text_that_is_no_pose_is_refused_before_anything_runs(pack):
    kind = pack.classes["PoseXfer_PoseEditor"]
    assert kind.validate_inputs(pose="") is True
    assert kind.validate_inputs(pose=None) is True
    verdict = kind.validate_inputs(pose='{"version": 1}')
    assert verdict.startswith("Found no frames") and len(verdict.split("\n")) == 3


def test_the_camera_sees_the_bodys_mesh_as_the_picture_does(pack, bodies):
    glb = pack.module("posexfer_core.export.glb")
    view = bodies[0].view()
    (_, _, camera, _), _ = run(pack, body=bodies[0])
    position = torch.tensor([camera["position"][axis] for axis in "xyz"])
    seen = glb.standing_vertices(view)[0] - position  # y up, looking along -z
    focal = view.size[0] / 2 / torch.tan(torch.deg2rad(torch.tensor(camera["fov"])) / 2)
    rows = view.size[0] / 2 - focal * seen[:, 1] / -seen[:, 2]
    expected = (view.vertices[0] @ view.intrinsics[0].T)[:, 1] / view.vertices[0, :, 2]
    torch.testing.assert_close(rows, expected, atol=0.05, rtol=0)
