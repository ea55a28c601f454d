"""Which seen place stands for an unseen one: the body's own symmetry, on the rest body.

The rest body is looked at from the front and from the back, so that a line of sight meets two
places: the front of a place at the back, at the same height of the same part. Left and right are
each other's mirror. The back of a head is no mirror of its front: hair comes from around the face.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.joints import ANCESTORS, DEPTH, JOINT_INDEX, MIRRORED_JOINTS, TRUNK_WITHOUT_HEAD
from ..body.view import BodyView
from ..geometry.camera import project_perspective
from ..geometry.normals import vertex_normals
from ..geometry.rasterize import Visibility, rasterize
from .hairline import HairBand
from .mesh_smoothing import neighbour_table
from .open_jacket import Opening
from .unrolled_halves import CROTCH

PIXELS_PER_UNIT = 320.0
"""Of the two images of the rest body; a unit is half the body's height."""
FAR = 100.0
"""Distance of their cameras, in the same units: lines of sight are parallel to within 0.3 %."""
NEAR_PARTS = 2
"""Joints at most so far apart in the tree are one limb's, or the trunk's."""
INWARD_STEPS = 12
"""How often a vertex is averaged with its neighbours for it to lie well inside its limb."""
ASLANT = 0.6
"""Part of the normal that looks to the front or the back, below which places look inward."""
MOST_TOPOLOGIES = 8
"""Bodies whose counterparts are kept; 7 MB each."""
EAR_TOP, EAR_DEPTH = 0.76, 0.0
"""Height and depth of the ears, canonical; before them, below, no hair grows."""


class Counterpart(NamedTuple):
    """A place of the surface for every vertex, whose look it may take."""

    corners: Int[Tensor, "vertices corners"]
    weights: Float[Tensor, "vertices corners"]
    allowed: Bool[Tensor, "vertices"]
    no_skin: Bool[Tensor, "vertices"]
    """Where the look is not taken if it is bare skin: it goes on below no garment, and a face not
    behind hair."""

    def carried(
        self, values: Float[Tensor, "batch vertices channels"]
    ) -> Float[Tensor, "batch vertices channels"]:
        """Read values of vertices at the counterparts."""
        return (self.weights[..., None] * values[:, self.corners]).sum(2)

    def without(self, some: Bool[Tensor, "vertices"]) -> "Counterpart":
        """Let some vertices stand for themselves alone."""
        return self._replace(allowed=self.allowed & ~some)


_of_topology: dict[tuple[bytes, torch.device], tuple["RestBody", list[Counterpart]]] = {}


def part_distances() -> Int[Tensor, "24 24"]:
    """Count the bones between two joints; from a hand to the pelvis there are eight."""
    common = (ANCESTORS[:, None] & ANCESTORS[None]).sum(-1) - 1
    return torch.from_numpy(DEPTH[:, None] + DEPTH[None] - 2 * common)


def with_jaw(view: BodyView, face: Bool[Tensor, "vertices"]) -> Bool[Tensor, "vertices"]:
    """Add the sides of the jaw to the front of a face."""
    _, height, depth = view.canonical.unbind(1)
    before_ears = (height < EAR_TOP) & (depth > EAR_DEPTH)
    return face | ((view.parts == JOINT_INDEX["head"]) & before_ears)


def find_counterparts(
    view: BodyView, face: Bool[Tensor, "vertices"], hair: HairBand, opening: Opening | None
) -> list[Counterpart]:
    """List who stands for whom, the likeliest first: front to back, left to right, hair.

    The back of a head asks its other half, then the hair before it. Places at the sides of a limb
    look a little inward, where the camera sees them less aslant.

    Args:
        view: any view of the body; only its rest shape is looked at, once.
        face: the vertices of the face, with the jaw.
        hair: where it is seen before the head.
        opening: what an open jacket shows, of which nothing is seen at its back.
    """
    key = (view.topology(), view.canonical.device)
    if key not in _of_topology:
        if len(_of_topology) >= MOST_TOPOLOGIES:
            _of_topology.clear()
        rest = RestBody(view)
        _of_topology[key] = rest, _symmetric(rest, view, face)
        rest.keep_upper_front()
    rest, (*kinds, last) = _of_topology[key]
    back, front = _back_of_head(view, face), torch.ones_like(face)
    kinds += [rest.at(hair.like(view.canonical), front, back, no_skin=back), last]
    if opening is None:
        return kinds
    beside, behind = opening.like(view.canonical)
    trunk = torch.isin(view.parts, view.parts.new_tensor(TRUNK_WITHOUT_HEAD))
    behind &= trunk & (view.canonical[:, 2] < view.canonical[trunk, 2].mean())
    kinds = [kind.without(behind) for kind in kinds]
    return [*kinds, rest.at(beside, front, behind, no_skin=behind)]


