import json
import struct
from pathlib import Path

import numpy as np
import pytest

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.errors import MeshError, PoseXferError
from posexfer_core.export.glb import glb_bytes
from posexfer_core.files import meshes as mesh_files
from posexfer_core.files.meshes import read_mesh
from tests.posexfer_core.body.sample_params import facing_params

TETRAHEDRON = """
v 0 0 0
v 1 0 0
v 0 1 0
v 0 0 1
f 1 3 2
f 1/1/1 2/2/1 4/3/1
f 2//1 3//2 4//1
f -4 -1 -2
"""


def gltf(document: dict, binary: bytes = b"") -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    parts = struct.pack("<I4s", len(text), b"JSON") + text
    if binary:
        parts += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(parts)) + parts


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_an_obj_keeps_its_vertices_whatever_its_texture_says(tmp_path):
    vertices, faces = read_mesh(write(tmp_path / "a.obj", TETRAHEDRON))
    np.testing.assert_array_equal(vertices, [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(faces, [[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])


def test_a_quad_becomes_two_triangles(tmp_path):
    square = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n"
    _, faces = read_mesh(write(tmp_path / "a.obj", square))
    assert len(faces) == 2


def test_our_own_glb_comes_back(tmp_path, body: BodyModel):
    view = BodyView.of(facing_params(), body)
    vertices, faces = read_mesh(write(tmp_path / "a.glb", glb_bytes(view)))
    assert vertices.shape == (len(body.v_template), 3)
    np.testing.assert_array_equal(faces, body.faces.numpy())


def test_an_ascii_ply_is_read(tmp_path):
    text = (
        "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\n"
        "property float z\nelement face 2\nproperty list uchar int vertex_indices\nend_header\n"
        "0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 1 2\n3 0 1 3\n"
    )
    vertices, faces = read_mesh(write(tmp_path / "a.ply", text))
    assert vertices.shape == (4, 3)
    assert faces.tolist() == [[0, 1, 2], [0, 1, 3]]


HUGE = {"componentType": 5126, "count": 10**12, "type": "VEC3"}
OUTSIDE = {"asset": {"version": "2.0"}, "buffers": [{"uri": "../secret.bin", "byteLength": 4}]}
URL = {"asset": {"version": "2.0"}, "buffers": [{"uri": "http://localhost/a", "byteLength": 4}]}
DRACO = {"asset": {"version": "2.0"}, "extensionsRequired": ["KHR_draco_mesh_compression"]}
LOOP = {"asset": {"version": "2.0"}, "nodes": [{"children": [0, 0]}], "scenes": [{"nodes": [0]}]}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.fbx", "solid", "no kind that is read as a mesh"),
        ("a.obj", "", "no OBJ"),
        ("a.obj", "mtllib ../secret.mtl\n", "no OBJ"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n", "0 faces"),
        ("a.obj", "v 0 0 nan\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 2 4\n", "NaN or infinite"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 9\n", "damaged|not there"),
        ("a.ply", "not a ply", "no PLY"),
        ("a.ply", "ply\nformat ascii 1.0\nelement vertex 99999999999\nend_header\n", "claims"),
        ("a.ply", "ply\nformat ascii 1.0\nelement vertex -1\nend_header\n", "claims"),
        ("a.glb", b"glTF", "no binary glTF"),
        ("a.glb", gltf(OUTSIDE), "another file"),
        ("a.glb", gltf(URL), "another file"),
        ("a.glb", gltf(DRACO), "compressed"),
        ("a.glb", gltf(LOOP), "no tree"),
        ("a.glb", gltf({"asset": {"version": "2.0"}, "accessors": [HUGE]}), "claims"),
        ("a.glb", gltf({"asset": {"version": "2.0"}, "accessors": 3}), "damaged"),
    ],
)
def test_bad_files_get_three_lines(tmp_path, name, content, words):
    with pytest.raises(MeshError, match=words) as refusal:
        read_mesh(write(tmp_path / name, content))
    found, expected, advice = str(refusal.value).splitlines()
    assert found.startswith(name)
    assert expected.startswith("Expected ")
    assert advice.endswith(".")


def test_a_missing_file_and_a_folder_get_a_sentence(tmp_path):
    (tmp_path / "b.obj").mkdir()
    for name in ("a.obj", "b.obj"):
        with pytest.raises(MeshError, match="Expected a mesh file"):
            read_mesh(tmp_path / name)


def test_nothing_outside_of_the_file_is_opened(tmp_path, monkeypatch):
    material = "mtllib secret.mtl\nusemtl a\n" + TETRAHEDRON
    texture = (
        "ply\nformat ascii 1.0\ncomment TextureFile secret.png\nelement vertex 4\n"
        "property float x\nproperty float y\nproperty float z\nelement face 1\n"
        "property list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 1 2\n"
    )
    paths = [write(tmp_path / "a.obj", material), write(tmp_path / "a.ply", texture)]
    for name in ("secret.mtl", "secret.png"):
        write(tmp_path / name, "secret")
    opened = []
    import sys

    sys.addaudithook(lambda event, args: opened.append(args[0]) if event == "open" else None)
    for path in paths:
        read_mesh(path)
    assert any(str(path) in map(str, opened) for path in paths)
    assert not any("secret" in str(one) for one in opened)


def test_a_missing_trimesh_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "trimesh", None)
    with pytest.raises(
        MeshError, match=r"\nExpected trimesh.*\nInstall it with `pip install trimesh"
    ):
        read_mesh(write(tmp_path / "a.obj", TETRAHEDRON))


def test_a_file_that_is_too_big_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(mesh_files, "MOST_BYTES", 10)
    with pytest.raises(MeshError, match="at most"):
        read_mesh(write(tmp_path / "a.obj", TETRAHEDRON))


def test_mutated_files_are_read_or_refused(tmp_path, body: BodyModel):
    """Bytes changed, cut and doubled at random: a mesh or one of our errors, nothing else."""
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=1)
    samples = {kind: ball.export(file_type=kind) for kind in ("obj", "ply", "glb")}
    random = np.random.default_rng(0)
    refused = 0
    for number in range(300):
        kind = ("obj", "ply", "glb")[number % 3]
        content = samples[kind]
        data = bytearray(content.encode() if isinstance(content, str) else content)
        for _ in range(random.integers(1, 8)):
            if len(data) < 30:
                break
            match random.integers(4):
                case 0:
                    data[random.integers(len(data))] = random.integers(256)
                case 1:
                    del data[random.integers(20, len(data)) :]
                case 2:
                    at = random.integers(len(data))
                    data[at:at] = random.bytes(4)
                case _:
                    at = random.integers(min(len(data), 900))
                    data[at : at + 2] = b"99"
        try:
            read_mesh(write(tmp_path / f"a.{kind}", bytes(data)))
        except PoseXferError:
            refused += 1
    assert 60 < refused < 300


CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
SIDES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])


