"""The visibility pass in torch, for any device: all candidate pixels of all faces side by side."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .subpixels import HALF, SUBPIXEL_BITS, UNIT

MOST_CANDIDATES = 1 << 23
"""Pairs of a face and a pixel that are held at a time; larger scenes go in several chunks."""


@dataclass(frozen=True, kw_only=True)
class _Boxes:
    """Faces that may cover a pixel, and the rectangle of pixel centres within reach of each."""

    image: Tensor
    face: Tensor
    left: Tensor
    top: Tensor
    columns: Tensor
    count: Tensor

    def chunks(self) -> list[slice]:
        """Cut the faces into runs of at most about `MOST_CANDIDATES` candidates."""
        if self.count.numel() == 0:
            return []
        chunk = torch.div(self.count.cumsum(0), MOST_CANDIDATES, rounding_mode="floor")
        lengths = torch.unique_consecutive(chunk, return_counts=True)[1].tolist()
        ends = torch.tensor(lengths).cumsum(0).tolist()
        return [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]


def fill(
    xy: Tensor, inverse_z: Tensor, faces: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Find face id, depth and weights of every pixel; see `rasterize.rasterize`.

    Args:
        xy: int32 (batch, vertices, 2), subpixels.
        inverse_z: float32 (batch, vertices), 1 / metres; 0 marks vertices behind the near plane.
        faces: int64 (faces, 3).
        size: (height, width).
    """
    height, width = size
    batch, device = xy.shape[0], xy.device
    pixels = batch * height * width
    face_id = torch.full((pixels,), -1, dtype=torch.int32, device=device)
    nearest = torch.zeros(pixels, device=device)
    weights = torch.zeros(pixels, 3, device=device)
    boxes = _boxes(xy, inverse_z, faces, size)
    for chunk in boxes.chunks():
        pixel, face, candidate_weights = _candidates(xy, inverse_z, faces, size, boxes, chunk)
        _keep_nearest(pixel, face, candidate_weights, face_id, nearest, weights)
    depth = 1 / nearest
    weights = torch.where((face_id >= 0)[:, None], weights * depth[:, None], weights)
    shape = (batch, height, width)
    return face_id.reshape(shape), depth.reshape(shape), weights.reshape(*shape, 3)


def _boxes(xy: Tensor, inverse_z: Tensor, faces: Tensor, size: tuple[int, int]) -> _Boxes:
    """Leave out faces that look away or cannot cover a pixel centre."""
    height, width = size
    x, y = xy[:, faces].long().unbind(-1)
    area = _cross(x[..., 0], y[..., 0], x[..., 2], y[..., 2], x[..., 1], y[..., 1])
    left = ((x.amin(-1) + HALF - 1) >> SUBPIXEL_BITS).clamp(min=0)
    right = ((x.amax(-1) - HALF) >> SUBPIXEL_BITS).clamp(max=width - 1)
    top = ((y.amin(-1) + HALF - 1) >> SUBPIXEL_BITS).clamp(min=0)
    bottom = ((y.amax(-1) - HALF) >> SUBPIXEL_BITS).clamp(max=height - 1)
    usable = (inverse_z[:, faces] > 0).all(-1) & (left <= right) & (top <= bottom)
    usable &= area > 0
    image, face = usable.nonzero(as_tuple=True)
    left, right, top, bottom = (edge[image, face] for edge in (left, right, top, bottom))
    columns = right - left + 1
    return _Boxes(
        image=image,
        face=face,
        left=left,
        top=top,
        columns=columns,
        count=columns * (bottom - top + 1),
    )


def _candidates(
    xy: Tensor,
    inverse_z: Tensor,
    faces: Tensor,
    size: tuple[int, int],
    boxes: _Boxes,
    chunk: slice,
) -> tuple[Tensor, Tensor, Tensor]:
    """List pixels that lie inside a face: their number, the face, and weights over depth."""
    height, width = size
    count = boxes.count[chunk]
    box = torch.arange(count.numel(), device=xy.device).repeat_interleave(count)
    place = torch.arange(box.numel(), device=xy.device) - (count.cumsum(0) - count)[box]
    down = torch.div(place, boxes.columns[chunk][box], rounding_mode="floor")
    column = boxes.left[chunk][box] + place - down * boxes.columns[chunk][box]
    row = boxes.top[chunk][box] + down

    image, corners = boxes.image[chunk], faces[boxes.face[chunk]]
    x, y = xy[image[:, None], corners].long().unbind(-1)
    area = _cross(x[:, 0], y[:, 0], x[:, 2], y[:, 2], x[:, 1], y[:, 1])
    centre_x, centre_y = column * UNIT + HALF, row * UNIT + HALF
    edges, inside = [], torch.ones_like(box, dtype=torch.bool)
    for one, two in ((1, 2), (2, 0), (0, 1)):
        x1, y1, x2, y2 = x[:, one], y[:, one], x[:, two], y[:, two]
        edge = _cross(centre_x, centre_y, x2[box], y2[box], x1[box], y1[box])
        right, below = y2 - y1, x1 - x2
        # a pixel centre on an edge belongs to the face on one side of it
        owns_edge = (right > 0) | ((right == 0) & (below > 0))
        inside &= (edge > 0) | ((edge == 0) & owns_edge[box])
        edges.append(edge)
    inside = inside.nonzero().squeeze(-1)
    box = box[inside]
    edge = torch.stack([edge[inside] for edge in edges], dim=-1)
    per_area = (1 / area.float())[box, None]
    weights = edge.float() * per_area * inverse_z[image[:, None], corners][box]
    pixel = (image[box] * height + row[inside]) * width + column[inside]
    return pixel, boxes.face[chunk][box].int(), weights


def _keep_nearest(
    pixel: Tensor,
    face: Tensor,
    candidate: Tensor,
    face_id: Tensor,
    nearest: Tensor,
    weights: Tensor,
) -> None:
    """Write the nearest candidate of each pixel into the buffers; the first face wins a tie."""
    inverse = candidate[:, 0] + candidate[:, 1] + candidate[:, 2]
    before = nearest.clone()
    nearest.scatter_reduce_(0, pixel, inverse, "amax")
    best = ((inverse == nearest[pixel]) & (inverse > before[pixel])).nonzero().squeeze(-1)
    pixel, face = pixel[best], face[best]
    first = torch.full_like(face_id, torch.iinfo(torch.int32).max)
    first.scatter_reduce_(0, pixel, face, "amin")
    winner = (face == first[pixel]).nonzero().squeeze(-1)
    face_id[pixel[winner]] = face[winner]
    weights[pixel[winner]] = candidate[best[winner]]


def _cross(x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor, x2: Tensor, y2: Tensor) -> Tensor:
    """Give twice the area of the triangle 0, 1, 2, positive if it turns clockwise on screen."""
    return (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
