"""Cameras: values by hand, and each conversion against the projection that it must keep."""

import math

import pytest
import torch

from posexfer_core.geometry.camera import (
    crop_intrinsics,
    default_focal_px,
    focal_from_fov,
    intrinsics_matrix,
    pixels_to_ndc,
    project_perspective,
)

BATCHES = [(), (2,), (2, 3)]


def random_points(batch, generator):
    points = torch.randn(*batch, 7, 3, generator=generator)
    return points + torch.tensor([0.0, 0.0, 6.0])


def test_pinhole_divides_by_depth():
    intrinsics = torch.tensor([[100.0, 0.0, 50.0], [0.0, 100.0, 40.0], [0.0, 0.0, 1.0]])
    pixels = project_perspective(torch.tensor([[1.0, 2.0, 4.0]]), intrinsics)
    torch.testing.assert_close(pixels, torch.tensor([[75.0, 90.0]]))


@pytest.mark.parametrize("batch", BATCHES)
def test_perspective_is_the_homogeneous_product(batch, generator):
    points = random_points(batch, generator)
    intrinsics = torch.tensor([[90.0, 3.0, 50.0], [0.0, 110.0, 40.0], [0.0, 0.0, 1.0]])
    intrinsics = intrinsics.expand(*batch, 3, 3)
    homogeneous = points @ intrinsics.mT
    expected = homogeneous[..., :2] / homogeneous[..., 2:]
    torch.testing.assert_close(project_perspective(points, intrinsics), expected)


def test_perspective_is_differentiable(generator):
    points = random_points((2,), generator).double().requires_grad_()
    intrinsics = intrinsics_matrix(3, (4, 6)).double().expand(2, 3, 3).clone().requires_grad_()
    assert torch.autograd.gradcheck(project_perspective, (points, intrinsics))


def test_ndc_spans_the_image():
    pixels = torch.tensor([[0.0, 0.0], [200.0, 100.0], [50.0, 75.0]])
    expected = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [-0.5, 0.5]])
    torch.testing.assert_close(pixels_to_ndc(pixels, (100, 200)), expected)


def test_ndc_is_what_grid_sample_reads():
    image = torch.arange(12.0).reshape(1, 1, 3, 4)
    centre = pixels_to_ndc(torch.tensor([[[[2.5, 1.5]]]]), (3, 4))
    found = torch.nn.functional.grid_sample(image, centre, align_corners=False)
    torch.testing.assert_close(found.squeeze(), image[0, 0, 1, 2])


def test_principal_point_lies_at_the_centre():
    expected = torch.tensor([[500.0, 0.0, 100.0], [0.0, 500.0, 50.0], [0.0, 0.0, 1.0]])
    assert torch.equal(intrinsics_matrix(500, (100, 200)), expected)


def test_cut_moves_the_principal_point_and_zoom_doubles_the_focal_length():
    expected = torch.tensor([[1000.0, 0.0, 160.0], [0.0, 1000.0, 80.0], [0.0, 0.0, 1.0]])
    assert torch.equal(crop_intrinsics(intrinsics_matrix(500, (100, 200)), (20, 10), 2), expected)


@pytest.mark.parametrize("batch", BATCHES)
def test_cut_intrinsics_project_to_cut_pixels(batch, generator):
    points = random_points(batch, generator)
    intrinsics = torch.tensor([[90.0, 3.0, 50.0], [0.0, 110.0, 40.0], [0.0, 0.0, 1.0]])
    intrinsics = intrinsics.expand(*batch, 3, 3)
    whole = project_perspective(points, intrinsics)
    cut = project_perspective(points, crop_intrinsics(intrinsics, (-12.5, 7.0), 0.75))
    torch.testing.assert_close(cut, 0.75 * (whole - torch.tensor([-12.5, 7.0])))


def test_focal_lengths_are_those_worked_by_hand():
    assert focal_from_fov(math.pi / 2, 200) == pytest.approx(100.0)
    assert default_focal_px((300, 400)) == 500.0
