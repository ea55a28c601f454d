"""How legs are held: clusters of hips and knees, one for each stance of our own random poses.

Legs go together in ways that one Gaussian cannot tell: who sits has both thighs raised, who kneels
on one knee has not. Each cluster is the mean and covariance of the draws of one stance
(`training.make_leg_clusters`); one wide cluster holds whatever is none of them.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from einops import rearrange
from jaxtyping import Float
from numpy import ndarray

from ..body.joints import JOINT_NAMES
from ..files.archive import read_archive

ASSET = Path(__file__).parents[1] / "body" / "assets" / "leg_clusters.npz"
LEGS = tuple(JOINT_NAMES.index(name) for name in ("l_hip", "r_hip", "l_knee", "r_knee"))
"""The joints of a cluster, each with the three numbers of its axis-angle."""
LEG_TURNS = (3 * (np.array(LEGS)[:, None] - 1) + np.arange(3)).ravel()
"""Where those numbers are among the turns of all joints but the root."""
WIDE_SHARE = 0.2
"""Share of the wide cluster."""
SHAKE = np.array([0.15, 0.2, 0.15] * 2 + [0.15, 0.08, 0.08] * 2)
"""Standard deviations that come on top of the draws, radians: people are less exact."""
SPREAD = 1.5
"""How many times the variance of people is that of the draws."""


class Nearest(NamedTuple):
    """The cluster that explains each body's legs best."""

    energy: Float[ndarray, " batch"]
    pull: Float[ndarray, "batch 12"]
    """Half the gradient of the energy."""
    precision: Float[ndarray, "batch 12 12"]
    """Half its Hessian."""


class LegClusters:
    """`E = min_k (x - m_k)^T P_k (x - m_k) - 2 log w_k - log |P_k|`, less the least constant.

    Args:
        share: of each cluster.
        mean: of each, axis-angle.
        covariance: of each.
    """

    def __init__(
        self,
        share: Float[ndarray, " clusters"],
        mean: Float[ndarray, "clusters 12"],
        covariance: Float[ndarray, "clusters 12 12"],
    ) -> None:
        self.mean, self.precision = mean, np.linalg.inv(covariance)
        self._pulled = (self.precision @ mean[..., None])[..., 0]
        cost = np.linalg.slogdet(covariance)[1] - 2.0 * np.log(share)
        self._cost = cost - cost.min() + (mean * self._pulled).sum(1)
        self._flat = self.precision.reshape(len(mean), -1)

    @classmethod
    def with_wide(
        cls, mean: Float[ndarray, " 12"], covariance: Float[ndarray, "12 12"]
    ) -> "LegClusters":
        """Take those of the asset and their mirror images, and a wide one."""
        shares, means, covariances = _stances()
        return cls(
            np.append((1.0 - WIDE_SHARE) * shares, WIDE_SHARE),
            np.concatenate([means, mean[None]]),
            np.concatenate([SPREAD * covariances + np.diag(SHAKE**2), covariance[None]]),
        )

    def nearest(self, legs: Float[ndarray, "batch 12"]) -> Nearest:
        """Pick the cluster of least energy for each body."""
        squares = rearrange(legs[:, :, None] * legs[:, None], "batch one two -> batch (one two)")
        energies = squares @ self._flat.T - 2.0 * legs @ self._pulled.T + self._cost
        chosen = energies.argmin(1)
        precision = self.precision[chosen]
        pull = (precision @ legs[..., None])[..., 0] - self._pulled[chosen]
        return Nearest(energies[np.arange(len(legs)), chosen], pull, precision)


def mirrored_legs(legs: Float[ndarray, "batch 12"]) -> Float[ndarray, "batch 12"]:
    """Swap left and right: y and z turn the other way."""
    sides = legs.reshape(len(legs), 4, 3)[:, [1, 0, 3, 2]]
    return (sides * np.array([1.0, -1.0, -1.0])).reshape(len(legs), 12)


@cache
def _stances() -> tuple[ndarray, ndarray, ndarray]:
    """Read shares, means and covariances; every stance is there mirrored too."""
    arrays = read_archive(ASSET)
    share, mean, covariance = (
        arrays[name].astype(np.float64) for name in ("share", "mean", "covariance")
    )
    turn = mirrored_legs(np.eye(12))
    return (
        np.tile(share / 2.0, 2),
        np.concatenate([mean, mirrored_legs(mean)]),
        np.concatenate([covariance, turn.T @ covariance @ turn]),
    )
