"""How far each joint of a fit can be trusted: how far the energy lets it go.

At its minimum the energy is that of a Gaussian over poses (Laplace's approximation), with the
Gauss-Newton matrix for its inverse covariance: what is neither seen nor usual is uncertain.
"""

import math

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from .energy import FitEnergy, Weights
from .kinematics import JOINTS, Pose

NEAR_M = 0.1
"""A joint is right when it is this near to where it should be, pelvis on pelvis."""
MODESTY = 1.0
"""How much larger errors are than the Gaussian says; measured on random people."""


def joint_confidence(energy: FitEnergy, pose: Pose) -> Float[ndarray, "batch 24"]:
    """Give the probability that each joint of a fitted body is right, within `NEAR_M`.

    Args:
        energy: of which `pose` is a minimum; the last 24 points of its skeleton are SMPL's joints.
        pose: the bodies.
    """
    spread = MODESTY * joint_spread(energy, pose)
    ratio = NEAR_M / np.maximum(spread, 1e-6)
    return np.vectorize(_within, otypes=[float])(np.minimum(ratio, 9.0))


def joint_spread(energy: FitEnergy, pose: Pose) -> Float[ndarray, "batch 24"]:
    """Give the standard deviation of each joint along an axis, metres, pelvis on pelvis."""
    weights = Weights()
    state = energy.state(pose, weights)
    matrix, _ = energy.linearise(state, weights)
    points = state.posed.points
    identity = np.broadcast_to(np.eye(3), (*points.shape, 3))
    joints = energy.skeleton.jacobian(state.posed, identity)[:, -JOINTS:]
    apart = (joints - joints[:, :1]).reshape(len(points), -1, matrix.shape[-1])
    diagonal = np.arange(matrix.shape[-1])
    matrix[:, diagonal, diagonal] += 1e-9
    moved = np.linalg.solve(matrix, apart.swapaxes(1, 2)).swapaxes(1, 2)
    variance = (apart * moved).sum(-1).reshape(len(points), JOINTS, 3).mean(-1)
    return np.sqrt(np.maximum(variance, 0.0))


def _within(ratio: float) -> float:
    """Give the share of a Gaussian in space that lies within so many standard deviations."""
    return math.erf(ratio / math.sqrt(2.0)) - math.sqrt(2.0 / math.pi) * ratio * math.exp(
        -(ratio**2) / 2.0
    )
