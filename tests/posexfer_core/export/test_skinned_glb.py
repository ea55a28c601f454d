"""The file is read back by rules of the glTF 2.0 specification, written here anew."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch

from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.export.glb import glb_bytes, standing_vertices
from posexfer_core.export.skinned_glb import skinned_glb_bytes, strongest_joints
from tests.posexfer_core.body.sample_params import random_params

TYPES = {5126: "<f4", 5125: "<u4", 5121: "u1"}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Document:
    def __init__(self, data: bytes) -> None:
        magic, version, length = struct.unpack("<4sII", data[:12])
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size = struct.unpack("<I", data[12:16])[0]
        self.json = json.loads(data[20 : 20 + size])
        self.binary = data[20 + size + 8 :]

    def array(self, number: int) -> np.ndarray:
        accessor = self.json["accessors"][number]
        view = self.json["bufferViews"][accessor["bufferView"]]
        assert view["byteOffset"] % 4 == 0
        block = self.binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        return np.frombuffer(block, TYPES[accessor["componentType"]]).reshape(
            accessor["count"], WIDTHS[accessor["type"]]
        )


def matrix(translation: np.ndarray, quaternion: np.ndarray) -> np.ndarray:
    x, y, z, w = quaternion
    result = np.eye(4)
    result[:3, 3] = translation
    result[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return result


def posed(document: Document, frame: int) -> np.ndarray:
    """Vertices as a viewer shows them at the time of a frame."""
    nodes = [dict(node) for node in document.json["nodes"]]
    if frame:
        animation = document.json["animations"][0]
        for channel in animation["channels"]:
            sampler = animation["samplers"][channel["sampler"]]
            value = document.array(sampler["output"])[frame]
            nodes[channel["target"]["node"]][channel["target"]["path"]] = value
    world: dict[int, np.ndarray] = {}

    def descend(number: int, above: np.ndarray) -> None:
        node = nodes[number]
        world[number] = above @ matrix(
            np.array(node.get("translation", [0, 0, 0])),
            np.array(node.get("rotation", [0, 0, 0, 1])),
        )
        for child in node.get("children", []):
            descend(child, world[number])

    for number in document.json["scenes"][0]["nodes"]:
        descend(number, np.eye(4))
    skin = document.json["skins"][0]
    bind = document.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
    joints = np.stack([world[node] for node in skin["joints"]]) @ bind
    attributes = document.json["meshes"][0]["primitives"][0]["attributes"]
    index, weights = (document.array(attributes[name]) for name in ("JOINTS_0", "WEIGHTS_0"))
    blended = np.einsum("vk,vkab->vab", weights, joints[index])
    points = document.array(attributes["POSITION"])
    return np.einsum("vab,vb->va", blended[:, :3, :3], points) + blended[:, :3, 3]


def test_a_viewer_shows_every_frame_as_the_body_model_poses_it(body: BodyModel):
    params = random_params(3)
    params.betas[:] = params.betas[:1]
    document = Document(skinned_glb_bytes(params, body))
    view = BodyView.of(params, body, frame=None)
    flip = np.array([1.0, -1.0, -1.0])
    origin = view.joints[0, 0].numpy() * flip - posed_pelvis(document)
    for frame in range(3):
        wanted = view.vertices[frame].numpy() * flip - origin
        gaps = np.linalg.norm(posed(document, frame) - wanted, axis=1)
        assert np.percentile(gaps, 99) < 0.003, "four joints a vertex instead of all"
    np.testing.assert_allclose(posed(document, 0)[:, 1].min(), 0.0, atol=2e-3)


def posed_pelvis(document: Document) -> np.ndarray:
    return np.array(document.json["nodes"][1]["translation"])


def test_the_animation_lasts_as_long_as_the_motion(body: BodyModel):
    document = Document(skinned_glb_bytes(replace(random_params(4), frame_rate=24.0), body))
    animation = document.json["animations"][0]
    clock = document.array(animation["samplers"][0]["input"])[:, 0]
    np.testing.assert_allclose(clock, np.arange(4) / 24.0, rtol=1e-6)
    assert len(animation["channels"]) == 25
    for sampler in animation["samplers"][1:]:
        turns = document.array(sampler["output"])
        np.testing.assert_allclose(np.linalg.norm(turns, axis=1), 1.0, rtol=1e-5)
        assert ((turns[1:] * turns[:-1]).sum(1) >= 0.0).all(), "never the long way"


def test_one_frame_has_no_animation_and_names_its_joints(body: BodyModel):
    document = Document(skinned_glb_bytes(random_params(), body))
    assert "animations" not in document.json
    assert [node["name"] for node in document.json["nodes"][1:]] == list(JOINT_NAMES)


def test_trimesh_places_the_joints_where_they_are(body: BodyModel, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    params = random_params()
    (tmp_path / "a.glb").write_bytes(skinned_glb_bytes(params, body))
    scene = trimesh.load_scene(tmp_path / "a.glb")
    view = BodyView.of(params, body)
    wanted = view.joints[0] * torch.tensor([1.0, -1.0, -1.0])
    found = np.stack([scene.graph[name][0][:3, 3] for name in JOINT_NAMES])
    gaps = (found - found[0]) - (wanted - wanted[0]).numpy()
    np.testing.assert_allclose(gaps, 0.0, atol=1e-5)


def test_weights_of_the_strongest_joints_sum_to_one():
    weights = np.array([[0.5, 0.2, 0.1, 0.1, 0.06, 0.04], [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]])
    joints, kept = strongest_joints(np.pad(weights, np.array([(0, 0), (0, 18)])).astype(np.float32))
    np.testing.assert_allclose(kept[0], np.array([0.5, 0.2, 0.1, 0.1]) / 0.9, rtol=1e-6)
    assert joints[0].tolist() == [0, 1, 2, 3]
    assert joints[1].tolist() == [1, 0, 0, 0]
    assert kept.sum(1).tolist() == pytest.approx([1.0, 1.0])


def test_a_posed_body_without_skeleton_is_what_the_camera_sees(body: BodyModel):
    view = BodyView.of(random_params(), body)
    document = Document(glb_bytes(view))
    primitive = document.json["meshes"][0]["primitives"][0]
    points = document.array(primitive["attributes"]["POSITION"])
    np.testing.assert_allclose(points, standing_vertices(view)[0].numpy(), atol=1e-6)
    faces = document.array(primitive["indices"]).reshape(-1, 3)
    np.testing.assert_array_equal(faces, body.faces.numpy())