def stl_binary() -> bytes:
    rows = np.zeros(4, np.dtype([("normal", "<f4", 3), ("corners", "<f4", 9), ("more", "<u2")]))
    rows["corners"] = CORNERS[SIDES].reshape(4, 9)
    return b"solid as some binary files begin".ljust(80) + struct.pack("<I", 4) + rows.tobytes()


def stl_text() -> bytes:
    text = "solid a\n"
    for side in SIDES:
        corners = "".join(f"      vertex {' '.join(map(str, CORNERS[i]))}\n" for i in side)
        text += f"  facet normal 0 0 0\n    outer loop\n{corners}    endloop\n  endfacet\n"
    return (text + "endsolid a\n").encode()


@pytest.mark.parametrize("data", [stl_binary(), stl_text()], ids=["binary", "text"])
def test_corners_of_an_stl_at_one_place_are_one_vertex(tmp_path, data):
    vertices, faces = read_mesh(write(tmp_path / "a.stl", data))
    assert len(vertices) == 4
    np.testing.assert_array_equal(vertices[faces], CORNERS[SIDES])


@pytest.mark.parametrize(
    "data",
    [b"", b"solid a\nendsolid a\n", stl_binary()[:-7], stl_text()[:-90], b"vertex a b c\n" * 3],
)
def test_damaged_stl_files_get_a_sentence(tmp_path, data):
    with pytest.raises(MeshError, match=r"a\.stl is.*\nExpected three .*\nExport the mesh again"):
        read_mesh(write(tmp_path / "a.stl", data))


def test_vrm_avatars_are_glb_files(tmp_path, body: BodyModel):
    view = BodyView.of(facing_params(), body)
    vertices, _ = read_mesh(write(tmp_path / "a.vrm", glb_bytes(view)))
    assert len(vertices) == len(body.v_template)
