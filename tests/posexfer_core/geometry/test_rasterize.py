"""The visibility pass: by hand, against rays, and numba against torch."""

import pytest
import torch

from posexfer_core.geometry import backend as backend_module
from posexfer_core.geometry import rasterize_torch
from posexfer_core.geometry.camera import intrinsics_matrix
from posexfer_core.geometry.rasterize import interpolate, rasterize
from tests.posexfer_core.geometry.backends import rasterize_by

BACKENDS = ["numba", "torch"]
QUAD = torch.tensor([[0, 1, 2], [0, 2, 3]])


def square(z, half=1.0):
    """Build a square at depth z that faces the camera; `QUAD` are its faces."""
    corners = [[-half, -half, z], [-half, half, z], [half, half, z], [half, -half, z]]
    return torch.tensor(corners)


def soup(generator, batch=2, faces=60):
    """Throw triangles with two sides before the camera, some behind it, many through each other."""
    centre = torch.randn(batch, faces, 1, 3, generator=generator) + torch.tensor([0.0, 0.0, 3.0])
    corners = centre + 0.5 * torch.randn(batch, faces, 3, 3, generator=generator)
    sides = torch.arange(3 * faces).reshape(faces, 3)
    return corners.flatten(1, 2), torch.cat([sides, sides.flip(-1)])


