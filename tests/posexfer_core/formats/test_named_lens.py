from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posexfer_core.body.params import HumanParams
from posexfer_core.formats.read import read_params

MATRIX = np.array([[1500.0, 0.0, 640.0], [0.0, 1500.0, 360.0], [0.0, 0.0, 1.0]])
SIZE = (720, 1280)
MIDDLE = [640.0, 360.0]


def read(folder: Path, image_size: Any = None, **names: Any) -> HumanParams:
    """Write somebody 5 m before a camera with these names of the lens, and read it."""
    person = {"global_orient": [[np.pi, 0.0, 0.0]], "body_pose": np.zeros((1, 63))}
    np.savez(folder / "a.npz", **person, transl=[[0.2, 0.1, 5.0]], **names)
    return read_params(folder / "a.npz", image_size=image_size)


def assert_lens(params: HumanParams, focal: float = 1500.0) -> None:
    np.testing.assert_allclose(params.intrinsics[0, :2, 2].numpy(), MIDDLE, atol=0.01)
    np.testing.assert_allclose(params.intrinsics[0, [0, 1], [0, 1]].numpy(), focal, rtol=1e-4)
    assert params.image_size == SIZE


@pytest.mark.parametrize(
    "name",
    ["K", "cam_K", "intrinsic", "cameraMatrix", "camera_intrinsics", "cam_int", "mtx", "K_matrix"],
)
def test_matrices_have_many_names(tmp_path, caplog, name):
    assert_lens(read(tmp_path, **{name: MATRIX}))
    assert "focal" not in caplog.text


@pytest.mark.parametrize(
    "matrix",
    [MATRIX[None], MATRIX.T, np.pad(MATRIX, (0, 1)), [1500.0, 1500.0, *MIDDLE]],
    ids=["frames", "transposed", "4x4", "fx fy cx cy"],
)
def test_matrices_have_many_layouts(tmp_path, matrix):
    assert_lens(read(tmp_path, intrinsics=matrix))


@pytest.mark.parametrize(
    "focal", ["focal", "focal_length", "focalLength", "img_focal", "scaled_focal_length", "f"]
)
@pytest.mark.parametrize(
    "center", ["princpt", "principal_point", "camera_center", "cxcy", "img_center"]
)
def test_focal_lengths_and_principal_points_have_many_names(tmp_path, caplog, focal, center):
    assert_lens(read(tmp_path, **{focal: 1500.0, center: MIDDLE}))
    assert "focal" not in caplog.text


@pytest.mark.parametrize(
    "size",
    [{"img_h": 720, "img_w": 1280}, {"height": 720, "width": 1280}, {"img_shape": [720, 1280, 3]}],
    ids=lambda names: next(iter(names)),
)
def test_without_a_principal_point_the_lens_looks_through_the_middle(tmp_path, size):
    assert_lens(read(tmp_path, focal_length=[1500.0, 1500.0], **size))
    assert_lens(read(tmp_path, fx=1500.0, fy=1500.0, **size))


def test_millimetres_shares_and_angles_become_pixels(tmp_path, caplog):
    assert_lens(read(tmp_path, SIZE, focal_length=42.1875, sensor_width=36.0))
    assert "millimetres" not in caplog.text
    assert_lens(read(tmp_path, SIZE, focal_length=50.0), 50.0 / 36.0 * 1280.0)
    assert "millimetres" in caplog.text
    assert_lens(read(tmp_path, SIZE, focal_length=1500.0 / 1280.0))
    assert "image widths" in caplog.text
    degrees = np.degrees(2.0 * np.arctan(640.0 / 1500.0))
    for angle in (degrees, np.radians(degrees)):
        assert_lens(read(tmp_path, SIZE, fov=angle))
    assert "angle of view" in caplog.text


def test_the_centre_of_a_box_is_no_principal_point(tmp_path):
    params = read(tmp_path, SIZE, focal_length=1500.0, center=[100.0, 90.0], scale=1.2)
    assert_lens(params)


def test_other_things_under_these_names_are_passed(tmp_path):
    params = read(tmp_path, K=["tool", "K"], f=np.zeros((40, 3)), focal=1500.0, princpt=MIDDLE)
    assert_lens(params)


def test_a_lens_in_a_dict_of_its_own_is_read(tmp_path):
    inner = {"fx": 1500.0, "fy": 1500.0, "cx": 640.0, "cy": 360.0, "width": 1280, "height": 720}
    assert_lens(read(tmp_path, camera=np.array(inner, object)))


def test_a_projection_without_a_turn_is_a_matrix_and_one_with_it_is_not(tmp_path):
    plain = np.c_[MATRIX, np.zeros(3)]
    assert_lens(read(tmp_path, P=plain))
    turn = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    turned = read(tmp_path, P=np.c_[MATRIX @ turn, np.zeros(3)])
    assert abs(float(turned.intrinsics[0, 0, 0]) - 1500.0) > 1.0


def test_millimetres_and_an_angle_upwards_are_read(tmp_path):
    size = {"img_height": 720, "img_width": 1280}
    focal = 1500.0 / 1280 * 36.0
    assert_lens(read(tmp_path, focal_length_mm=focal, sensor_width_mm=36.0, **size))
    assert_lens(read(tmp_path, yfov=2.0 * np.arctan(360 / 1500.0), **size))


def test_a_person_before_the_lens_of_a_motion_capture_is_seen_by_it(tmp_path):
    assert_lens(
        read(
            tmp_path,
            K_fullimg=MATRIX[None],
            betas=np.zeros((1, 10)),
            **{"img_height": 720, "img_width": 1280},
        )
    )
