from pathlib import Path

import numpy as np
import pytest

from posexfer_core.body.model import ASSET
from posexfer_core.files.archive import write_archive

for package in ("scipy", "skimage", "fast_simplification", "trimesh"):
    pytest.importorskip(package)

import trimesh  # noqa: E402

from posexfer_core.body.joints import MIRRORED_JOINTS, mirrored_name  # noqa: E402
from training.bundled_body.__main__ import PELVIS, build_body  # noqa: E402
from training.bundled_body.sdf import Ellipsoid, Loft, RoundCone, smooth_minimum  # noqa: E402
from training.bundled_body.shape import SHAPE_DIRECTIONS, shape_directions  # noqa: E402
from training.bundled_body.skeleton import REST_JOINTS  # noqa: E402

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def built() -> Arrays:
    return build_body()


@pytest.fixture(scope="module")
def shipped() -> Arrays:
    with np.load(ASSET, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@pytest.mark.slow
def test_the_shipped_body_is_what_the_builder_makes(built: Arrays, shipped: Arrays):
    """The same faces; places within a tenth of a millimetre, and joints that move by as much for
    each unit of shape, within a tenth of a millimetre.

    Weights within a thousandth, but for a few at ties between bones, which another processor's
    rounding breaks the other way: on average they move a vertex by less than five micrometres.
    """
    assert built.keys() == shipped.keys()
    for name in ("f", "kintree_table", "sym", "vertex_ids"):
        np.testing.assert_array_equal(built[name], shipped[name], err_msg=name)
    for name in ("v_template", "shapedirs", "J"):
        np.testing.assert_allclose(built[name], shipped[name], atol=1e-4, rtol=0, err_msg=name)
    apart = np.abs(built["weights"] - shipped["weights"])
    assert apart.max() < 0.02 and (apart > 1e-3).mean() < 1e-4
    assert 0.5 * apart.sum(1).mean() < 5e-6  # metres, where bones carry places 0.5 m apart
    joints, expected = (
        np.einsum("jv,vxk->jxk", regressor, shipped["shapedirs"])
        for regressor in (built["J_regressor"], shipped["J_regressor"])
    )
    np.testing.assert_allclose(joints, expected, atol=1e-4, rtol=0)


def test_the_file_depends_on_its_arrays_alone(tmp_path: Path, shipped: Arrays):
    for name in ("first.npz", "second.npz"):
        write_archive(tmp_path / name, shipped)
    first, second = ((tmp_path / name).read_bytes() for name in ("first.npz", "second.npz"))
    assert first == second
    with np.load(tmp_path / "first.npz", allow_pickle=False) as file:
        assert all(np.array_equal(file[name], shipped[name]) for name in file.files)


def test_the_shipped_file_is_small(shipped: Arrays):
    assert ASSET.stat().st_size < 1_000_000
    assert all(array.dtype.kind in "fiuU" for array in shipped.values())


def test_the_mesh_is_closed_and_of_one_piece(shipped: Arrays):
    mesh = trimesh.Trimesh(shipped["v_template"], shipped["f"].astype(int), process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.euler_number == 2
    assert mesh.body_count == 1
    assert 0.055 < mesh.volume < 0.075  # cubic metres: a person of about 65 kg


def test_left_mirrors_right(shipped: Arrays):
    mirror, flip = shipped["sym"], np.array([-1.0, 1.0, 1.0], np.float32)
    np.testing.assert_array_equal(shipped["v_template"][mirror] * flip, shipped["v_template"])
    np.testing.assert_array_equal(
        shipped["shapedirs"][mirror] * flip[:, None], shipped["shapedirs"]
    )
    np.testing.assert_allclose(
        shipped["weights"][mirror][:, MIRRORED_JOINTS], shipped["weights"], atol=1e-7
    )


def test_weights_are_few_and_sum_to_one(shipped: Arrays):
    weights = shipped["weights"]
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)
    assert weights.min() >= 0.0
    assert (weights > 0).sum(axis=1).max() <= 8


def test_joints_follow_the_shape_to_a_third_of_a_millimetre(shipped: Arrays):
    to_rest = PELVIS - REST_JOINTS[0]
    vertices = shipped["v_template"] - to_rest
    regressor = shipped["J_regressor"].astype(float)
    np.testing.assert_allclose(regressor @ vertices, REST_JOINTS, atol=1e-5)
    _, wanted = shape_directions(vertices, shipped["weights"])
    found = np.einsum("jv,vxk->jxk", regressor, shipped["shapedirs"])
    assert np.linalg.norm(found - wanted, axis=1).max() <= 0.34e-3


def test_one_standard_deviation_of_stature_is_four_percent(shipped: Arrays):
    stature = list(SHAPE_DIRECTIONS).index("stature")
    height = np.ptp(shipped["v_template"][:, 1])
    taller = shipped["v_template"] + shipped["shapedirs"][..., stature]
    assert np.ptp(taller[:, 1]) / height == pytest.approx(1.04, abs=1e-3)


def test_right_joints_are_named_after_left_ones():
    assert mirrored_name("l_hip") == "r_hip"
    assert mirrored_name("pelvis") == "pelvis"
    np.testing.assert_array_equal(MIRRORED_JOINTS[MIRRORED_JOINTS], np.arange(24))


@pytest.mark.parametrize(
    ("solid", "point", "distance"),
    [
        (Ellipsoid((1.0, 0.0, 0.0), (0.5, 0.5, 0.5)), (2.0, 0.0, 0.0), 0.5),
        (RoundCone((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 0.2, 0.4), (0.5, 1.0, 0.0), 0.7),
        (
            Loft(
                (0.0, 0.0, 0.0),
                (0.0, 1.0, 0.0),
                across=(1.0, 0.0, 0.0),
                stations=[0.0, 1.0],
                radii_u=[0.3, 0.3],
                radii_v=[0.3, 0.3],
            ),
            (0.5, 0.5, 0.0),
            0.2,
        ),
    ],
)
def test_distances_are_those_worked_by_hand(solid, point, distance: float):
    found = solid.distance(np.array([point]))
    np.testing.assert_allclose(found, [distance], atol=1e-6)


def test_blending_is_the_lesser_distance_far_from_the_seam():
    first, second = np.array([0.0, 1.0, 0.1]), np.array([1.0, 0.0, 0.1])
    blended = smooth_minimum(first, second, 0.2)
    np.testing.assert_allclose(blended, [0.0, 0.0, 0.05])  # a quarter of the width at the seam
