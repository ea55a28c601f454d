"""Rotations as axis-angle vectors, 3x3 matrices and 6D pairs of columns, with safe gradients.

Conventions: matrices act on column vectors from the left, angles are in radians, the right-hand
rule holds. Every function takes any number of batch axes and is differentiable at the identity.
"""

import torch
from jaxtyping import Float
from torch import Tensor

SMALL_ANGLE = 1e-2
"""Below this many radians the first terms of a series are exact to float32."""


def axis_angle_to_matrix(axis_angle: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Turn axis-angle vectors into rotation matrices.

    Rodrigues: `R = I + sin(a)/a K + (1 - cos(a))/a^2 K K`, where `a` is the length of the vector
    and `K` its cross-product matrix. `(0, 0, pi/2)` gives `[[0, -1, 0], [1, 0, 0], [0, 0, 1]]`:
    x turns into y.

    Args:
        axis_angle: unit axis times angle, radians.
    """
    squared = axis_angle.square().sum(-1)[..., None, None]
    small = squared < SMALL_ANGLE**2
    angle = torch.where(small, torch.ones_like(squared), squared).sqrt()
    along = torch.where(small, 1 - squared / 6 + squared.square() / 120, angle.sin() / angle)
    across = torch.where(
        small,
        0.5 - squared / 24 + squared.square() / 720,
        2 * (angle / 2).sin().square() / angle.square(),
    )
    cross = cross_matrix(axis_angle)
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return identity + along * cross + across * (cross @ cross)


def cross_matrix(vector: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Build the matrix K with `K @ u = vector x u`; `(1, 0, 0)` has -1 and 1 at [1, 2], [2, 1]."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    rows = (zero, -z, y, z, zero, -x, -y, x, zero)
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def matrix_to_axis_angle(matrix: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 3"]:
    """Turn rotation matrices into axis-angle vectors of at most pi radians.

    Goes through the unit quaternion, whose largest part is read off the matrix first, so that
    neither angles near 0 nor near pi lose digits. A half turn has two answers; one is given.
    `diag(1, -1, -1)` gives `(pi, 0, 0)`.
    """
    quaternion = matrix_to_quaternion(matrix)
    real, vector = quaternion[..., :1], quaternion[..., 1:]
    squared = vector.square().sum(-1, keepdim=True)
    small = squared < SMALL_ANGLE**2
    length = torch.where(small, torch.ones_like(squared), squared).sqrt()
    # atan2(v, w) / v = (1 - v^2 / 3w^2 + v^4 / 5w^4 - ...) / w, and w is near 1 where v is small
    safe_real = torch.where(small, real, torch.ones_like(real))
    ratio = squared / safe_real.square()
    series = (1 - ratio / 3 + ratio.square() / 5) / safe_real
    return 2 * vector * torch.where(small, series, torch.atan2(length, real) / length)


def matrix_to_quaternion(matrix: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 4"]:
    """Turn rotation matrices into unit quaternions (real part first, never negative).

    The symmetric matrix `4 q q^T` is linear in the entries of the rotation; its row with the
    largest diagonal entry, scaled to length one, is q. The identity gives `(1, 0, 0, 0)`.
    """
    (m00, m01, m02), (m10, m11, m12), (m20, m21, m22) = (
        row.unbind(-1) for row in matrix.unbind(-2)
    )
    rows = (
        (1 + m00 + m11 + m22, m21 - m12, m02 - m20, m10 - m01),
        (m21 - m12, 1 + m00 - m11 - m22, m01 + m10, m02 + m20),
        (m02 - m20, m01 + m10, 1 - m00 + m11 - m22, m12 + m21),
        (m10 - m01, m02 + m20, m12 + m21, 1 - m00 - m11 + m22),
    )
    outer = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    largest = outer.diagonal(dim1=-2, dim2=-1).argmax(-1)
    index = largest[..., None, None].expand(*largest.shape, 1, 4)
    quaternion = outer.gather(-2, index).squeeze(-2)
    quaternion = quaternion / quaternion.square().sum(-1, keepdim=True).sqrt()
    return torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def interpolate_rotations(
    start: Float[Tensor, "*batch 3 3"],
    end: Float[Tensor, "*batch 3 3"],
    share: Float[Tensor, "*#batch"],
) -> Float[Tensor, "*batch 3 3"]:
    """Interpolate along the geodesic between rotations, `start exp(share log(start^T end))`.

    Half the way from the identity to a quarter turn about z is an eighth of a turn about z.
    """
    step = matrix_to_axis_angle(start.mT @ end)
    return start @ axis_angle_to_matrix(share[..., None] * step)


def matrix_to_rotation_6d(matrix: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 6"]:
    """Keep the first two columns of rotation matrices, one after the other.

    arXiv:1812.07035, equation 14. The identity gives `(1, 0, 0, 0, 1, 0)`. Some estimators
    interleave the columns instead (`x0 y0 x1 y1 ...`); reorder theirs before use.
    """
    return torch.cat([matrix[..., :, 0], matrix[..., :, 1]], dim=-1)


def rotation_6d_to_matrix(rotation: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch 3 3"]:
    """Turn two columns, however skewed, into the rotation matrix that Gram-Schmidt makes of them.

    arXiv:1812.07035, equation 15. `(2, 0, 0, 5, 3, 0)` gives the identity.
    """
    first = _unit(rotation[..., :3])
    along = (first * rotation[..., 3:]).sum(-1, keepdim=True)
    second = _unit(rotation[..., 3:] - along * first)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def _unit(vector: Tensor) -> Tensor:
    """Scale vectors to length one; the zero vector stays, with a finite gradient."""
    return vector / vector.square().sum(-1, keepdim=True).clamp_min(1e-16).sqrt()
