"""Joints as weighted sums of nearby vertices, so that they follow the shape of the body."""

from dataclasses import dataclass

import numpy as np

from posexfer_core.body.joints import JOINT_INDEX, JOINT_NAMES, MIRRORED_JOINTS, PARENTS

from .mesh import SymmetricMesh
from .skeleton import REST_JOINTS

CANDIDATES = 180
SHAPE_IMPORTANCE = 3e5
"""How much an error under a change of shape costs against large weights."""


@dataclass(frozen=True, kw_only=True)
class ShapeTargets:
    """Offsets for each standard deviation, which the regressed joints should follow."""

    vertices: np.ndarray
    joints: np.ndarray


def regress_joints(mesh: SymmetricMesh, weights: np.ndarray, targets: ShapeTargets) -> np.ndarray:
    """Solve for a `(24, V)` matrix whose rows sum to one and mirror each other.

    Exact on the rest body, least squares over the shape directions.
    """
    regressor = np.zeros((24, len(mesh.vertices)))
    for name, index in JOINT_INDEX.items():
        if name.startswith("r_"):
            continue
        candidates = _candidates(mesh, weights, index)
        regressor[index, candidates] = _solve(mesh, candidates, index, targets)
    for index in range(24):
        partner = MIRRORED_JOINTS[index]
        if partner == index:
            regressor[index] = (regressor[index] + regressor[index, mesh.mirror]) / 2
        elif JOINT_NAMES[index].startswith("r_"):
            regressor[index] = regressor[partner, mesh.mirror]
    return regressor


def _candidates(mesh: SymmetricMesh, weights: np.ndarray, index: int) -> np.ndarray:
    """Pick the vertices nearest to a joint among those that it or its parent moves."""
    moved = weights[:, index] > 0.02
    if PARENTS[index] >= 0:
        moved |= weights[:, PARENTS[index]] > 0.02
    moved = np.flatnonzero(moved)
    distances = np.linalg.norm(mesh.vertices[moved] - REST_JOINTS[index], axis=1)
    nearest = moved[np.argsort(distances, kind="stable")[:CANDIDATES]]
    if MIRRORED_JOINTS[index] == index:
        nearest = np.union1d(nearest, mesh.mirror[nearest])
    return nearest


def _solve(
    mesh: SymmetricMesh, candidates: np.ndarray, index: int, targets: ShapeTargets
) -> np.ndarray:
    """Minimise `|d w|^2 + c |B w - t|^2` under `sum w = 1` and `V w = joint`.

    `d` grows with the distance to the joint, `B w = t` asks for the shape offsets. With the rows
    of all demands in `M`, their right sides in `r`, and `R` zero for the exact ones and `1 / c`
    for the others, the answer is `w = d^-2 M' (M d^-2 M' + R)^-1 r`.
    """
    positions = mesh.vertices[candidates]
    offsets = positions - REST_JOINTS[index]
    nearness = (np.linalg.norm(offsets, axis=1) + 0.02) ** -2
    follow = targets.vertices[candidates].transpose(1, 2, 0).reshape(-1, len(candidates))
    demands = np.concatenate([np.ones((1, len(candidates))), offsets.T, follow])
    right_side = np.concatenate([[1.0, 0.0, 0.0, 0.0], targets.joints[index].reshape(-1)])
    slack = np.diag([0.0] * 4 + [1 / SHAPE_IMPORTANCE] * len(follow))
    weighted = demands * nearness
    return weighted.T @ np.linalg.solve(weighted @ demands.T + slack, right_side)
