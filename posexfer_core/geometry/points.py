"""Points fixed to a mesh's surface by face and barycentric weights."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

CANDIDATES_PER_POINT = 8


@dataclass(frozen=True, kw_only=True)
class SurfacePoints:
    """Places on a surface, by face."""

    face: Int[Tensor, "points"]
    """Row of the mesh's `faces`."""
    barycentric: Float[Tensor, "points 3"]
    """Weights of the face's corners; they sum to one."""


def sample_surface_points(
    vertices: Float[Tensor, "vertices 3"],
    faces: Int[Tensor, "faces 3"],
    count: int,
    *,
    seed: int = 0,
) -> SurfacePoints:
    """Spread points evenly over a surface, the same ones for the same seed.

    Draws eight candidates a point, uniform in area, then keeps those that lie farthest from all
    kept before (farthest-point sampling): no two points crowd, thin limbs are not forgotten.

    Args:
        vertices: metres; distances are measured in this pose.
        faces: corners.
        count: points wanted.
        seed: of the candidates.
    """
    generator = torch.Generator().manual_seed(seed)
    corners = vertices.detach().double().cpu()[faces.long().cpu()]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = torch.linalg.cross(first, second).norm(dim=-1).cumsum(0)
    draws = torch.rand(count * CANDIDATES_PER_POINT, 3, generator=generator, dtype=torch.float64)
    face = torch.searchsorted(area, draws[:, 0] * area[-1]).clamp(max=len(area) - 1)
    root = draws[:, 1].sqrt()
    barycentric = torch.stack([1 - root, root * (1 - draws[:, 2]), root * draws[:, 2]], dim=-1)
    candidates = (barycentric[..., None] * corners[face]).sum(1)
    kept = _farthest(candidates, count)
    return SurfacePoints(
        face=face[kept].to(faces.device),
        barycentric=barycentric[kept].float().to(vertices.device),
    )


def _farthest(candidates: Tensor, count: int) -> Tensor:
    """Pick the first candidate, then again and again the one farthest from all picked."""
    picked = torch.zeros(count, dtype=torch.int64)
    distance = torch.full((len(candidates),), torch.inf, dtype=candidates.dtype)
    for i in range(1, count):
        step = (candidates - candidates[picked[i - 1]]).square().sum(-1)
        distance = torch.minimum(distance, step)
        picked[i] = distance.argmax()
    return picked


def locate_points(
    points: SurfacePoints,
    vertices: Float[Tensor, "batch vertices 3"],
    faces: Int[Tensor, "faces 3"],
) -> Float[Tensor, "batch points 3"]:
    """Find where surface points lie on a mesh in some pose.

    Weights (0.5, 0.25, 0.25) on a face with corners (0, 0, 0), (4, 0, 0), (0, 4, 0) give (1, 1, 0).
    Differentiable; the result is in the frame and unit of `vertices`.
    """
    corners = faces.to(vertices.device).long()[points.face.to(vertices.device)]
    weights = points.barycentric.to(vertices)
    return (weights[..., None] * vertices[:, corners]).sum(-2)
