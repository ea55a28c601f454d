"""Collision of cloth and hair with a posed body."""

from typing import Any

import numpy as np

from posexfer_core.geometry.point_clouds import require_scipy

from .paint import Array

REACH_M = 0.12
"""How far from a vertex a point is still pushed."""


class Obstacles:
    """Vertices with outward normals, and the search for the nearest."""

    def __init__(self, vertices: Array, normals: Array) -> None:
        self.vertices, self.normals = vertices, normals
        self.tree = quick_tree(vertices)

    def gap(self, points: Array) -> tuple[Array, Array]:
        """Compute the signed distance of points (points, 3) to the surface, and its normal there.

        Where nothing is near the gap is infinite.
        """
        distance, nearest = self.tree.query(points, distance_upper_bound=REACH_M)
        far = ~np.isfinite(distance)
        nearest = np.where(far, 0, nearest)
        normals = self.normals[nearest]
        gap = ((points - self.vertices[nearest]) * normals).sum(-1)
        return np.where(far, np.inf, gap), normals

    def pushed(self, points: Array, margin: Array | float) -> Array:
        """Bring points that lie less than `margin` outside the surface that far out."""
        gap, normals = self.gap(points)
        return points + np.clip(margin - gap, 0.0, REACH_M)[:, None] * normals


def quick_tree(points: Array) -> Any:
    """Build a scipy cKDTree for a few thousand look-ups."""
    return require_scipy().cKDTree(points, compact_nodes=False, balanced_tree=False)