def _symmetric(
    rest: "RestBody", view: BodyView, face: Bool[Tensor, "vertices"]
) -> list[Counterpart]:
    places, head = view.canonical, view.parts == JOINT_INDEX["head"]
    other_side = places.new_tensor([-1.0, 1.0])
    inward = places
    table = neighbour_table(view.faces, len(places))
    for _ in range(INWARD_STEPS):
        inward = inward[table].mean(1)
    aslant = 1.0 - (rest.normals[:, 2:].abs() / ASLANT).clamp(max=1.0)
    outer = places[:, :2]
    inward = outer + aslant * (inward[:, :2] - outer)
    trunk = torch.isin(view.parts, view.parts.new_tensor(TRUNK_WITHOUT_HEAD))
    everywhere, nowhere = torch.ones_like(head), torch.zeros_like(head)
    limbs, scalp = ~face & ~_back_of_head(view, face), head & ~face
    kinds = [
        (inward, everywhere, limbs, trunk | scalp),
        (
            outer * other_side,
            face | (rest.normals[:, 2] >= 0.0),
            everywhere,
            scalp & (places[:, 2] < 0.0),
        ),
        (inward * other_side, everywhere, limbs, trunk | scalp),
        (inward, nowhere, limbs, scalp),
    ]
    return [rest.at(*kind) for kind in kinds]


def _back_of_head(view: BodyView, face: Bool[Tensor, "vertices"]) -> Bool[Tensor, "vertices"]:
    return (view.parts == JOINT_INDEX["head"]) & ~face & (view.canonical[:, 2] < 0.04)


class RestBody:
    """The rest body seen from the front and from the back."""

    def __init__(self, view: BodyView) -> None:
        self.parts, self.faces = view.parts.long(), view.faces.long()
        places = view.canonical
        low, high = places.amin(0), places.amax(0)
        size = ((high - low)[:2] * PIXELS_PER_UNIT).ceil().long() + 8
        self.size = int(size[1]), int(size[0])
        self.centre = (low + high) / 2
        self.intrinsics = places.new_tensor(
            [
                [FAR * PIXELS_PER_UNIT, 0.0, self.size[1] / 2],
                [0.0, FAR * PIXELS_PER_UNIT, self.size[0] / 2],
                [0.0, 0.0, 1.0],
            ]
        )[None]
        self.sides = [
            rasterize(self._before(places, side)[None], self.faces, self.intrinsics, self.size)
            for side in (1.0, -1.0)
        ]
        self.normals = vertex_normals(places[None], self.faces)[0]

    def keep_upper_front(self) -> None:
        """Forget both images but the front of head and trunk, where hair and jackets look."""
        crotch = self.centre.new_tensor([[0.0, CROTCH]])
        rows = slice(int(self.pixels(crotch, 0)[0, 1]) + 1)
        front = self.sides[0]
        self.sides = [
            Visibility(
                face_id=front.face_id[:, rows].clone(),
                barycentric=front.barycentric[:, rows].clone(),
                depth=front.depth[:, rows].clone(),
            )
        ]

    def at(
        self,
        xy: Float[Tensor, "vertices 2"],
        front: Bool[Tensor, "vertices"],
        allowed: Bool[Tensor, "vertices"],
        no_skin: Bool[Tensor, "vertices"],
    ) -> Counterpart:
        """Find the surface at places of the front or the back; where none is, the vertex stays."""
        face, weights, depth = self._look(0, xy)
        if not bool(front.all()):
            face, weights, depth = (
                torch.where(front.reshape(-1, *[1] * (one.ndim - 1)), one, other)
                for one, other in zip((face, weights, depth), self._look(1, xy), strict=True)
            )
        corners = self.faces[face]
        near = part_distances().to(xy.device)[self._unsided(self.parts)]
        part = self._unsided(self.parts[corners[:, 0]])
        found = depth.isfinite() & (near.gather(1, part[:, None])[:, 0] <= NEAR_PARTS)
        own = torch.arange(len(xy), device=xy.device)[:, None].expand(-1, 3)
        return Counterpart(
            corners=torch.where(found[:, None], corners, own),
            weights=torch.where(found[:, None], weights, weights.new_tensor([1.0, 0.0, 0.0])),
            allowed=allowed & found,
            no_skin=no_skin,
        )

    def pixels(self, xy: Float[Tensor, "places _"], side: int) -> Float[Tensor, "places 2"]:
        """Find places in the image of the front (0) or of the back (1): column and row."""
        flat = torch.cat([xy[:, :2], self.centre[2].expand(len(xy), 1)], 1)
        before = self._before(flat, 1.0 if side == 0 else -1.0)
        return project_perspective(before[None], self.intrinsics)[0]

    def _before(self, places: Tensor, side: float) -> Tensor:
        """Turn the rest body before the camera at its front (1) or back (-1), y down."""
        x, y, z = (places - self.centre).unbind(1)
        return torch.stack([side * x, -y, FAR - side * z], 1)

    def _look(self, side: int, xy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read face, weights and depth at places; the depth is infinite where there is nothing."""
        column, row = self.pixels(xy, side).floor().long().unbind(1)
        seen = self.sides[side]
        column, row = column.clamp(0, seen.size[1] - 1), row.clamp(0, seen.size[0] - 1)
        face = seen.face_id[0, row, column].long()
        return face.clamp(min=0), seen.barycentric[0, row, column], seen.depth[0, row, column]

    @staticmethod
    def _unsided(parts: Tensor) -> Tensor:
        """Name right parts by their left ones."""
        mirrored = torch.from_numpy(MIRRORED_JOINTS).to(parts.device)
        return torch.minimum(parts, mirrored[parts])
