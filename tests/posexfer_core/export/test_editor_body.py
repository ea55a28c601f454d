import json
from typing import Any

import numpy as np
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.export.editor_body import pack_editor_body


def unpacked(packed: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read the format by its description."""
    assert packed[:8] == b"posexfer"
    start = 12 + int.from_bytes(packed[8:12], "little")
    header = json.loads(packed[12:start])
    count, faces, joints = header["vertices"], header["faces"], len(header["names"])
    index = "<u4" if count > 65535 else "<u2"
    shapes = {
        "rest": ("<f4", (joints, 3)),
        "positions": ("<f4", (count, 3)),
        "normals": ("<f4", (count, 3)),
        "joints": ("u1", (count, 4)),
        "weights": ("u1", (count, 4)),
        "faces": (index, (faces, 3)),
    }
    arrays = {}
    for name, (kind, shape) in shapes.items():
        start += -start % 4
        length = int(np.prod(shape))
        arrays[name] = np.frombuffer(packed, kind, length, start).reshape(shape)
        start += arrays[name].nbytes
    assert start + -start % 4 == len(packed)
    return header, arrays


def test_the_mesh_and_joints_are_those_of_the_shape(body: BodyModel):
    betas = torch.linspace(-2.0, 2.0, 10)
    header, arrays = unpacked(pack_editor_body(body, betas, hat=[1, 2]))
    vertices, joints = (part[0].numpy() for part in body.rest(betas[None]))
    assert np.array_equal(arrays["positions"], vertices)
    assert np.array_equal(arrays["rest"], joints)
    assert np.array_equal(arrays["faces"], body.faces.numpy())
    assert np.allclose(np.linalg.norm(arrays["normals"], axis=1), 1.0, atol=1e-5)
    assert header["hat"] == [1, 2] and header["limbs"]["left_arm"] == [16, 18, 20, 22]


def test_four_weights_of_every_vertex_make_one(body: BodyModel):
    _, arrays = unpacked(pack_editor_body(body, torch.zeros(10)))
    assert (arrays["weights"].astype(int).sum(axis=1) == 255).all()
    dense = np.zeros((len(arrays["weights"]), 24))
    np.put_along_axis(dense, arrays["joints"].astype(int), arrays["weights"] / 255, axis=1)
    off = np.abs(dense - body.skin_weights.numpy()).max(axis=1)
    assert np.quantile(off, 0.99) < 0.05


def test_a_large_mesh_has_faces_of_32_bits(body: BodyModel):
    count = 70_000
    large = BodyModel(
        v_template=torch.rand(count, 3),
        faces=torch.tensor([[0, 1, count - 1]]),
        shapedirs=torch.zeros(count, 3, 10),
        posedirs=None,
        joint_regressor=torch.full((24, count), 1.0 / count),
        skin_weights=torch.full((count, 24), 1.0 / 24),
        keypoint_vertices={},
        beta_space="mesh",
    )
    _, arrays = unpacked(pack_editor_body(large, torch.zeros(10)))
    assert arrays["faces"].tolist() == [[0, 1, count - 1]]
