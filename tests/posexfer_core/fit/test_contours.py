import numpy as np

from posexfer_core.fit.contours import contour_of


def disc(radius, size=64):
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    return x**2 + y**2 < radius**2


def test_the_contour_of_a_disc_runs_around_it_and_faces_out():
    contour = contour_of(disc(20.0))
    away = contour.xy - 32.0
    radii = np.linalg.norm(away, axis=-1)
    assert radii.min() > 19.0 and radii.max() < 20.0
    assert ((contour.normal * away).sum(-1) / radii).min() > 0.97
    np.testing.assert_allclose(np.linalg.norm(contour.normal, axis=-1), 1.0, rtol=1e-6)


def test_the_rim_of_a_hole_faces_into_the_hole():
    contour = contour_of(disc(25.0) & ~disc(10.0))
    away = contour.xy - 32.0
    radii = np.linalg.norm(away, axis=-1)
    inner = radii < 15.0
    assert inner.any() and not inner.all()
    facing = (contour.normal * away).sum(-1) / radii
    assert facing[inner].max() < -0.9 and facing[~inner].min() > 0.9


def test_where_the_image_ends_there_is_no_contour():
    half = np.zeros((32, 32), bool)
    half[:, :16] = True
    contour = contour_of(half)
    assert set(contour.column) == {15}
    np.testing.assert_allclose(contour.normal, np.broadcast_to([1.0, 0.0], contour.normal.shape))


def test_thinning_keeps_points_from_all_around():
    thin = contour_of(disc(20.0)).thinned(8)
    assert len(thin.row) == 8
    assert np.ptp(thin.xy, axis=0).min() > 20.0
