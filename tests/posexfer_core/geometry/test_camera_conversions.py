import numpy as np
import pytest

from posexfer_core.geometry.camera_conversions import (
    crop_camera_translation,
    far_pinhole,
    front_view,
    pinhole,
    solve_pinhole,
    up_axis,
)


def project(points, intrinsics):
    homogeneous = points @ intrinsics.swapaxes(-1, -2)
    return homogeneous[..., :2] / homogeneous[..., 2:]


def test_crop_camera_becomes_the_translation_worked_by_hand():
    camera, center = np.array([[1.0, 0.0, 0.0]]), np.array([[500.0, 300.0]])
    found = crop_camera_translation(camera, center, np.array([200.0]), (400, 800), 1000.0)
    np.testing.assert_allclose(found, [[1.0, 1.0, 10.0]])


def test_a_far_camera_projects_as_the_crop_did():
    rng = np.random.default_rng(0)
    points = 0.5 * rng.normal(size=(5, 9, 3))
    camera, center = rng.random((5, 3)) + 0.4, 300 + 50 * rng.random((5, 2))
    side = 180 + 20 * rng.random(5)
    transl = crop_camera_translation(camera, center, side, (480, 640), 1e7)
    full = project(points + transl[:, None], pinhole(1e7, (480, 640), 5))
    in_crop = camera[:, None, :1] * (points[..., :2] + camera[:, None, 1:])
    expected = center[:, None] + in_crop * side[:, None, None] / 2
    np.testing.assert_allclose(full, expected, atol=1e-2)


def test_a_far_pinhole_sees_what_a_weak_perspective_sees():
    rng = np.random.default_rng(1)
    points = rng.uniform(-1.0, 1.0, (3, 20, 3)) * [0.9, 0.9, 0.5]
    scale, offset = np.array([80.0, 200.0, 400.0]), rng.uniform(0.0, 500.0, (3, 2))
    intrinsics, transl = far_pinhole(scale, offset, np.zeros((3, 3)))
    expected = scale[:, None, None] * points[..., :2] + offset[:, None]
    assert np.abs(project(points + transl[:, None], intrinsics) - expected).max() < 0.35


def test_a_pinhole_is_found_from_what_it_shows():
    points = np.random.default_rng(2).normal((0.0, 0.0, 6.0), size=(12, 3))
    found = solve_pinhole(points, project(points, pinhole(900.0, (480, 640), 1)[0]))
    assert found is not None
    np.testing.assert_allclose([found[0], *found[1]], [900.0, 320.0, 240.0], rtol=1e-9)
    assert solve_pinhole(points[:3], np.zeros((3, 2))) is None


@pytest.mark.parametrize(("up", "root"), [("y", [0.0, 0.0, 0.0]), ("-y", [np.pi, 0.0, 0.0])])
def test_a_made_up_camera_looks_at_the_front_from_4_2_m(up, root):
    turns = np.array([root])
    assert up_axis(turns) == up
    pelvis = np.array([[3.0, 1.0, -2.0]])
    (_, size), camera = front_view(turns, pelvis, up, None)
    seen = camera[0, :3, :3] @ pelvis[0] + camera[0, :3, 3]
    assert size == (768, 512)
    np.testing.assert_allclose(seen, [0.0, 0.0, 4.2], atol=1e-9)
