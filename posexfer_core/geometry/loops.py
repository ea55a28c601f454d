"""The loops over faces and pixels that numba compiles; imported by `backend` only.

No loop allows fast maths: operations keep the order of the torch versions, so that both give the
same numbers, bit for bit where nothing is summed over faces.
"""

from typing import no_type_check

import numpy as np

from .compiled import compiled
from .subpixels import HALF, SUBPIXEL_BITS, UNIT


@compiled
@no_type_check
def _fill_face(xy, inverse_z, faces, face, face_id, nearest, barycentric):
    """Draw one face into the buffers where nothing nearer was drawn before."""
    one, two, three = faces[face, 0], faces[face, 1], faces[face, 2]
    inverse_1, inverse_2, inverse_3 = inverse_z[one], inverse_z[two], inverse_z[three]
    if min(inverse_1, inverse_2, inverse_3) <= np.float32(0):
        return
    x1, y1 = np.int64(xy[one, 0]), np.int64(xy[one, 1])
    x2, y2 = np.int64(xy[two, 0]), np.int64(xy[two, 1])
    x3, y3 = np.int64(xy[three, 0]), np.int64(xy[three, 1])
    area = (x3 - x1) * (y2 - y1) - (x2 - x1) * (y3 - y1)
    if area <= 0:
        return
    height, width = face_id.shape
    left = max(0, (min(x1, x2, x3) + HALF - 1) >> SUBPIXEL_BITS)
    right = min(width - 1, (max(x1, x2, x3) - HALF) >> SUBPIXEL_BITS)
    top = max(0, (min(y1, y2, y3) + HALF - 1) >> SUBPIXEL_BITS)
    bottom = min(height - 1, (max(y1, y2, y3) - HALF) >> SUBPIXEL_BITS)
    if left > right or top > bottom:
        return
    dx1, dx2, dx3 = y3 - y2, y1 - y3, y2 - y1
    dy1, dy2, dy3 = x2 - x3, x3 - x1, x1 - x2
    # a pixel centre on an edge belongs to the face on one side of it: -1 makes "> 0" of ">= 0"
    bias1 = 0 if dx1 > 0 or (dx1 == 0 and dy1 > 0) else -1
    bias2 = 0 if dx2 > 0 or (dx2 == 0 and dy2 > 0) else -1
    bias3 = 0 if dx3 > 0 or (dx3 == 0 and dy3 > 0) else -1
    x, y = left * UNIT + HALF, top * UNIT + HALF
    row1 = (x3 - x) * (y2 - y) - (x2 - x) * (y3 - y) + bias1
    row2 = (x1 - x) * (y3 - y) - (x3 - x) * (y1 - y) + bias2
    row3 = (x2 - x) * (y1 - y) - (x1 - x) * (y2 - y) + bias3
    per_area = np.float32(1) / np.float32(area)
    for j in range(top, bottom + 1):
        edge1, edge2, edge3 = row1, row2, row3
        for i in range(left, right + 1):
            if (edge1 | edge2 | edge3) >= 0:
                weight1 = np.float32(edge1 - bias1) * per_area * inverse_1
                weight2 = np.float32(edge2 - bias2) * per_area * inverse_2
                weight3 = np.float32(edge3 - bias3) * per_area * inverse_3
                inverse = weight1 + weight2 + weight3
                if inverse > nearest[j, i]:
                    nearest[j, i] = inverse
                    face_id[j, i] = face
                    barycentric[j, i, 0] = weight1
                    barycentric[j, i, 1] = weight2
                    barycentric[j, i, 2] = weight3
            edge1 += dx1 * UNIT
            edge2 += dx2 * UNIT
            edge3 += dx3 * UNIT
        row1 += dy1 * UNIT
        row2 += dy2 * UNIT
        row3 += dy3 * UNIT


