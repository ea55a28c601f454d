"""Which joints move which vertex: one joint each at first, then spread along the surface."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import spsolve

from posexfer_core.body.joints import JOINT_INDEX, MIRRORED_JOINTS

from .mesh import SymmetricMesh
from .sdf import Part
from .skeleton import joint

WEIGHTS_PER_VERTEX = 4
LEAST_WEIGHT = 0.004
SPREAD_STEPS = 2


def skin(mesh: SymmetricMesh, parts: Sequence[Part]) -> np.ndarray:
    """Weigh 24 joints for every vertex; rows sum to one and mirror each other."""
    labels = _labels(np.abs(mesh.vertices) * [1, 0, 0] + mesh.vertices * [0, 1, 1], parts)
    right = mesh.vertices[:, 0] < 0
    labels[right] = MIRRORED_JOINTS[labels[right]]
    weights = np.eye(24)[labels]
    middle = mesh.vertices[:, 0] == 0
    weights[middle] = (weights[middle] + weights[middle][:, MIRRORED_JOINTS]) / 2
    weights = _strongest(_spread(mesh, weights))
    return (weights + weights[mesh.mirror][:, MIRRORED_JOINTS]) / 2


def _labels(points: np.ndarray, parts: Sequence[Part]) -> np.ndarray:
    """Give each point of the left half the joint of its nearest solid, then cut at the joints."""
    distances = np.stack([part.solid.distance(points) for part in parts])
    joint_of_part = np.array([JOINT_INDEX[part.joint] for part in parts])
    labels = joint_of_part[distances.argmin(axis=0)]
    _cut_trunk(labels, points)
    _cut_limbs(labels, points)
    return labels


def _cut_trunk(labels: np.ndarray, points: np.ndarray) -> None:
    """Share the trunk out by height, then hand its corners to hip, collar, shoulder and neck."""
    x, y, _ = points.T
    index = JOINT_INDEX
    trunk = np.isin(labels, [index["pelvis"], index["spine2"], index["spine3"]])
    levels = np.array([index[name] for name in ("pelvis", "spine1", "spine2", "spine3")])
    labels[trunk] = levels[np.searchsorted([1.0, 1.12, 1.215], y[trunk], side="right")]
    chest = trunk & (labels == index["spine3"])
    labels[trunk & (y < 0.845) & (x > 0.02)] = index["l_hip"]
    labels[chest & (y > 1.425)] = index["neck"]
    collar = (y > 1.33) & (x > 0.055)
    labels[chest & collar] = index["l_collar"]
    armpit = chest & ~collar & (y > 1.27) & (x > 0.135)
    labels[armpit] = np.where(x[armpit] > 0.15, index["l_shoulder"], index["l_collar"])


def _cut_limbs(labels: np.ndarray, points: np.ndarray) -> None:
    """Move the borders between neighbouring joints to where the joints are."""
    x, y, z = points.T
    hand = joint("l_hand")[0]
    borders = (
        ("l_hip", y > 0.905, "pelvis"),
        ("neck", y > 1.53, "head"),
        ("head", y < 1.49, "neck"),
        ("l_shoulder", x < 0.150, "l_collar"),
        ("l_ankle", z > 0.085, "l_foot"),
        ("l_ankle", y > 0.085, "l_knee"),
        ("l_foot", y > 0.085, "l_knee"),
        ("l_wrist", x > hand, "l_hand"),
        ("l_hand", x < hand - 0.02, "l_wrist"),
        ("l_wrist", x < 0.69, "l_elbow"),
    )
    for found, beyond, replacement in borders:
        labels[(labels == JOINT_INDEX[found]) & beyond] = JOINT_INDEX[replacement]


def _spread(mesh: SymmetricMesh, weights: np.ndarray) -> np.ndarray:
    """Let weights flow along the surface by about `_reach_m`, so that joints bend smoothly.

    Backward steps of heat flow: `(A / s^2 + L / 2) w' = (A / s^2) w` with vertex areas `A`,
    cotangent Laplacian `L` and reach `s`.
    """
    laplacian, areas = _cotangent_laplacian(mesh)
    capacity = sparse.diags(areas / _reach_m(mesh.vertices) ** 2)
    system = (capacity + laplacian / 2).tocsc()
    for _ in range(SPREAD_STEPS):
        weights = np.asarray(spsolve(system, capacity @ weights))
    return weights


def _reach_m(vertices: np.ndarray) -> np.ndarray:
    """Say how far weights flow: far on the trunk, little on hands and feet."""
    x, y = np.abs(vertices[:, 0]), vertices[:, 1]
    conditions = [y > 1.42, (x > 0.36) & (x < 0.55), y < 0.16, x > 0.62]
    return np.select(conditions, [0.030, 0.026, 0.018, 0.016], 0.032)


def _cotangent_laplacian(mesh: SymmetricMesh) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Make the Laplacian whose edge weights are half the cotangents of the facing angles."""
    count = len(mesh.vertices)
    rows, columns, values, doubled_area = [], [], [], np.zeros(len(mesh.faces))
    for turn in range(3):
        apex, first, second = np.roll(mesh.faces, -turn, axis=1).T
        to_first = mesh.vertices[first] - mesh.vertices[apex]
        to_second = mesh.vertices[second] - mesh.vertices[apex]
        doubled_area = np.linalg.norm(np.cross(to_first, to_second), axis=1)
        cotangent = np.sum(to_first * to_second, axis=1) / np.maximum(doubled_area, 1e-9)
        rows += [first, second]
        columns += [second, first]
        values += [np.clip(cotangent, 0.02, 5.0) / 2] * 2
    indices = (np.concatenate(rows), np.concatenate(columns))
    links = sparse.coo_matrix((np.concatenate(values), indices), (count, count)).tocsr()
    areas = np.bincount(mesh.faces.ravel(), np.repeat(doubled_area / 6, 3), count)
    return sparse.diags(np.asarray(links.sum(axis=1)).ravel()) - links, areas


def _strongest(weights: np.ndarray) -> np.ndarray:
    """Keep the few largest weights of every vertex and make them sum to one."""
    weights = np.clip(weights, 0.0, None)
    weights /= weights.sum(axis=1, keepdims=True)
    least = np.sort(weights, axis=1)[:, [-WEIGHTS_PER_VERTEX]]
    weights = np.where((weights >= least) & (weights > LEAST_WEIGHT), weights, 0.0)
    return weights / weights.sum(axis=1, keepdims=True)
