"""Every node, executed by the host's rules; small weights are made on the spot."""

import asyncio
import json
import struct
from typing import get_args

import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from tests.nodes.host_process import ROOT
from tests.nodes.small_files import SIZE, write_small_files


@pytest.fixture(scope="module")
def files(host):
    """The host's folders, with parameter files and small weights in them."""
    write_small_files(host.base)
    return host.base


@pytest.fixture(scope="module")
def bodies(pack, files):
    """The person standing, and the same with a bent arm."""
    return tuple(
        pack.run("LoadSMPLMesh", file=f"input/{name}.npz")[0] for name in ("standing", "bent")
    )


@pytest.fixture(scope="module")
def image():
    generator = torch.Generator().manual_seed(1)
    return torch.rand(1, *SIZE, 3, generator=generator)


def test_the_pack_loads_without_a_word(host, pack, caplog):
    caplog.clear()
    assert asyncio.run(host.nodes.load_custom_node(str(ROOT), set(), "custom_nodes"))
    assert not [record for record in caplog.records if record.levelname != "INFO"]
    assert len(pack.classes) == 18


def test_every_input_and_output_has_a_tooltip(pack):
    for name, kind in pack.classes.items():
        schema = kind.GET_SCHEMA()
        assert schema.description, name
        for entry in [*schema.inputs, *schema.outputs]:
            has_controls = "widgetType" in (getattr(entry, "extra_dict", None) or {})
            assert bool(entry.tooltip) != has_controls, f"{name}.{entry.id}"


def test_every_node_has_a_page_and_words(pack):
    words = json.loads((ROOT / "locales" / "en" / "nodeDefs.json").read_text())
    for name, kind in pack.classes.items():
        schema = kind.GET_SCHEMA()
        assert (ROOT / "web" / "docs" / f"{name}.md").read_text().startswith("# ")
        assert words[name]["display_name"] == schema.display_name
        told = {entry.id: entry.tooltip for entry in schema.inputs}
        assert {id: e.get("tooltip") for id, e in words[name]["inputs"].items()} == told
        told = {str(i): entry.tooltip for i, entry in enumerate(schema.outputs)}
        assert {id: entry["tooltip"] for id, entry in words[name]["outputs"].items()} == told


def test_bodies_come_from_files_with_a_mesh_and_a_preview(pack, bodies):
    body, mesh, preview = pack.run("LoadSMPLMesh", file="walk.npz", frame=-1)
    assert body.params.frames == 3
    assert mesh.vertices.shape[0] == mesh.faces.shape[0] == 3
    assert float(mesh.vertices[..., 1].min()) == pytest.approx(0.0, abs=1e-5)
    assert preview.shape == (3, *SIZE, 3)
    assert bodies[0].params.frames == 1


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("input/none.npz", "Searched"),
        ("../secret.npz", "not the name of a file"),
        ("input//etc/hosts", "not the name of a file"),
    ],
)
def test_a_wrong_file_is_refused_before_anything_runs(pack, files, file, words):
    verdict = pack.classes["PoseXfer_LoadSMPLMesh"].validate_inputs(file=file)
    assert words in verdict


def test_maps_have_the_asked_size_and_see_the_same_body(pack, bodies):
    depth, normal, openpose, mask, parts, canonical, limbs = pack.run(
        "RenderBodyMaps", body=bodies[1], width=96, height=160
    )
    for image in (depth, normal, openpose, parts, canonical, limbs):
        assert image.shape == (1, 160, 96, 3)
        assert 0.0 <= float(image.min()) <= float(image.max()) <= 1.0
    inside = mask > 0.5
    assert bool((depth[..., 0][inside] > 0.2).all()) and not bool(depth[..., 0][~inside].any())
    assert bool((parts[inside].amax(-1) > 0).all())


def test_maps_are_those_of_the_core_painter_with_the_options_given(pack, bodies):
    painter = pack.module("posexfer_core.render.control_maps")
    options = {
        "openpose_hides": "nothing",
        "normal_axes": "red right",
        "openpose_limbs": "wide",
        "depth_greys": "scene",
        "openpose_points": "hands and face",
    }
    for chosen in ({}, options):
        maps = painter.paint_maps(bodies[1].view(), painter.MAPS, painter.MapStyle(**chosen))
        outputs = pack.run("RenderBodyMaps", body=bodies[1], **chosen)
        for (name, painted), output in zip(maps.items(), outputs, strict=True):
            expected = painted[:, 0] if name == "mask" else painted.movedim(1, -1)
            torch.testing.assert_close(output, expected, msg=name)


def test_the_choices_of_maps_are_those_of_the_core(pack):
    painter = pack.module("posexfer_core.render.control_maps")
    inputs = {
        entry.id: entry for entry in pack.classes["PoseXfer_RenderBodyMaps"].GET_SCHEMA().inputs
    }
    kinds = {
        "openpose_hides": painter.Hiding,
        "normal_axes": painter.Axes,
        "openpose_limbs": painter.Limbs,
        "depth_greys": painter.Greys,
        "openpose_points": painter.Points,
    }
    for name, kind in kinds.items():
        assert tuple(inputs[name].options) == get_args(kind)
        assert inputs[name].default == getattr(painter.MapStyle(), name)