@compiled
@no_type_check
def _divide_by_inverse_depth(face_id, nearest, barycentric):
    """Turn 1/z into z, and weights over z into weights."""
    for j in range(face_id.shape[0]):
        for i in range(face_id.shape[1]):
            if face_id[j, i] < 0:
                nearest[j, i] = np.float32(np.inf)
            else:
                metres = np.float32(1) / nearest[j, i]
                nearest[j, i] = metres
                for corner in range(3):
                    barycentric[j, i, corner] *= metres


@compiled
@no_type_check
def fill(xy, inverse_z, faces, face_id, depth, barycentric):
    """Draw every face of every body; see `rasterize.rasterize` for what the buffers end up with.

    Args:
        xy: int32 (batch, vertices, 2), subpixels.
        inverse_z: float32 (batch, vertices), 1 / metres; 0 marks vertices behind the near plane.
        faces: int64 (faces, 3).
        face_id: int32 (batch, height, width), overwritten.
        depth: float32 (batch, height, width), zeros before, metres after.
        barycentric: float32 (batch, height, width, 3), zeros before.
    """
    for b in range(face_id.shape[0]):
        corners, inverse, seen, nearest = xy[b], inverse_z[b], face_id[b], depth[b]
        weights = barycentric[b]
        seen[:] = -1
        for face in range(faces.shape[0]):
            _fill_face(corners, inverse, faces, face, seen, nearest, weights)
        _divide_by_inverse_depth(seen, nearest, weights)


@compiled
@no_type_check
def blend(face_id, barycentric, faces, attributes, out):
    """Blend the corners' attributes at every covered pixel.

    Args:
        face_id: int32 (batch, height, width), -1 outside.
        barycentric: float32 (batch, height, width, 3).
        faces: int64 (faces, 3).
        attributes: float32 (batch or 1, vertices, channels).
        out: float32 (batch, height, width, channels), zeros before.
    """
    batch, height, width = face_id.shape
    channels = attributes.shape[2]
    for b in range(batch):
        values = attributes[b if attributes.shape[0] > 1 else 0]
        for j in range(height):
            for i in range(width):
                face = face_id[b, j, i]
                if face < 0:
                    continue
                one, two, three = faces[face, 0], faces[face, 1], faces[face, 2]
                weight1 = barycentric[b, j, i, 0]
                weight2 = barycentric[b, j, i, 1]
                weight3 = barycentric[b, j, i, 2]
                for c in range(channels):
                    out[b, j, i, c] = (
                        weight1 * values[one, c]
                        + weight2 * values[two, c]
                        + weight3 * values[three, c]
                    )


@compiled
@no_type_check
def sum_normals(vertices, faces, out):
    """Sum area-weighted face normals at each vertex and scale them to length one.

    Args:
        vertices: float32 (batch, vertices, 3).
        faces: int64 (faces, 3).
        out: float32 (batch, vertices, 3), zeros before.
    """
    for b in range(vertices.shape[0]):
        for face in range(faces.shape[0]):
            one, two, three = faces[face, 0], faces[face, 1], faces[face, 2]
            ax = vertices[b, two, 0] - vertices[b, one, 0]
            ay = vertices[b, two, 1] - vertices[b, one, 1]
            az = vertices[b, two, 2] - vertices[b, one, 2]
            bx = vertices[b, three, 0] - vertices[b, one, 0]
            by = vertices[b, three, 1] - vertices[b, one, 1]
            bz = vertices[b, three, 2] - vertices[b, one, 2]
            nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
            for vertex in (one, two, three):
                out[b, vertex, 0] += nx
                out[b, vertex, 1] += ny
                out[b, vertex, 2] += nz
        for vertex in range(vertices.shape[1]):
            x, y, z = out[b, vertex, 0], out[b, vertex, 1], out[b, vertex, 2]
            length = max(np.sqrt(x * x + y * y + z * z), np.float32(1e-12))
            out[b, vertex, 0] = x / length
            out[b, vertex, 1] = y / length
            out[b, vertex, 2] = z / length
