import numpy as np
import pytest

from posexfer_core.body.model import BodyModel
from posexfer_core.errors import MeshError
from posexfer_core.register.surface import BODY_AREA_M2, Surface, as_surface, load_surface


def rest_arrays(body: BodyModel) -> tuple[np.ndarray, np.ndarray]:
    return body.v_template.double().numpy(), body.faces.numpy()


def test_the_area_of_a_square_is_its_side_squared():
    vertices = np.array([[0.0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]])
    square = Surface(vertices=vertices, faces=np.array([[0, 1, 2], [0, 2, 3]]))
    assert square.area == pytest.approx(4.0)
    assert square.scaled(0.5).area == pytest.approx(1.0)


def test_the_bundled_body_has_the_area_that_tells_units(body: BodyModel):
    surface = as_surface(*rest_arrays(body))
    assert surface.area == pytest.approx(BODY_AREA_M2, rel=0.02)
    assert surface.sized
    assert surface.notes == ()


@pytest.mark.parametrize(("factor", "unit"), [(100.0, "cm"), (1000.0, "mm"), (1 / 0.0254, "in")])
def test_units_are_told_by_the_area_and_said(body: BodyModel, factor, unit):
    vertices, faces = rest_arrays(body)
    surface = as_surface(factor * vertices, faces)
    np.testing.assert_allclose(surface.vertices, vertices, rtol=1e-9)
    assert f" {unit}," in surface.notes[0]


def test_a_size_of_no_unit_becomes_that_of_a_mean_body(body: BodyModel):
    vertices, faces = rest_arrays(body)
    surface = as_surface(7.0 * vertices, faces)
    assert surface.area == pytest.approx(BODY_AREA_M2)
    assert not surface.sized
    assert "Give the unit" in surface.notes[0]


def test_a_given_unit_is_believed(body: BodyModel):
    vertices, faces = rest_arrays(body)
    surface = as_surface(7.0 * vertices, faces, unit="cm")
    np.testing.assert_allclose(surface.vertices, 0.07 * vertices)
    assert surface.sized


def test_faces_that_name_a_vertex_twice_are_dropped():
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = np.array([[0, 1, 2], [1, 1, 2], [0, 1, 3]])
    assert as_surface(vertices, faces).faces.tolist() == [[0, 1, 2], [0, 1, 3]]


def test_meshes_without_extent_or_area_are_refused():
    triangle = np.array([[0, 1, 2]])
    with pytest.raises(MeshError, match=r"no body in any unit.\nExpected .*\nScale the mesh"):
        as_surface(np.zeros((3, 3)), triangle)
    with pytest.raises(MeshError, match=r"hardly any surface.*\nExpected the skin .*\nExport"):
        as_surface(np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]), triangle)


def test_a_file_is_read_and_glb_is_y_up(tmp_path, body: BodyModel):
    trimesh = pytest.importorskip("trimesh")
    vertices, faces = rest_arrays(body)
    for name, up in (("a.glb", "y"), ("a.ply", None)):
        trimesh.Trimesh(vertices, faces, process=False).export(tmp_path / name)
        surface = load_surface(tmp_path / name)
        np.testing.assert_allclose(surface.vertices, vertices, atol=1e-6)
        assert surface.up == "auto" and surface.standard_up == up
    assert load_surface(tmp_path / "a.glb", up="z").up == "z"
