"""Points on a surface: values by hand, even spread, and the same ones every time."""

import pytest
import torch

from posexfer_core.geometry.points import SurfacePoints, locate_points, sample_surface_points

SHEET = torch.tensor([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [4.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])


def test_point_lies_where_its_weights_say():
    points = SurfacePoints(face=torch.tensor([0]), barycentric=torch.tensor([[0.5, 0.25, 0.25]]))
    vertices = torch.tensor([[[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [0.0, 4.0, 0.0]]])
    found = locate_points(points, vertices, torch.tensor([[0, 1, 2]]))
    torch.testing.assert_close(found, torch.tensor([[[1.0, 1.0, 0.0]]]))


def test_points_are_the_same_every_time_and_others_for_another_seed():
    once, again = (sample_surface_points(SHEET, FACES, 20) for _ in range(2))
    other = sample_surface_points(SHEET, FACES, 20, seed=1)
    assert torch.equal(once.face, again.face)
    assert torch.equal(once.barycentric, again.barycentric)
    assert not torch.equal(once.barycentric, other.barycentric)


def test_points_spread_evenly():
    points = sample_surface_points(SHEET, FACES, 64)
    found = locate_points(points, SHEET[None], FACES)[0]
    distance = torch.cdist(found, found) + 100 * torch.eye(64)
    assert distance.min() > 0.15  # 64 squares of side 0.25 tile the sheet
    corners = torch.cdist(SHEET, found).amin(-1)
    assert corners.max() < 0.35


def test_weights_sum_to_one_and_are_not_negative():
    points = sample_surface_points(SHEET, FACES, 30)
    assert (points.barycentric >= 0).all()
    torch.testing.assert_close(points.barycentric.sum(-1), torch.ones(30))


def test_faces_without_area_get_no_point():
    faces = torch.tensor([[0, 0, 1], [0, 1, 2], [3, 3, 3]])
    assert (sample_surface_points(SHEET, faces, 16).face == 1).all()


@pytest.mark.parametrize("batch", [1, 3])
def test_points_move_with_the_mesh(batch, generator):
    points = sample_surface_points(SHEET, FACES, 10)
    shift = torch.randn(batch, 1, 3, generator=generator)
    still = locate_points(points, SHEET.expand(batch, 4, 3), FACES)
    torch.testing.assert_close(locate_points(points, SHEET + shift, FACES), still + shift)


def test_locations_are_differentiable():
    points = sample_surface_points(SHEET, FACES, 5)
    vertices = SHEET[None].double().requires_grad_()
    assert torch.autograd.gradcheck(lambda moved: locate_points(points, moved, FACES), vertices)