@pytest.mark.parametrize("backend", BACKENDS)
def test_pixel_sees_the_weights_worked_by_hand(backend):
    vertices = torch.tensor([[[-1.0, -1.0, 2.0], [-1.0, 3.0, 2.0], [3.0, -1.0, 2.0]]])
    seen = rasterize_by(
        backend,
        vertices,
        torch.tensor([[0, 1, 2]]),
        intrinsics_matrix(2, (2, 2))[None],
        (2, 2),
    )
    assert seen.mask.all()
    torch.testing.assert_close(seen.depth, torch.full((1, 2, 2), 2.0))
    torch.testing.assert_close(seen.barycentric[0, 0, 0], torch.tensor([0.75, 0.125, 0.125]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_background_is_marked(backend):
    seen = rasterize_by(
        backend, square(2.0)[None], QUAD, intrinsics_matrix(2, (4, 6))[None], (4, 6)
    )
    expected = torch.zeros(1, 4, 6, dtype=torch.bool)
    expected[:, 1:3, 2:4] = True
    assert torch.equal(seen.mask, expected)
    assert seen.face_id.dtype == torch.int32
    assert (seen.face_id[~expected] == -1).all()
    assert seen.depth[~expected].isposinf().all()
    assert (seen.barycentric[~expected] == 0).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_faces_that_look_away_are_left_out(backend):
    camera = intrinsics_matrix(2, (4, 4))[None]
    both = torch.cat([square(1.0), square(2.0)])[None]
    seen = rasterize_by(backend, both, torch.cat([QUAD.flip(-1), QUAD + 4]), camera, (4, 4))
    assert (seen.face_id[seen.mask] >= 2).all() and seen.mask.sum() == 4


@pytest.mark.parametrize("backend", BACKENDS)
def test_nearer_surface_wins_and_the_first_face_at_equal_depth(backend):
    camera = intrinsics_matrix(2, (4, 4))[None]
    both = torch.cat([square(2.0, 3.0), square(1.0, 0.5)])[None]
    seen = rasterize_by(backend, both, torch.cat([QUAD, QUAD + 4]), camera, (4, 4))
    inner = seen.face_id[0, 1:3, 1:3]
    assert (inner >= 2).all() and (seen.mask & (seen.face_id < 2)).sum() == 12
    twice = rasterize_by(backend, square(2.0)[None], torch.cat([QUAD, QUAD]), camera, (4, 4))
    assert (twice.face_id < 2).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_faces_behind_the_camera_are_left_out(backend):
    camera = intrinsics_matrix(2, (4, 4))[None]
    vertices = square(2.0)
    vertices[3, 2] = -1.0
    seen = rasterize_by(backend, vertices[None], QUAD, camera, (4, 4))
    assert seen.face_id.max() == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_neighbours_leave_no_gap_and_share_no_pixel(backend):
    """Centres of pixels lie exactly on the shared diagonal."""
    camera, size = intrinsics_matrix(8, (8, 8))[None], (8, 8)
    whole = rasterize_by(backend, square(1.0, 0.5)[None], QUAD, camera, size)
    halves = [
        rasterize_by(backend, square(1.0, 0.5)[None], face[None], camera, size).mask
        for face in QUAD
    ]
    assert whole.mask.all()
    assert torch.equal(halves[0], ~halves[1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_are_those_of_space_not_of_the_image(backend):
    """On a slanted face the interpolated position must lie on the ray of its pixel."""
    vertices = torch.tensor([[[-2.0, -1.0, 2.0], [-2.0, 2.0, 6.0], [2.0, -1.0, 3.0]]])
    faces, size = torch.tensor([[0, 1, 2]]), (40, 50)
    camera = intrinsics_matrix(30, size)[None]
    seen = rasterize_by(backend, vertices, faces, camera, size)
    position = interpolate(seen, faces, vertices)[seen.mask]
    row, column = seen.mask[0].nonzero(as_tuple=True)
    pixels = torch.stack([column, row], dim=-1) + 0.5
    expected = (pixels - torch.tensor([25.0, 20.0])) / 30 * position[:, 2:]
    assert len(position) > 300
    torch.testing.assert_close(position[:, :2], expected, atol=1e-3, rtol=0)
    torch.testing.assert_close(seen.depth[seen.mask], position[:, 2], atol=1e-5, rtol=0)
    torch.testing.assert_close(seen.barycentric[seen.mask].sum(-1), torch.ones(len(position)))


def test_numba_and_torch_give_the_same_numbers(generator):
    vertices, faces = soup(generator)
    size, camera = (48, 64), intrinsics_matrix(50, (48, 64)).expand(2, 3, 3)
    fast, plain = (rasterize_by(backend, vertices, faces, camera, size) for backend in BACKENDS)
    assert fast.mask.sum() > 1000
    torch.testing.assert_close(fast.depth, plain.depth, atol=1e-5, rtol=0)
    same = fast.face_id == plain.face_id  # two faces may be as deep as each other, to the last bit
    assert same.float().mean() > 0.999
    weights = (result.barycentric[same] for result in (fast, plain))
    torch.testing.assert_close(*weights, atol=1e-5, rtol=0)


def test_chunks_do_not_change_the_result(generator, monkeypatch):
    vertices, faces = soup(generator)
    size, camera = (48, 64), intrinsics_matrix(50, (48, 64)).expand(2, 3, 3)
    whole = rasterize_by("torch", vertices, faces, camera, size)
    monkeypatch.setattr(rasterize_torch, "MOST_CANDIDATES", 500)
    parts = rasterize_by("torch", vertices, faces, camera, size)
    assert torch.equal(whole.face_id, parts.face_id)
    torch.testing.assert_close(whole.depth, parts.depth, atol=1e-5, rtol=0)
    torch.testing.assert_close(whole.barycentric, parts.barycentric, atol=1e-5, rtol=0)


def test_depth_is_where_rays_hit(generator):
    """Every ray against every triangle, by Moeller and Trumbore's formula in double precision."""
    vertices, faces = soup(generator, batch=1, faces=30)
    size, camera = (40, 40), intrinsics_matrix(40, (40, 40))[None]
    seen = rasterize(vertices, faces, camera, size)
    row, column = torch.meshgrid(torch.arange(40), torch.arange(40), indexing="ij")
    pixels = torch.stack([column, row], dim=-1).reshape(1, -1, 2) + 0.5
    rays = torch.nn.functional.pad((pixels[0] - 20) / 40, (0, 1), value=1.0).double()[:, None]
    corners = vertices[0].double()[faces]
    one, edge, other = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = torch.linalg.cross(rays.expand(-1, 60, 3), other.expand(1600, 60, 3))
    scale = 1 / (edge * normal).sum(-1)
    u = (-one * normal).sum(-1) * scale
    tilted = torch.linalg.cross(-one, edge)
    v = (rays * tilted).sum(-1) * scale
    z = (other * tilted).sum(-1) * scale
    hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (corners[..., 2] > 1e-3).all(-1)
    nearest = torch.where(hit, z, torch.inf).amin(-1).reshape(1, 40, 40)
    assert (seen.mask == nearest.isfinite()).float().mean() > 0.998
    both = seen.mask & nearest.isfinite()
    difference = (seen.depth - nearest)[both].abs()
    assert (difference < 2e-3).float().mean() > 0.995
    assert difference.median() < 1e-5


@pytest.mark.parametrize("backend", BACKENDS)
def test_empty_meshes_show_nothing(backend):
    camera = intrinsics_matrix(5, (4, 4)).expand(2, 3, 3)
    none = torch.zeros(0, 3, dtype=torch.int64)
    seen = rasterize_by(backend, torch.ones(2, 4, 3), none, camera, (4, 4))
    assert not seen.mask.any()
    assert interpolate(seen, none, torch.ones(2, 4, 5)).shape == (2, 4, 4, 5)


def test_attributes_blend_by_weight():
    vertices = torch.tensor([[[-1.0, -1.0, 2.0], [-1.0, 3.0, 2.0], [3.0, -1.0, 2.0]]])
    faces = torch.tensor([[0, 1, 2]])
    seen = rasterize(vertices, faces, intrinsics_matrix(2, (2, 2))[None], (2, 2))
    value = interpolate(seen, faces, torch.tensor([[8.0], [16.0], [0.0]]))
    torch.testing.assert_close(value[0, 0, 0], torch.tensor([8.0]))


@pytest.mark.parametrize("shared", [True, False])
def test_interpolation_is_the_same_with_and_without_numba(shared, generator, monkeypatch):
    vertices, faces = soup(generator)
    camera = intrinsics_matrix(50, (48, 64)).expand(2, 3, 3)
    seen = rasterize(vertices, faces, camera, (48, 64))
    attributes = torch.randn(2, 180, 7, generator=generator)
    attributes = attributes[0] if shared else attributes
    fast = interpolate(seen, faces, attributes)
    monkeypatch.setattr(backend_module, "compiled_loops", lambda: None)
    torch.testing.assert_close(fast, interpolate(seen, faces, attributes), atol=1e-5, rtol=0)
    assert (fast[~seen.mask] == 0).all()


def test_interpolation_carries_gradients():
    camera = intrinsics_matrix(4, (4, 4))[None]
    seen = rasterize(square(2.0)[None], QUAD, camera, (4, 4))
    attributes = torch.rand(1, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda values: interpolate(seen, QUAD, values), attributes)


def test_without_numba_torch_serves(monkeypatch):
    monkeypatch.setattr(backend_module, "compiled_loops", lambda: None)
    camera = intrinsics_matrix(2, (4, 4))[None]
    assert rasterize(square(2.0)[None], QUAD, camera, (4, 4)).mask.sum() == 4
