"""Trunk and legs unrolled: an image of each half of the rest body, with the angle around across.

Half a trunk is half a turn about the body's middle; below the waist the axis goes over to the
leg's own, a whole turn.
"""

from math import pi
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.joints import JOINT_INDEX, TRUNK_WITHOUT_HEAD
from ..body.view import BodyView
from ..geometry.rasterize import Visibility, interpolate, rasterize

WAIST, CROTCH = 0.13, -0.2
"""Heights on the rest body, canonical, between which the axis goes from the trunk's to the leg's.
"""
COLUMNS = 512
"""Pixels all around."""
ROWS_PER_UNIT = 400.0
"""Pixels along the body; a unit is half its height."""
AWAY = 2.0
"""Distance from which an axis is looked at, so that the outermost surface is seen."""


class UnrolledHalf(NamedTuple):
    """Half a trunk with its leg, without the foot."""

    vertices: Int[Tensor, "half"]
    """Those of the half."""
    pixels: Float[Tensor, "half 2"]
    """Column and row of each."""
    faces: Int[Tensor, "faces 3"]
    """All but those across the seam, at the inner side of the leg; vertices of the body."""
    seen: Visibility
    """What the image shows of these faces."""

    def read(self, values: Float[Tensor, "vertices"]) -> Float[Tensor, "rows columns"]:
        """Interpolate values of the body's vertices; 0 where there is no surface."""
        return interpolate(self.seen, self.faces, values[None, :, None])[0, ..., 0]

    def at(
        self, pixels: Float[Tensor, "places 2"]
    ) -> tuple[Int[Tensor, "places 3"], Float[Tensor, "places 3"], Bool[Tensor, "places"]]:
        """Find the surface at places of the image: corners, weights, and whether there is one."""
        height, width = self.seen.size
        column, row = pixels.floor().long().unbind(1)
        column, row = column.clamp(0, width - 1), row.clamp(0, height - 1)
        face = self.seen.face_id[0, row, column].long()
        return self.faces[face.clamp(min=0)], self.seen.barycentric[0, row, column], face >= 0


def unroll_halves(view: BodyView) -> list[UnrolledHalf]:
    """Unroll the left and the right half; only the rest shape is looked at."""
    return [_unrolled(view, side, sign) for side, sign in (("l", 1.0), ("r", -1.0))]


def _unrolled(view: BodyView, side: str, sign: float) -> UnrolledHalf:
    """Draw a half by angle, 0 at the body's outer side, and height."""
    x, y, z = view.canonical.unbind(1)
    of_leg = [JOINT_INDEX[f"{side}_{name}"] for name in ("hip", "knee")]
    leg, trunk = (
        torch.isin(view.parts, view.parts.new_tensor(parts))
        for parts in (of_leg, TRUNK_WITHOUT_HEAD)
    )
    half = leg | (trunk & (sign * x > -1e-3))
    over = ((WAIST - y) / (WAIST - CROTCH)).clamp(0.0, 1.0)
    outward, ahead = sign * x - over * (sign * x)[leg].mean(), z - z[leg].mean()
    angle, radius = torch.atan2(-sign * ahead, outward), torch.hypot(outward, ahead)
    top, bottom = float(y[half].max()), float(y[half].min())
    size = (int((top - bottom) * ROWS_PER_UNIT) + 2, COLUMNS)
    pixels = torch.stack([(angle / (2 * pi) + 0.5) * COLUMNS, (top - y) * ROWS_PER_UNIT + 1.0], 1)
    faces = view.faces.long()
    around = angle[faces]
    faces = faces[half[faces].all(1) & (around.amax(1) - around.amin(1) < pi)]
    depth = (AWAY - radius)[:, None]
    points = torch.cat([pixels * depth, depth], 1)
    return UnrolledHalf(
        vertices=half.nonzero()[:, 0],
        pixels=pixels[half],
        faces=faces,
        seen=rasterize(points[None], faces, torch.eye(3).to(points)[None], size),
    )
