"""Normals of faces and vertices."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .backend import loops_for


def vertex_normals(
    vertices: Float[Tensor, "batch vertices 3"], faces: Int[Tensor, "faces 3"]
) -> Float[Tensor, "batch vertices 3"]:
    """Average the normals of the faces around each vertex, weighted by their areas.

    The triangle (0, 0, 0), (1, 0, 0), (0, 1, 0) has (0, 0, 1) at its corners. Vertices without a
    face get zero.

    Args:
        vertices: metres, any frame. Differentiable.
        faces: corners, in right-hand order about the outward normal.

    Returns:
        Unit vectors in the frame of the vertices.
    """
    loops = loops_for(vertices)
    if loops is not None and vertices.dtype == torch.float32:
        out = np.zeros(vertices.shape, np.float32)
        loops.sum_normals(
            vertices.detach().contiguous().numpy(), faces.long().contiguous().numpy(), out
        )
        return torch.from_numpy(out)
    normals = face_normals(vertices, faces)
    total = torch.zeros_like(vertices)
    for corner in faces.long().unbind(-1):
        total = total.index_add(1, corner, normals)
    return torch.nn.functional.normalize(total, dim=-1)


def face_normals(
    vertices: Float[Tensor, "batch vertices 3"], faces: Int[Tensor, "faces 3"]
) -> Float[Tensor, "batch faces 3"]:
    """Give each face's normal, as long as twice its area.

    The triangle (0, 0, 0), (2, 0, 0), (0, 1, 0) has (0, 0, 2).
    """
    one, two, three = vertices[:, faces.long()].unbind(-2)
    return torch.linalg.cross(two - one, three - one)
