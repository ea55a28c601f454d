"""How far each joint of a fit can be trusted: how far the energy lets it go.

At its minimum the energy is that of a Gaussian over poses (Laplace's approximation), with the
Gauss-Newton matrix for its inverse covariance: what is neither seen nor usual is uncertain.
"""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..conventions import JOINT_COUNT
from .energy import FitEnergy, Weights
from .kinematics import Pose

NEAR_M = 0.1
"""A joint is right when it is this near to where it should be, pelvis on pelvis."""
MODESTY = 1.6
"""How much larger errors are than the Gaussian says: `tests.benchmarks.fit` prints how often joints
of each confidence are right."""


def joint_confidence(energy: FitEnergy, pose: Pose) -> Float[ndarray, "batch 24"]:
    """Give the probability that each joint of a fitted body is right, within `NEAR_M`.

    Args:
        energy: of which `pose` is near a minimum; its skeleton's last 24 points are SMPL's joints.
        pose: the bodies.
    """
    spread = MODESTY * joint_spread(energy, pose)
    return share_within(NEAR_M / np.maximum(spread, 1e-6))


def joint_spread(energy: FitEnergy, pose: Pose) -> Float[ndarray, "batch 24"]:
    """Give the standard deviation of each joint along an axis, metres, pelvis on pelvis."""
    weights = Weights()  # as people vary, not as freely as `search.FREE` lets the fit end
    state = energy.state(pose, weights)
    matrix, _ = energy.linearise(state, weights)
    points = state.posed.points
    identity = np.broadcast_to(np.eye(3), (*points.shape, 3))
    joints = energy.skeleton.jacobian(state.posed, identity)[:, -JOINT_COUNT:]
    apart = (joints - joints[:, :1]).reshape(len(points), -1, matrix.shape[-1])
    diagonal = np.arange(matrix.shape[-1])
    matrix[:, diagonal, diagonal] += 1e-9
    moved = np.linalg.solve(matrix, apart.swapaxes(1, 2)).swapaxes(1, 2)
    variance = (apart * moved).sum(-1).reshape(len(points), JOINT_COUNT, 3).mean(-1)
    return np.sqrt(np.maximum(variance, 0.0))


def share_within(ratio: Float[ndarray, "*batch"]) -> Float[ndarray, "*batch"]:
    """Give the share of a distribution in space that lies within so many standard deviations.

    It is Laplace's, not a Gaussian: of density `exp(-d / s)`, 2 s along an axis. Most errors are
    small, and a limb that leans the wrong way is far off.
    """
    reach = 2.0 * ratio
    return 1.0 - np.exp(-reach) * (1.0 + reach + reach**2 / 2.0)
