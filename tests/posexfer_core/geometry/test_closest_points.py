import numpy as np
import pytest

from posexfer_core.geometry.closest_points import closest_points, triangle_mixes
from posexfer_core.geometry.point_clouds import OrientedPoints

TRIANGLE = np.array([[0.0, 0, 0], [2, 0, 0], [0, 2, 0]])


@pytest.mark.parametrize(
    ("point", "mix"),
    [
        ((0.0, -1.0, 0.0), (1, 0, 0)),
        ((0.5, 0.5, 3.0), (0.5, 0.25, 0.25)),
        ((1.0, -1.0, 0.0), (0.5, 0.5, 0)),
        ((2.0, 2.0, 0.0), (0, 0.5, 0.5)),
        ((9.0, 0.0, 0.0), (0, 1, 0)),
        ((0.0, 9.0, 0.0), (0, 0, 1)),
    ],
)
def test_closest_points_of_a_triangle_lie_inside_on_edges_and_corners(point, mix):
    np.testing.assert_allclose(triangle_mixes(np.array(point), TRIANGLE), mix, atol=1e-12)


def test_a_triangle_without_area_answers_by_its_edges():
    line = np.array([[0.0, 0, 0], [2, 0, 0], [1, 0, 0]])
    mix = triangle_mixes(np.array([0.5, 1.0, 0.0]), line)
    np.testing.assert_allclose(mix @ line, [0.5, 0.0, 0.0], atol=1e-12)


def test_mesh_distances_are_those_of_trimesh():
    trimesh = pytest.importorskip("trimesh")
    ball = trimesh.creation.icosphere(subdivisions=3)
    random = np.random.default_rng(0)
    points = random.normal(size=(200, 3))
    normals = points / np.linalg.norm(points, axis=1, keepdims=True)
    found = closest_points(
        OrientedPoints(points=points, normals=normals),
        np.asarray(ball.vertices),
        np.asarray(ball.vertex_normals),
        np.asarray(ball.faces),
    )
    places, distance, _ = trimesh.proximity.closest_point(ball, points)
    np.testing.assert_allclose(found.distance, distance, atol=1e-3)
    mixed = found.mix(np.asarray(ball.faces), np.asarray(ball.vertices))
    np.testing.assert_allclose(mixed, places, atol=0.03)


def test_normals_tell_two_close_sheets_apart():
    vertices = np.concatenate([TRIANGLE, TRIANGLE + np.array([0, 0, 0.02])])
    up, down = np.tile([0.0, 0, 1], (3, 1)), np.tile([0.0, 0, -1], (3, 1))
    faces = np.array([[0, 1, 2], [3, 5, 4]])
    point = OrientedPoints(points=np.array([[0.1, 0.1, 0.011]]), normals=up[:1])
    normals = np.concatenate([up, down])
    # only the nearest vertices by place and normal are tried: those of the sheet that looks up
    found = closest_points(point, vertices, normals, faces)
    assert found.face.tolist() in ([0], [1])
    assert found.distance[0] == pytest.approx(0.009, abs=3e-3)
