"""From a sampled field to a closed mesh that is its own mirror image."""

from dataclasses import dataclass
from itertools import pairwise

import fast_simplification
import numpy as np
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components
from skimage.measure import marching_cubes

from .sdf import Grid
from .skeleton import FLIP_X

SNAP_M = 0.002
"""Vertices this near the middle plane are moved onto it before the cut."""
QUANTUM_M = 2.0**-20
"""Vertices are rounded to this before simplification, so that rounding noise decides nothing."""


@dataclass(frozen=True)
class SymmetricMesh:
    """A closed mesh; `mirror[i]` is the vertex opposite to `i`, itself on the middle plane."""

    vertices: np.ndarray
    faces: np.ndarray
    mirror: np.ndarray


def mesh_body(grid: Grid, face_count: int) -> SymmetricMesh:
    """Extract the zero level, smooth it, thin it to about `face_count` and make it symmetric."""
    vertices, faces = _zero_level(grid)
    vertices = _smoothed(vertices, faces)
    vertices = np.round(vertices / QUANTUM_M) * QUANTUM_M
    thinned = fast_simplification.simplify(vertices, faces, target_count=face_count, agg=3)
    vertices, faces = thinned[0].astype(np.float64), thinned[1]
    vertices[np.abs(vertices[:, 0]) < SNAP_M, 0] = 0.0
    vertices, faces = _left_half(vertices, faces)
    return _with_mirror_image(*_welded(vertices, faces))


def edges_of(faces: np.ndarray) -> np.ndarray:
    """List the directed edges of all faces, `(3 F, 2)`."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def is_closed_sphere(vertex_count: int, faces: np.ndarray) -> bool:
    """Tell whether the faces form one watertight, consistently wound surface of genus 0."""
    edges = edges_of(faces)
    forward = edges @ np.array([vertex_count, 1])
    backward = edges @ np.array([1, vertex_count])
    closed = len(np.unique(forward)) == len(forward) and set(forward) == set(backward)
    links = sparse.coo_matrix((np.ones(len(edges)), edges.T), (vertex_count, vertex_count))
    pieces, _ = connected_components(links, directed=False)
    return closed and pieces == 1 and vertex_count - len(edges) // 2 + len(faces) == 2


def _zero_level(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Keep the largest piece of the surface, wound so that normals point outwards."""
    vertices, faces, _, _ = marching_cubes(grid.values, 0.0)
    vertices = grid.origin + grid.cell_m * vertices.astype(np.float64)
    links = sparse.coo_matrix(
        (np.ones(3 * len(faces)), edges_of(faces).T), (len(vertices), len(vertices))
    )
    _, piece = connected_components(links, directed=False)
    faces = faces[piece[faces[:, 0]] == np.bincount(piece).argmax()]
    corners = vertices[faces]
    volume = np.sum(corners[:, 0] * np.cross(corners[:, 1], corners[:, 2]))
    return _without_unused(vertices, faces if volume > 0 else faces[:, ::-1])


def _smoothed(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Remove the rings that blending leaves on trunk and limbs, without shrinking.

    Taubin's filter (SIGGRAPH 1995): a step towards the neighbours' mean, then a slightly longer
    one back. Hands, feet and face keep their detail.
    """
    mean = neighbour_mean(len(vertices), faces)
    amount = _smoothable(vertices)[:, None]
    for _ in range(60):
        vertices = vertices + 0.55 * amount * (mean @ vertices - vertices)
        vertices = vertices - 0.565 * amount * (mean @ vertices - vertices)
    for _ in range(2):
        vertices = vertices + 0.3 * (mean @ vertices - vertices)
    return vertices


def _smoothable(vertices: np.ndarray) -> np.ndarray:
    """Weigh each vertex: 1 on trunk and limbs, 0 on hands, feet, face and ears."""
    x, y, z = np.abs(vertices[:, 0]), vertices[:, 1], vertices[:, 2]
    not_hand = np.clip((0.70 - x) / 0.03, 0, 1)
    not_foot = np.clip((y - 0.09) / 0.04, 0, 1)
    not_face = np.where(z > 0.02, np.clip((1.48 - y) / 0.03, 0, 1), 1.0)
    not_ear = np.where((y > 1.54) & (x > 0.06), 0.0, 1.0)
    return not_hand * not_foot * not_face * not_ear


def neighbour_mean(vertex_count: int, faces: np.ndarray) -> sparse.csr_matrix:
    """Make the matrix that replaces every vertex by the mean of its neighbours."""
    edges = edges_of(faces)
    links = sparse.coo_matrix((np.ones(len(edges)), edges.T), (vertex_count, vertex_count)).tocsr()
    links = ((links + links.T) > 0).astype(float)
    return sparse.diags(1 / np.asarray(links.sum(axis=1)).ravel()) @ links


def _left_half(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut at `x = 0` and keep what has `x >= 0`; edges that cross get a shared vertex."""
    side = np.sign(vertices[:, 0])
    lowest, highest = side[faces].min(axis=1), side[faces].max(axis=1)
    kept = [faces[(lowest >= 0) & (highest > 0)]]
    points, cuts = list(vertices), {}

    def crossing(first: int, second: int) -> int:
        key = (min(first, second), max(first, second))
        if key not in cuts:
            start, end = vertices[key[0]], vertices[key[1]]
            point = start + (end - start) * start[0] / (start[0] - end[0])
            cuts[key] = len(points)
            points.append(np.array([0.0, point[1], point[2]]))
        return cuts[key]

    for face in faces[(lowest < 0) & (highest > 0)].tolist():
        polygon = []
        for start, end in zip(face, face[1:] + face[:1], strict=True):
            if side[start] >= 0:
                polygon.append(start)
            if side[start] * side[end] < 0:
                polygon.append(crossing(start, end))
        fan = [(polygon[0], *pair) for pair in pairwise(polygon[1:])]
        kept.append(np.array(fan))
    return np.array(points), np.concatenate(kept)


def _welded(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Merge vertices within 10 micrometres, in an order that depends on positions alone."""
    vertices = vertices.copy()
    vertices[np.abs(vertices[:, 0]) < 2e-4, 0] = 0.0
    keys = np.round(vertices * 1e5).astype(np.int64)
    _, first, index = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    vertices, faces = vertices[first], index.ravel()[faces]
    a, b, c = faces.T
    flat = (a == b) | (b == c) | (a == c) | (vertices[faces, 0] == 0).all(axis=1)
    return _without_unused(vertices, faces[~flat])


def _with_mirror_image(vertices: np.ndarray, faces: np.ndarray) -> SymmetricMesh:
    """Add the right half; vertices on the middle plane are shared."""
    middle = vertices[:, 0] == 0
    count, others = len(vertices), np.flatnonzero(~middle)
    mirror = np.arange(count)
    mirror[others] = count + np.arange(len(others))
    return SymmetricMesh(
        vertices=np.concatenate([vertices, vertices[others] * FLIP_X]),
        faces=np.concatenate([faces, mirror[faces][:, ::-1]]),
        mirror=np.concatenate([mirror, others]),
    )


def _without_unused(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    used, index = np.unique(faces, return_inverse=True)
    return vertices[used], index.reshape(faces.shape)
