"""Cameras: values by hand, and each conversion against the projection that it must keep."""

import pytest
import torch

from posexfer_core.geometry.camera import (
    crop_intrinsics,
    crop_to_full_translation,
    intrinsics_matrix,
    ndc_to_pixels,
    pixels_to_ndc,
    project_perspective,
    project_scale_shift,
    project_weak_perspective,
    unproject_pixels,
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


@pytest.mark.parametrize("batch", BATCHES)
def test_pixels_and_depth_give_the_point_back(batch, generator):
    points = random_points(batch, generator)
    intrinsics = torch.tensor([[90.0, 3.0, 50.0], [0.0, 110.0, 40.0], [0.0, 0.0, 1.0]])
    intrinsics = intrinsics.expand(*batch, 3, 3)
    pixels = project_perspective(points, intrinsics)
    back = unproject_pixels(pixels, points[..., 2], intrinsics)
    torch.testing.assert_close(back, points, atol=1e-5, rtol=1e-5)


def test_perspective_is_differentiable(generator):
    points = random_points((2,), generator).double().requires_grad_()
    intrinsics = intrinsics_matrix(3, (4, 6)).double().expand(2, 3, 3).clone().requires_grad_()
    assert torch.autograd.gradcheck(project_perspective, (points, intrinsics))


def test_shift_is_scaled_with_the_points():
    camera = torch.tensor([0.5, 1.0, -1.0])
    points = torch.tensor([[1.0, 2.0, 7.0]])
    torch.testing.assert_close(project_weak_perspective(points, camera), torch.tensor([[1.0, 0.5]]))


def test_shift_comes_after_the_scale():
    camera = torch.tensor([0.5, 1.0, -1.0])
    points = torch.tensor([[1.0, 2.0, 7.0]])
    torch.testing.assert_close(project_scale_shift(points, camera), torch.tensor([[1.5, 0.0]]))


@pytest.mark.parametrize("batch", BATCHES)
def test_both_weak_cameras_agree_once_the_shift_is_divided_by_the_scale(batch, generator):
    points = random_points(batch, generator)
    camera = torch.rand(*batch, 3, generator=generator) + 0.5
    converted = torch.cat([camera[..., :1], camera[..., 1:] / camera[..., :1]], dim=-1)
    torch.testing.assert_close(
        project_scale_shift(points, camera), project_weak_perspective(points, converted)
    )


def test_depth_does_not_move_a_weak_projection(generator):
    near = torch.randn(5, 3, generator=generator)
    far = near + torch.tensor([0.0, 0.0, 3.0])
    camera = torch.tensor([0.9, 0.0, 0.2])
    for project in (project_weak_perspective, project_scale_shift):
        assert torch.equal(project(near, camera), project(far, camera))


def test_crop_camera_becomes_the_translation_worked_by_hand():
    translation = crop_to_full_translation(
        torch.tensor([1.0, 0.0, 0.0]),
        torch.tensor([500.0, 300.0]),
        torch.tensor(200.0),
        (400, 800),
        torch.tensor(1000.0),
    )
    torch.testing.assert_close(translation, torch.tensor([1.0, 1.0, 10.0]))


@pytest.mark.parametrize("batch", BATCHES)
def test_a_far_camera_projects_as_the_crop_did(batch, generator):
    points = 0.5 * torch.randn(*batch, 9, 3, generator=generator, dtype=torch.float64)
    camera = torch.rand(*batch, 3, generator=generator, dtype=torch.float64) + 0.4
    center = 300 + 50 * torch.rand(*batch, 2, generator=generator, dtype=torch.float64)
    size = 180 + 20 * torch.rand(batch, generator=generator, dtype=torch.float64)
    image, focal = (480, 640), torch.full(batch, 1e7, dtype=torch.float64)
    translation = crop_to_full_translation(camera, center, size, image, focal)
    intrinsics = intrinsics_matrix(1e7, image).double().expand(*batch, 3, 3)
    full = project_perspective(points + translation[..., None, :], intrinsics)
    in_crop = project_weak_perspective(points, camera)
    expected = center[..., None, :] + in_crop * size[..., None, None] / 2
    torch.testing.assert_close(full, expected, atol=1e-2, rtol=0)


def test_ndc_spans_the_image():
    pixels = torch.tensor([[0.0, 0.0], [200.0, 100.0], [50.0, 75.0]])
    expected = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [-0.5, 0.5]])
    torch.testing.assert_close(pixels_to_ndc(pixels, (100, 200)), expected)


def test_ndc_is_what_grid_sample_reads():
    image = torch.arange(12.0).reshape(1, 1, 3, 4)
    centre = pixels_to_ndc(torch.tensor([[[[2.5, 1.5]]]]), (3, 4))
    found = torch.nn.functional.grid_sample(image, centre, align_corners=False)
    torch.testing.assert_close(found.squeeze(), image[0, 0, 1, 2])


@pytest.mark.parametrize("batch", BATCHES)
def test_pixels_survive_ndc(batch, generator):
    pixels = 100 * torch.rand(*batch, 2, generator=generator)
    torch.testing.assert_close(ndc_to_pixels(pixels_to_ndc(pixels, (70, 90)), (70, 90)), pixels)


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
