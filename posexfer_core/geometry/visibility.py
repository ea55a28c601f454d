"""Warps of one view to another along the surface, where that is seen."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from .camera import pixels_to_ndc, project_perspective
from .normals import face_normals
from .rasterize import Visibility, interpolate
from .subpixels import NEAR_M

NOWHERE = -2.0
"""NDC given to pixels without a surface: outside of every image."""


@dataclass(frozen=True, kw_only=True)
class SurfaceWarp:
    """Where the surface at each target pixel is found in the source image."""

    grid: Float[Tensor, "batch height width 2"]
    """NDC in the source image, as `grid_sample` takes it; -2 where the target has no body."""
    visible: Float[Tensor, "batch height width"]
    """1 where the source image shows that point of the surface, else 0."""


def surface_warp(
    source_vertices: Float[Tensor, "batch vertices 3"],
    source_visibility: Visibility,
    source_intrinsics: Float[Tensor, "batch 3 3"],
    source_size: tuple[int, int],
    target_visibility: Visibility,
    faces: Int[Tensor, "faces 3"],
    *,
    normals: Float[Tensor, "batch faces 3"] | None = None,
    tolerance_m: float = 0.02,
    min_cosine: float = 0.15,
) -> SurfaceWarp:
    """Find the surface point of every target pixel in the source image.

    The point is the same mix of the same face's corners in the source pose. It counts as visible
    where it projects into the source image, its face turns towards the source camera, and the
    source depth there is not nearer by more than the tolerance. Depth is compared at the four
    pixels around, each against the plane of the face (or the point, where that is nearer), so that
    neither slanted surfaces nor silhouettes are lost. Source and target alike give the identity:
    pixel (0, 0) of a 2x2 image maps to (-0.5, -0.5).

    Args:
        source_vertices: metres, source camera frame.
        source_visibility: from `rasterize` of the source, of the size `source_size`.
        source_intrinsics: pixels of the source image.
        source_size: (height, width) of the source image.
        target_visibility: from `rasterize` of the target, of any size.
        faces: those of both.
        normals: of the source's faces, of length 1, where they are known.
        tolerance_m: how far behind the source's surface a point may lie.
        min_cosine: least cosine between the face's normal and the way to the source camera.
    """
    batch, height, width = target_visibility.face_id.shape
    covered = target_visibility.mask.flatten().nonzero().squeeze(-1)
    image = torch.div(covered, height * width, rounding_mode="floor")
    with torch.no_grad():
        points = interpolate(target_visibility, faces, source_vertices).flatten(0, 2)[covered]
        camera = (
            source_intrinsics[image] if batch > 1 else source_intrinsics.expand(len(image), 3, 3)
        )
        ahead = points[:, 2:] > NEAR_M
        pixels = project_perspective(torch.where(ahead, points, 1.0)[:, None], camera).squeeze(1)
        face = target_visibility.face_id.flatten()[covered].long()
        if normals is None:
            normals = normalize(face_normals(source_vertices, faces), dim=-1)
        facing = normals[image, face]
        cosine = -(facing * normalize(points, dim=-1)).sum(-1)
        seen = _seen_shares(points, pixels, facing, image, source_visibility, camera, tolerance_m)
        seen = torch.where(ahead[:, 0], seen, 0.0)
    grid = points.new_full((batch * height * width, 2), NOWHERE)
    grid[covered] = pixels_to_ndc(pixels, source_size)
    visible = points.new_zeros(batch * height * width)
    visible[covered] = ((seen >= 0.5) & (cosine >= min_cosine)).to(visible)
    return SurfaceWarp(
        grid=grid.reshape(batch, height, width, 2), visible=visible.reshape(batch, height, width)
    )


def _seen_shares(
    points: Float[Tensor, "points 3"],
    pixels: Float[Tensor, "points 2"],
    normals: Float[Tensor, "points 3"],
    image: Int[Tensor, " points"],
    visibility: Visibility,
    camera: Float[Tensor, "points 3 3"],
    tolerance_m: float,
) -> Float[Tensor, " points"]:
    """Weigh the four pixels around each point, bilinear.

    Args:
        points: metres, camera frame.
        pixels: where they are seen.
        normals: of the surface at each point.
        image: row of `visibility`.
        visibility: what the camera sees.
        camera: intrinsics of each point.
        tolerance_m: how far behind the surface a point may lie.

    Returns:
        Share of the pixels that show a surface which does not hide the point; 0 outside the image.
    """
    height, width = visibility.size
    depth, (x, y) = points[:, 2], pixels.unbind(-1)
    inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    x, y = x.clamp(0, width), y.clamp(0, height)
    left, top = (x - 0.5).floor(), (y - 0.5).floor()
    across = (normals * points).sum(-1)
    seen = torch.zeros_like(depth)
    for column, row in ((0, 0), (1, 0), (0, 1), (1, 1)):
        centre_x, centre_y = left + column + 0.5, top + row + 0.5
        weight = (1 - (x - centre_x).abs()) * (1 - (y - centre_y).abs())
        i = (left + column).long().clamp(0, width - 1)
        j = (top + row).long().clamp(0, height - 1)
        found = visibility.depth[image, j, i]
        ray_y = (centre_y - camera[:, 1, 2]) / camera[:, 1, 1]
        ray_x = (centre_x - camera[:, 0, 2] - camera[:, 0, 1] * ray_y) / camera[:, 0, 0]
        slope = normals[:, 0] * ray_x + normals[:, 1] * ray_y + normals[:, 2]
        plane = across / slope.clamp(max=-1e-6)
        expected = torch.where((slope < 0) & (plane > 0), plane.minimum(depth), depth)
        shown = found.isfinite() & inside & (found >= expected - tolerance_m)
        seen = seen + torch.where(shown, weight, 0.0)
    return seen
