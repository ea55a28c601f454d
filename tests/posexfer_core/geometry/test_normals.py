"""Normals: values by hand, a sphere's, and both ways of computing them."""

import pytest
import torch

from posexfer_core.geometry import normals as normals_module
from posexfer_core.geometry.normals import face_normals, vertex_normals

TRIANGLE = torch.tensor([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [5.0, 5.0, 5.0]]])
FACE = torch.tensor([[0, 1, 2]])


def sphere(rows=24, columns=48):
    """Build a sphere of radius one whose faces wind right-hand about the outside."""
    polar = torch.linspace(0.05, torch.pi - 0.05, rows)[:, None]
    around = torch.arange(columns) * (2 * torch.pi / columns)
    x, z = polar.sin() * around.sin(), polar.sin() * around.cos()
    vertices = torch.stack([x, polar.cos().expand_as(x), z], dim=-1).reshape(-1, 3)
    index = torch.arange(rows * columns).reshape(rows, columns)
    here, right = index[:-1], index[:-1].roll(-1, 1)
    below, across = index[1:], index[1:].roll(-1, 1)
    faces = torch.cat(
        [torch.stack([here, below, right], -1), torch.stack([right, below, across], -1)]
    )
    return vertices, faces.reshape(-1, 3)


def test_right_hand_triangle_points_along_z():
    expected = torch.tensor([[[0.0, 0.0, 1.0]] * 3 + [[0.0, 0.0, 0.0]]])
    assert torch.equal(vertex_normals(TRIANGLE, FACE), expected)


def test_face_normal_is_twice_the_area_long():
    assert torch.equal(face_normals(2 * TRIANGLE, FACE), torch.tensor([[[0.0, 0.0, 4.0]]]))


def test_large_faces_weigh_more():
    vertices = torch.tensor([[[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    normal = vertex_normals(vertices, torch.tensor([[0, 1, 2], [0, 2, 3]]))[0, 0]
    torch.testing.assert_close(normal, torch.tensor([1.0, 0.0, 3.0]) / 10**0.5)


def test_normals_of_a_sphere_point_outwards():
    vertices, faces = sphere()
    cosine = (vertex_normals(vertices[None], faces)[0] * vertices).sum(-1)
    assert cosine.min() > 0.99


@pytest.mark.parametrize("batch", [1, 3])
def test_torch_and_numba_agree(batch, generator, monkeypatch):
    vertices = torch.randn(batch, 30, 3, generator=generator)
    faces = torch.randint(0, 30, (40, 3), generator=generator)
    fast = vertex_normals(vertices, faces)
    monkeypatch.setattr(normals_module, "loops_for", lambda *_: None)
    torch.testing.assert_close(fast, vertex_normals(vertices, faces), atol=1e-5, rtol=0)


def test_normals_are_differentiable(generator):
    vertices = torch.randn(2, 4, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    assert torch.autograd.gradcheck(lambda points: vertex_normals(points, faces), vertices)
