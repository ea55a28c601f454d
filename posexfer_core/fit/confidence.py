"""Confidence of each joint of a fit, from the curvature of the energy at its minimum.

Laplace's approximation: the Gauss-Newton matrix is the inverse covariance of a Gaussian over poses.
"""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..conventions import JOINT_COUNT
from .energy import FitEnergy, Weights
from .kinematics import Pose

NEAR_M = 0.1
"""Distance within which a joint counts as right, pelvis on pelvis."""
CALIBRATION = 1.4
"""Factor on the Gaussian's standard deviation, for errors are larger: `tests.benchmarks.fit` prints
how often joints of each confidence are right."""


def joint_confidence(energy: FitEnergy, pose: Pose) -> Float[ndarray, "batch 24"]:
    """Return the probability that each joint of a fitted body lies within `NEAR_M` of the truth.

    Args:
        energy: of which `pose` is near a minimum; its skeleton's last 24 points are SMPL's joints.
        pose: the bodies.
    """
    spread = CALIBRATION * joint_spread(energy, pose)
    return share_within(NEAR_M / np.maximum(spread, 1e-6))


def joint_spread(energy: FitEnergy, pose: Pose) -> Float[ndarray, "batch 24"]:
    """Return the standard deviation of each joint along an axis, metres, pelvis on pelvis."""
    weights = Weights()
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
    """Return the share of a distribution in space that lies within so many standard deviations.

    A Laplace distribution, density `exp(-d / s)`, standard deviation 2 s along an axis: most errors
    are small, those of a limb that leans the wrong way large.
    """
    reach = 2.0 * ratio
    return 1.0 - np.exp(-reach) * (1.0 + reach + reach**2 / 2.0)
