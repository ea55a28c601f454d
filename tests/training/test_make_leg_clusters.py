import numpy as np

from posexfer_core.files.archive import read_archive
from posexfer_core.fit.leg_clusters import ASSET
from training.make_leg_clusters import leg_clusters
from training.synthetic.floor import FLOOR_STANCES
from training.synthetic.stances import STANCES


def test_the_bundled_clusters_are_those_of_the_stances():
    made, bundled = leg_clusters(25), read_archive(ASSET)
    assert len(bundled["share"]) == len(STANCES) + len(FLOOR_STANCES)
    np.testing.assert_allclose(made["share"], bundled["share"], rtol=1e-6)
    spread = np.sqrt(np.diagonal(bundled["covariance"], axis1=1, axis2=2))
    assert (np.abs(made["mean"] - bundled["mean"]) < spread + 0.02).all()