def test_maps_are_seen_from_a_viewers_camera(pack, bodies):
    camera = {"position": {"x": 3.0, "y": 1.0, "z": 0.0}, "target": {"x": 0.0, "y": 1.0, "z": 0.0}}
    front = pack.run("RenderBodyMaps", body=bodies[0])[3]
    side = pack.run("RenderBodyMaps", body=bodies[0], camera=camera)[3]

    def width(mask):
        return int((mask[0].amax(0) > 0).sum()) / int((mask[0].amax(1) > 0).sum())

    assert width(side) < 0.7 * width(front)


def test_retargeting_takes_the_shape_of_the_source(pack, bodies):
    body, preview = pack.run("RetargetBody", source_body=bodies[0], target_body=bodies[1])
    assert torch.equal(body.params.betas, bodies[0].params.betas)
    assert preview.shape == (1, *SIZE, 3)


def test_a_limb_flips_or_says_why_not(pack, bodies):
    twin, changed = pack.run("FlipLimbDepth", body=bodies[1], limb="right_arm")
    assert changed.shape == (1, *SIZE)
    assert not torch.equal(twin.params.pose, bodies[1].params.pose)


def test_saved_params_load_equal_and_names_stay_inside(pack, bodies):
    (path,) = pack.run("SaveHumanParams", body=bodies[1], filename_prefix="pose/dancer")
    assert torch.equal(HumanParams.load(path).pose, bodies[1].params.pose)
    errors = pack.module("posexfer_core.errors")
    with pytest.raises(errors.OutputError, match="output folder"):
        pack.run("SaveHumanParams", body=bodies[1], filename_prefix="../dancer")


def test_a_glb_holds_the_body(pack, bodies, files):
    (name,) = pack.run("BodyToGLB", body=bodies[0])
    content = (files / "output" / name).read_bytes()
    magic, version, length = struct.unpack("<4sII", content[:12])
    assert (magic, version, length) == (b"glTF", 2, len(content))
    document = json.loads(content[20 : 20 + struct.unpack("<I", content[12:16])[0]])
    assert document["accessors"][0]["count"] == len(BodyModel.bundled().v_template)


def test_a_person_is_drawn_in_a_new_pose(pack, bodies, image, host):
    pose_model, model, vae = pack.run("LoadModel", weights="toy.safetensors")
    (features,) = pack.run(
        "FeatureLift3D", pose_model=pose_model, image=image, source_body=bodies[0]
    )
    (conditioned,) = pack.run(
        "ControlGuidanceApply3D", model=model, features=features, target_body=bodies[1]
    )
    settings = {"model": conditioned, "steps": 2, "width": 88, "height": 128, "seed": 3, "vae": vae}
    latent, image = pack.run("PoseTransferSampler", **settings)
    assert latent["samples"].shape == (1, 16, 16, 11)
    assert image.shape == (1, 128, 88, 3)
    again = pack.run("PoseTransferSampler", **settings)[1]
    assert torch.equal(image, again)

    text = pack.module("nodes.host.sampling").empty_text(pose_model.config)
    empty = {"samples": torch.zeros(1, 16, 16, 11)}
    with torch.inference_mode():
        stock = host.nodes.common_ksampler(
            conditioned, 3, 2, 1.5, "euler", "simple", text, text, empty
        )[0]["samples"]
    assert torch.isfinite(stock).all()
    encoded = vae.encode(image)
    assert encoded.shape == (1, 16, 16, 11)


def test_a_sequence_is_drawn_frame_by_frame(pack, bodies, image):
    pose_model, model, vae = pack.run("LoadModel", weights="toy.safetensors")
    walk = pack.run("LoadSMPLMesh", file="walk.npz", frame=-1)[0]
    (features,) = pack.run("FeatureLift3D", pose_model=pose_model, image=image)
    (conditioned,) = pack.run(
        "ControlGuidanceApply3D", model=model, features=features, target_body=walk,
        warp_strength=0.5,
    )  # fmt: skip
    image = pack.run(
        "PoseTransferSampler", model=conditioned, steps=1, width=64, height=96, vae=vae
    )[1]
    assert image.shape == (3, 96, 64, 3)


def test_an_adapter_says_that_it_has_no_unet_of_its_own(pack, files):
    _, model, vae = pack.run("LoadModel", weights="adapter.safetensors")
    assert "checkpoint's MODEL" in model.message
    assert "checkpoint's VAE" in vae.message


def test_bad_connections_are_told_in_words(pack, bodies, image):
    errors = pack.module("posexfer_core.errors")
    pose_model, model, _ = pack.run("LoadModel", weights="toy.safetensors")
    with pytest.raises(errors.ImageError, match="'image' has shape"):
        pack.run("FeatureLift3D", pose_model=pose_model, image=image[..., :2])
    with pytest.raises(errors.ConfigError, match="3D Control Guidance Apply"):
        pack.run("PoseTransferSampler", model=model)
