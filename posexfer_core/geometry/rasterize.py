"""One visibility pass over a triangle mesh; every map is then a look-up with `interpolate`."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .backend import loops_for
from .rasterize_torch import fill as fill_with_torch
from .subpixels import to_subpixels

BAND_PIXELS = 1 << 20
"""Pixels of a large image that are looked up at once."""


@dataclass(frozen=True, kw_only=True)
class Visibility:
    """What each pixel's centre sees of a mesh."""

    face_id: Int[Tensor, "batch height width"]
    """Row of `faces` (int32); -1 where there is none."""
    barycentric: Float[Tensor, "batch height width 3"]
    """Weights of the face's corners at the point seen, in space, not on the image: they sum to
    one; 0 where there is no face."""
    depth: Float[Tensor, "batch height width"]
    """z of the point seen, metres, camera frame; infinite where there is none."""

    @property
    def mask(self) -> Bool[Tensor, "batch height width"]:
        """Tell where there is a face."""
        return self.face_id >= 0

    @property
    def size(self) -> tuple[int, int]:
        """Give (height, width)."""
        height, width = self.face_id.shape[-2:]
        return height, width

    def cut(self, rows: slice, columns: slice = slice(None)) -> "Visibility":
        """Give what some rows and columns see."""
        return Visibility(
            face_id=self.face_id[:, rows, columns],
            barycentric=self.barycentric[:, rows, columns],
            depth=self.depth[:, rows, columns],
        )

    def bands(self) -> "Iterator[tuple[slice, Visibility]]":
        """Give rows and what they see, so that maps of a large image are looked up in parts."""
        height, width = self.size
        band = max(1, BAND_PIXELS // max(1, width))
        for top in range(0, height, band):
            rows = slice(top, min(height, top + band))
            yield rows, self.cut(rows)


def rasterize(
    vertices: Float[Tensor, "batch vertices 3"],
    faces: Int[Tensor, "faces 3"],
    intrinsics: Float[Tensor, "batch 3 3"],
    size: tuple[int, int],
) -> Visibility:
    """Find the nearest face at the centre of every pixel; faces that look away are left out.

    Corners are rounded to 1/4096 px, then all tests are exact: a pixel centre on a shared edge
    belongs to one of the two faces, and of two faces at equal depth the first in `faces` is kept.
    No gradient passes through; interpolate differentiable attributes instead.

    A triangle (-1, -1, 2), (-1, 3, 2), (3, -1, 2) before a camera with focal length 2 px and centre
    (1, 1) covers an image of 2x2 pixels; pixel (0, 0) sees it with weights (0.75, 0.125, 0.125).

    Args:
        vertices: metres, camera frame (x right, y down, z forward).
        faces: corners, in right-hand order about the outward normal.
        intrinsics: pixels.
        size: (height, width) of the image.
    """
    loops = loops_for(vertices.detach())
    batch, (height, width) = vertices.shape[0], size
    with torch.no_grad():
        xy, inverse_z = to_subpixels(vertices.float(), intrinsics.float())
        if loops is None:
            buffers = fill_with_torch(xy, inverse_z, faces.long(), size)
        else:
            face_id = np.empty((batch, height, width), np.int32)
            depth = np.zeros((batch, height, width), np.float32)
            weights = np.zeros((batch, height, width, 3), np.float32)
            loops.fill(_array(xy), _array(inverse_z), _array(faces.long()), face_id, depth, weights)
            buffers = (torch.from_numpy(array) for array in (face_id, depth, weights))
    face_id, depth, barycentric = buffers
    return Visibility(face_id=face_id, barycentric=barycentric, depth=depth)


def interpolate(
    visibility: Visibility,
    faces: Int[Tensor, "faces 3"],
    attributes: Float[Tensor, "batch vertices channels"] | Float[Tensor, "vertices channels"],
) -> Float[Tensor, "batch height width channels"]:
    """Blend attributes of vertices at the point that each pixel sees.

    With corners' attributes 1, 2 and 4 and weights (0.5, 0.25, 0.25) a pixel gets 2.

    Args:
        visibility: from `rasterize`.
        faces: those that were rasterised.
        attributes: per vertex, alike for the whole batch where the batch axis is left out.
            Differentiable.

    Returns:
        Attributes, 0 where there is no face.
    """
    if attributes.ndim == 2:
        attributes = attributes[None]
    loops = loops_for(attributes, visibility.barycentric)
    if loops is None or attributes.dtype != torch.float32:
        return _interpolate_with_torch(visibility, faces.long(), attributes)
    out = np.zeros((*visibility.face_id.shape, attributes.shape[-1]), np.float32)
    loops.blend(
        _array(visibility.face_id),
        _array(visibility.barycentric),
        _array(faces.long()),
        _array(attributes),
        out,
    )
    return torch.from_numpy(out)


def _interpolate_with_torch(visibility: Visibility, faces: Tensor, attributes: Tensor) -> Tensor:
    """Do what `interpolate` says with torch operations, on covered pixels only."""
    batch, height, width = visibility.face_id.shape
    covered = visibility.mask.flatten().nonzero().squeeze(-1)
    corners = faces[visibility.face_id.flatten()[covered].long()]
    if attributes.shape[0] == 1:
        row = torch.zeros_like(covered)
    else:
        row = torch.div(covered, height * width, rounding_mode="floor")
    weights = visibility.barycentric.flatten(0, 2)[covered].to(attributes.dtype)
    values = (weights[..., None] * attributes[row[:, None], corners]).sum(1)
    out = values.new_zeros(batch * height * width, attributes.shape[-1])
    out = out.index_copy(0, covered, values)
    return rearrange(out, "(b h w) c -> b h w c", b=batch, h=height)


def _array(tensor: Tensor) -> np.ndarray:
    """Show a tensor to numba without a copy where it lies in order."""
    return tensor.detach().contiguous().numpy()
