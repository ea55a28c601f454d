"""Rotations in float64 numpy: exponential, logarithm and its Jacobian, swing, quaternions."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

TINY = 1e-8


def cross_matrix(vectors: Float[ndarray, "*batch 3"]) -> Float[ndarray, "*batch 3 3"]:
    """Write `[v]x`, the matrix for which `[v]x w = v x w`."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    matrix = np.zeros((*vectors.shape[:-1], 3, 3))
    matrix[..., 0, 1], matrix[..., 0, 2], matrix[..., 1, 2] = -z, y, -x
    matrix[..., 1, 0], matrix[..., 2, 0], matrix[..., 2, 1] = z, -y, x
    return matrix


def exp_map(vectors: Float[ndarray, "*batch 3"]) -> Float[ndarray, "*batch 3 3"]:
    """Turn axis-angle vectors into matrices by Rodrigues' formula."""
    angle = np.sqrt((vectors**2).sum(-1))[..., None, None]
    safe = np.maximum(angle, TINY)
    cross = cross_matrix(vectors)
    sine = np.where(angle < TINY, 1.0, np.sin(safe) / safe)
    cosine = np.where(angle < TINY, 0.5, (1.0 - np.cos(safe)) / safe**2)
    return np.eye(3) + sine * cross + cosine * (cross @ cross)


def log_map(matrices: Float[ndarray, "*batch 3 3"]) -> Float[ndarray, "*batch 3"]:
    """Turn matrices into axis-angle vectors of at most pi, by way of quaternions.

    The outer product `4 q q^T` is linear in the matrix; its longest row is `q` up to scale and
    stays well defined at half turns, where the usual formula divides by zero.
    """
    m = matrices
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    outer = np.empty((*m.shape[:-2], 4, 4))
    outer[..., 0, 0] = 1.0 + trace
    for i, (j, k) in enumerate(((1, 2), (2, 0), (0, 1))):
        outer[..., i + 1, i + 1] = 1.0 + 2.0 * m[..., i, i] - trace
        outer[..., 0, i + 1] = outer[..., i + 1, 0] = m[..., k, j] - m[..., j, k]
        outer[..., j + 1, k + 1] = outer[..., k + 1, j + 1] = m[..., k, j] + m[..., j, k]
    longest = np.einsum("...ii->...i", outer).argmax(-1)
    quaternion = np.take_along_axis(outer, longest[..., None, None], axis=-2)[..., 0, :]
    quaternion = quaternion * np.where(quaternion[..., :1] < 0.0, -1.0, 1.0)
    axis = quaternion[..., 1:]
    length = np.sqrt((axis**2).sum(-1, keepdims=True))
    angle = 2.0 * np.arctan2(length, quaternion[..., :1])
    straight = 2.0 / np.maximum(quaternion[..., :1], TINY)
    return axis * np.where(length < TINY, straight, angle / np.maximum(length, TINY))


def log_jacobian(vectors: Float[ndarray, "*batch 3"]) -> Float[ndarray, "*batch 3 3"]:
    """Differentiate `log(exp(w) exp(d))` by `d` at zero: the inverse right Jacobian of SO(3).

    `I + [w]/2 + (1 - a/2 cot(a/2)) / a^2 [w]^2` with `a = |w|`.
    """
    angle = np.sqrt((vectors**2).sum(-1))[..., None, None]
    half = np.maximum(angle, 1e-4) / 2.0
    factor = np.where(angle < 1e-4, 1.0 / 12.0, (1.0 - half / np.tan(half)) / (4.0 * half**2))
    cross = cross_matrix(vectors)
    return np.eye(3) + 0.5 * cross + factor * (cross @ cross)


def swing(start: Float[ndarray, "3"], end: Float[ndarray, "3"]) -> Float[ndarray, "3 3"]:
    """Give the smallest rotation from one direction to another, `I + K + K^2 / (1 + cos)`.

    Opposite directions: half a turn about one of the axes across. A vector of no length: none.
    """
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if min(lengths) < 1e-9:
        return np.eye(3)
    start, end = start / lengths[0], end / lengths[1]
    cosine = float(start @ end)
    if cosine < -1.0 + 1e-9:
        across = np.cross(start, np.eye(3)[np.abs(start).argmin()])
        across /= np.linalg.norm(across)
        return 2.0 * np.outer(across, across) - np.eye(3)
    cross = cross_matrix(np.cross(start, end))
    return np.eye(3) + cross + cross @ cross / (1.0 + cosine)


def quaternion_to_matrix(quaternions: Float[ndarray, "*batch 4"]) -> Float[ndarray, "*batch 3 3"]:
    """Turn unit quaternions `x y z w`, as in glTF, into matrices.

    `(0, 0, 1, 1) / sqrt(2)` turns x into y.
    """
    cross = cross_matrix(quaternions[..., :3])
    return np.eye(3) + 2.0 * (quaternions[..., 3, None, None] * cross + cross @ cross)
