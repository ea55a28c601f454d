"""Oriented points: points of a surface with their normals, and a search over both together."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from ..errors import MeshError

NORMAL_M = 0.12
"""Weight of normals, metres: two at right angles count as this, times root two, apart."""


@dataclass(frozen=True, kw_only=True)
class OrientedPoints:
    """Points spread evenly over a surface."""

    points: Float[ndarray, "points 3"]
    """Metres."""
    normals: Float[ndarray, "points 3"]
    """Unit length, outwards."""

    def tree(self) -> Any:
        """Build a search tree over places and normals together.

        With normals, the front of a thigh is not paired with the back of the other, nor an arm
        with the side of the trunk that it touches.
        """
        return require_scipy().cKDTree(with_normals(self.points, self.normals))


def with_normals(points: ndarray, normals: ndarray) -> ndarray:
    """Put points and normals into one space of six dimensions, metres."""
    return np.concatenate([points, NORMAL_M * normals], axis=-1)


def sample_surface(
    vertices: Float[ndarray, "vertices 3"], faces: Int[ndarray, "faces 3"], count: int
) -> OrientedPoints:
    """Draw points uniformly by area, always the same ones."""
    corners = vertices[faces]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normals = np.cross(first, second)
    doubled = np.linalg.norm(normals, axis=1)
    random = np.random.default_rng(0)
    reach = doubled.cumsum()
    draws = (np.arange(count) + random.random(count)) / count * reach[-1]
    face = np.searchsorted(reach, draws).clip(max=len(faces) - 1)
    u, v = random.random((2, count))
    u, v = np.where(u + v > 1.0, 1.0 - u, u), np.where(u + v > 1.0, 1.0 - v, v)
    points = corners[face, 0] + u[:, None] * first[face] + v[:, None] * second[face]
    unit = normals[face] / np.maximum(doubled[face], 1e-30)[:, None]
    order = random.permutation(count)  # so that the first few are spread too
    return OrientedPoints(points=points[order], normals=unit[order])


def face_areas(
    vertices: Float[ndarray, "vertices 3"], faces: Int[ndarray, "faces 3"]
) -> Float[ndarray, " faces"]:
    """Measure triangles, square metres; (0, 0, 0), (2, 0, 0), (0, 1, 0) has 1."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2.0


def outward_faces(
    vertices: Float[ndarray, "vertices 3"], faces: Int[ndarray, "faces 3"]
) -> Int[ndarray, "faces 3"]:
    """Turn all faces round where they enclose a negative volume: the mesh is inside out."""
    a, b, c = (vertices[faces[:, corner]] - vertices.mean(0) for corner in range(3))
    inside_out = float((a * np.cross(b, c)).sum()) < 0.0
    return faces[:, ::-1] if inside_out else faces


def require_scipy() -> Any:
    """Import scipy's spatial trees, or raise an error that says how to install it."""
    try:
        from scipy import spatial
    except ImportError as failure:
        raise MeshError(
            "The body cannot be fitted to a mesh: the package scipy is not installed.\n"
            "Expected scipy, whose trees find the nearest points.\n"
            "Install it with `pip install trimesh scipy`."
        ) from failure
    return spatial
