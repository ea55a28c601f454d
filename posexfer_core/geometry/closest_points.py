"""The closest point of a triangle mesh, for many points at once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from .point_clouds import OrientedPoints, require_scipy, with_normals

NEIGHBOURS = 4
"""Vertices around which faces are tried."""


@dataclass(frozen=True, kw_only=True)
class Closest:
    """Points on a mesh, by face."""

    face: Int[ndarray, " points"]
    barycentric: Float[ndarray, "points 3"]
    distance: Float[ndarray, " points"]
    """Metres."""

    def mix(
        self, faces: Int[ndarray, "faces 3"], values: Float[ndarray, "vertices *rest"]
    ) -> Float[ndarray, "points *rest"]:
        """Blend attributes of the mesh's vertices."""
        corners = values[faces[self.face]]
        return np.einsum("pc,pc...->p...", self.barycentric, corners)


def closest_points(
    wanted: OrientedPoints,
    vertices: Float[ndarray, "vertices 3"],
    vertex_normals: Float[ndarray, "vertices 3"],
    faces: Int[ndarray, "faces 3"],
) -> Closest:
    """Find the closest points on a mesh among faces with similar normals.

    Tried are the faces around the vertices nearest in position and normal, so that points of a hand
    that touches a thigh are found on the hand.
    """
    tree = require_scipy().cKDTree(with_normals(vertices, vertex_normals))
    count = min(NEIGHBOURS, len(vertices))
    points = wanted.points
    near = tree.query(with_normals(points, wanted.normals), k=count)[1].reshape(len(points), count)
    around = _faces_around(faces, len(vertices))
    face = np.empty(len(points), np.int64)
    barycentric = np.empty((len(points), 3))
    distance = np.empty(len(points))
    for start in range(0, len(points), 4096):  # bounded memory for large meshes
        at = slice(start, start + 4096)
        tried = around[near[at]].reshape(len(near[at]), -1)
        mixes = triangle_mixes(points[at, None], vertices[faces[tried]])
        places = np.einsum("pkc,pkcx->pkx", mixes, vertices[faces[tried]])
        gaps = np.linalg.norm(places - points[at, None], axis=-1)
        best = gaps.argmin(axis=1)[:, None]
        face[at] = np.take_along_axis(tried, best, axis=1)[:, 0]
        distance[at] = np.take_along_axis(gaps, best, axis=1)[:, 0]
        barycentric[at] = np.take_along_axis(mixes, best[..., None], axis=1)[:, 0]
    return Closest(face=face, barycentric=barycentric, distance=distance)


def _faces_around(faces: ndarray, vertices: int) -> Int[ndarray, "vertices most"]:
    """List the faces of every vertex, padded by repeating one of them; at most eight."""
    corner = faces.ravel()
    order = np.argsort(corner, kind="stable")
    sorted_corner, face = corner[order], order // 3
    start = np.searchsorted(sorted_corner, np.arange(vertices))
    count = np.bincount(corner, minlength=vertices)
    most = int(min(count.max(), 8))
    step = np.minimum(np.arange(most), np.maximum(count[:, None] - 1, 0))
    return face[np.minimum(start[:, None] + step, len(face) - 1)]


def triangle_mixes(
    points: Float[ndarray, "*batch 3"], corners: Float[ndarray, "*batch_corners 3 3"]
) -> Float[ndarray, "*batch_out 3"]:
    """Give the barycentric weights of the closest point of each triangle.

    The plane's own point where it lies inside, else the nearest of the three edges' points.
    (0, -1, 0) and the triangle (0, 0, 0), (2, 0, 0), (0, 2, 0) give (1, 0, 0).
    """
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    inside = _plane_mix(points - a, b - a, c - a)
    tries = [inside]
    for first, second, start, end in ((0, 1, a, b), (1, 2, b, c), (2, 0, c, a)):
        along = end - start
        share = ((points - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-30)
        mix = np.zeros_like(inside)
        mix[..., second] = np.clip(share, 0.0, 1.0)
        mix[..., first] = 1.0 - mix[..., second]
        tries.append(mix)
    mixes = np.stack(tries)
    places = np.einsum("t...c,...cx->t...x", mixes, np.broadcast_to(corners, (*inside.shape, 3)))
    gaps = ((places - points) ** 2).sum(-1)
    gaps[0] = np.where((inside >= 0.0).all(-1), gaps[0], np.inf)
    best = gaps.argmin(0)[None, ..., None]
    return np.take_along_axis(mixes, best, axis=0)[0]


def _plane_mix(point: ndarray, first: ndarray, second: ndarray) -> ndarray:
    """Solve `point = u first + v second` in the least squares; weights of the three corners."""
    aa, ab, bb = (first**2).sum(-1), (first * second).sum(-1), (second**2).sum(-1)
    pa, pb = (point * first).sum(-1), (point * second).sum(-1)
    flat = aa * bb - ab**2
    safe = np.where(flat > 1e-30, flat, 1.0)
    u, v = (bb * pa - ab * pb) / safe, (aa * pb - ab * pa) / safe
    u = np.where(flat > 1e-30, u, -1.0)  # a sliver: its edges answer
    return np.stack([1.0 - u - v, u, v], axis=-1)
