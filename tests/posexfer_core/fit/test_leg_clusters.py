import numpy as np
from scipy.stats import multivariate_normal

from posexfer_core.fit.leg_clusters import LegClusters, mirrored_legs


def two_clusters() -> tuple[LegClusters, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    share, mean = np.array([0.3, 0.7]), rng.normal(size=(2, 12))
    root = 0.3 * rng.normal(size=(2, 12, 12))
    covariance = root @ root.swapaxes(1, 2) + 0.1 * np.eye(12)
    return LegClusters(share, mean, covariance), share, mean, covariance


def test_energies_are_those_of_the_likelier_gaussian():
    clusters, share, mean, covariance = two_clusters()
    legs = np.random.default_rng(1).normal(size=(20, 12))
    likeliest = np.max(
        [
            np.log(share[k]) + multivariate_normal(mean[k], covariance[k]).logpdf(legs)
            for k in range(2)
        ],
        axis=0,
    )
    found = clusters.nearest(legs).energy
    np.testing.assert_allclose(found - found[0], -2.0 * (likeliest - likeliest[0]), atol=1e-8)


def test_the_pull_is_half_the_slope():
    clusters, *_ = two_clusters()
    legs, step = np.random.default_rng(2).normal(size=(1, 12)), 1e-6
    near = clusters.nearest(legs)
    for axis in np.eye(12):
        rise = clusters.nearest(legs + step * axis).energy - near.energy
        np.testing.assert_allclose(rise / step, 2.0 * near.pull @ axis, atol=1e-3)
    np.testing.assert_allclose(near.precision, near.precision.swapaxes(1, 2), atol=1e-9)


def test_no_body_is_no_error():
    clusters, *_ = two_clusters()
    assert clusters.nearest(np.zeros((0, 12))).pull.shape == (0, 12)


def test_the_bundled_clusters_know_no_side():
    wide = np.zeros(12), np.eye(12)
    clusters = LegClusters.with_wide(*wide)
    legs = 0.5 * np.random.default_rng(3).normal(size=(30, 12))
    mirrored = clusters.nearest(mirrored_legs(legs)).energy
    np.testing.assert_allclose(clusters.nearest(legs).energy, mirrored, atol=1e-9)
    np.testing.assert_array_equal(mirrored_legs(mirrored_legs(legs)), legs)
