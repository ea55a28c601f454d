"""The look of a target body's surface: what the source shows of it, then what it shows of its like.

Every place asks the source for itself, for the other side of its part, for its mirror image, for
hair, for what lies beside; the first that is seen gives its own pixels, sharp. What none shows
takes the colours seen nearest along its limb.
"""

from types import EllipsisType
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..body.view import BodyView
from ..geometry.camera import pixels_to_ndc, project_perspective
from ..geometry.normals import face_normals
from ..geometry.rasterize import Visibility, interpolate
from ..geometry.visibility import surface_warp
from .counterparts import Counterpart
from .filters import box_blur
from .reflections import find_reflections
from .skin import Skin
from .surface_fill import fill_surface

MIN_COSINE = 0.2
"""Of the angle from which the source sees a place; what it sees more aslant is stretched."""
ENCLOSED = 0.6
"""Share of seen places around, from which one that turns away takes what lies between them."""
BORROWED = 0.5
"""Confidence in a counterpart's look, against that in a place's own."""


class SourceField(NamedTuple):
    """What the source image shows of the clothed body, at a size that depth tests need."""

    image: Float[Tensor, "1 3 height width"]
    """The photo, in [-1, 1]."""
    view: BodyView
    """The clothed body, in the field: a part of the photo, `step` pixels of it to one."""
    offset_xy: tuple[int, int]
    step: int
    shown: Float[Tensor, "1 1 field_height field_width"]
    """Share of the person in each pixel of the field."""
    safe: Float[Tensor, "1 1 field_height field_width"]
    """1 where the person is shown and not at the very edge."""
    bare: Float[Tensor, "1 1 field_height field_width"]
    """1 where no thing lies before the body."""
    occluders: Float[Tensor, "24 rows columns"]
    """Depth of the nearest other limb at or beside each place, for each part; metres."""
    counterparts: list[Counterpart]
    face: Bool[Tensor, "vertices"]
    skin: Skin | None
    """How bare skin is told, where the face is seen."""


class Sample(NamedTuple):
    """What a source shows at the pixels of a target."""

    colours: Float[Tensor, "1 3 height width"]
    own: Float[Tensor, "1 1 height width"]
    """Share of the place's own pixels; 1 minus it was borrowed from its like."""
    seen: Float[Tensor, "1 1 height width"]
    """1 where the source sees the place itself."""
    shown: Float[Tensor, "1 1 height width"]
    """Share of the person there."""
    confidence: Float[Tensor, "1 1 height width"]


class _Look(NamedTuple):
    """Where in the source a vertex looks for its colour, and how its faces lie there."""

    places: Float[Tensor, "1 vertices 3"]
    """Metres, the source's camera frame."""
    face_parts: Int[Tensor, "faces"]
    """Part that each face looks at."""
    kind: Counterpart | None
    """None: at itself."""
    faces_asked: Bool[Tensor, "faces"]
    normals: Float[Tensor, "1 faces 3"]
    """Of length 1, out of the body; towards the camera for counterparts, some of which are mirror
    images."""
    cosines: Float[Tensor, "faces"]
    """How straight each is seen, from 0 to 1."""
    pixels: Float[Tensor, "faces"]
    """How many square pixels of the photo show each."""

    def asked(self, face_id: Int[Tensor, "height width"]) -> Bool[Tensor, "height width"]:
        """Tell which pixels may look here."""
        return (face_id >= 0) & self.faces_asked[face_id.clamp(min=0).long()]


class SurfaceSampler:
    """Samples one source for any number of targets."""

    def __init__(self, field: SourceField) -> None:
        self.field = field
        self.faces = field.view.faces.long()
        parts = field.view.parts.long()
        self.on_head = (parts == JOINT_INDEX["head"])[self.faces].any(1)
        self.looks = [self._look_at(None), *map(self._look_at, field.counterparts)]
        self.vertex_colours = self._vertex_colours()

    def _look_at(self, kind: Counterpart | None) -> _Look:
        """Compute once what no target changes."""
        field, faces = self.field, self.faces
        places, parts = field.view.vertices, field.view.parts.long()
        face_parts, asked = parts[faces[:, 0]], torch.ones_like(self.on_head)
        if kind is not None:
            places = kind.carried(places)
            face_parts = parts[kind.corners[:, 0]][faces[:, 0]]
            asked = kind.allowed[faces].all(1)
        normals = F.normalize(face_normals(places, faces), dim=2)
        if kind is not None:
            away = (normals[0] * places[0, faces[:, 0]]).sum(1) > 0
            normals = torch.where(away[:, None], -normals, normals)
        middle = F.normalize(places[0, faces].mean(1), dim=1)
        return _Look(
            places=places,
            face_parts=face_parts,
            kind=kind,
            faces_asked=asked,
            normals=normals,
            cosines=-(normals[0] * middle).sum(1).clamp(-1.0, 0.0),
            pixels=field.step**2 * face_sizes(places, faces, field.view.intrinsics),
        )

    def sample(
        self,
        target: Visibility,
        outline: Bool[Tensor, "1 height width"],
        sizes: Float[Tensor, "faces"],
        soft_px: int,
        *,
        own_only: bool = False,
    ) -> Sample:
        """Give the look of every covered pixel.

        Args:
            target: what the target's pixels see, of the faces of the source.
            outline: where the target's own outline is near; elsewhere the outermost pixels of the
                person shown are not used, which have background in them.
            sizes: of each face in the target image, square pixels.
            soft_px: width of the blend between one look and the next.
            own_only: ask nobody's like.
        """
        body = target.mask[:, None].to(self.vertex_colours)
        around = box_blur(body, soft_px).clamp(min=1e-3)
        left, kept = body.clone(), torch.zeros(7, *body.shape[-2:]).to(body)
        mixed, own, confidence, place = kept[:3], kept[3], kept[4], kept[5:7]
        for look in self.looks[: 1 if own_only else None]:
            at = ((left[0, 0] > 0.01) & look.asked(target.face_id[0])).flatten().nonzero()[:, 0]
            if len(at) == 0:
                continue
            here, there = _cut_around(at, body.shape[-2:], soft_px)
            found = torch.zeros(9, *left[here].shape[-2:]).to(body)
            found.flatten(1)[:, there] = self._look(
                _pixels_of(target, at), outline.flatten()[at], look, sizes
            )
            colours, valid, trust, seen, skin, gap = found.split([3, 1, 1, 2, 1, 1])
            share = box_blur(valid[None], soft_px)
            if bool(gap.any()):
                valid = valid + gap * (share[0] > ENCLOSED * around[here][0])
                share = box_blur(valid[None], soft_px)
            if bool(skin.any()):
                valid = valid * (2.0 * box_blur(skin[None], soft_px)[0] <= share[0])
                share = box_blur(valid[None], soft_px)
            weight = (2.0 * share / around[here] - 1.0).clamp(0.0, 1.0) * left[here] * valid
            left[here] -= weight
            mixed[here] += weight[0] * colours
            confidence[here] += (weight * trust)[0, 0]
            if look.kind is None:
                own[here], place[here] = (weight * seen[:1])[0, 0], seen
        painted = interpolate(target, self.faces, self.vertex_colours).permute(0, 3, 1, 2)
        return Sample(
            colours=mixed + left * painted,
            own=own[None, None],
            seen=place[None, :1],
            shown=place[None, 1:],
            confidence=confidence[None, None],
        )

    def _vertex_colours(self) -> Float[Tensor, "1 vertices 3"]:
        """Colour every vertex: by itself, by its like, or by what is around it on the surface."""
        count, faces = len(self.field.view.canonical), self.faces
        place = torch.zeros(count, dtype=torch.long, device=faces.device)
        corners = torch.arange(faces.numel(), device=faces.device)
        place.scatter_reduce_(0, faces.flatten(), corners, "amax")  # the last, with any threads
        face = torch.div(place, 3, rounding_mode="floor").to(torch.int32)
        weights = F.one_hot(place % 3, 3).to(self.field.image)
        at_vertices = Visibility(
            face_id=face[None, None],
            barycentric=weights[None, None],
            depth=torch.ones(1, 1, count, device=faces.device),
        )
        self.vertex_colours = torch.zeros(1, count, 3).to(self.field.image)
        sizes = torch.ones(len(faces)).to(self.field.image)
        nowhere = torch.zeros_like(at_vertices.mask)
        sample = self.sample(at_vertices, nowhere, sizes, 0)
        self.vertex_own = sample.own[0, 0, 0] > 0.99
        """Which vertices the source shows themselves."""
        view, face, told = self.field.view, self.field.face, self.field.skin
        known, no_skin = sample.confidence[0, 0, 0] > 0.0, self.field.counterparts[0].no_skin
        if reflections := find_reflections(view, known, no_skin):
            self.looks += map(self._look_at, reflections)
            sample = self.sample(at_vertices, nowhere, sizes, 0)
        colours, confidence = sample.colours[0, :, 0].T, sample.confidence[0, 0, 0]
        skin = face
        if told is not None:
            skin = face | told.told(colours.T, view.parts == JOINT_INDEX["head"])
        return fill_surface(colours, confidence, view, face, skin)[None]

    def _look(
        self,
        target: Visibility,
        outline: Bool[Tensor, "pixels"],
        look: _Look,
        sizes: Float[Tensor, "faces"],
    ) -> Float[Tensor, "9 pixels"]:
        """Look some pixels' places, or their counterparts, up in the source.

        Args:
            target: the pixels as an image of one row.
            outline: whether each lies near the target's outline.
            look: where to look.
            sizes: of each face in the target image, square pixels.

        Returns:
            Three colours, 1 where they may be taken, confidence, 1 where the source sees the
            place, the share of the person there, 1 for skin where none is wanted, and 1 where the
            surface turns away, or itself lies before the place, and nothing else does.
        """
        field, view = self.field, self.field.view
        face = target.face_id[0, 0].long()
        warp = surface_warp(
            look.places,
            view.visibility,
            view.intrinsics,
            view.size,
            target,
            self.faces,
            normals=look.normals,
            min_cosine=MIN_COSINE,
        )
        free = self._not_hidden(warp.grid, target, look)
        inside = (warp.grid[0, 0].abs() <= 1.0).all(-1)
        open_to_view = free * inside
        shown, safe, bare = F.grid_sample(
            torch.cat([field.shown, field.safe, field.bare], 1), warp.grid, align_corners=False
        )[0, :, 0]
        open_to_view = open_to_view * (bare > 0.5)
        seen = warp.visible[0, 0] * open_to_view
        colours = self._colours(warp.grid)[0, :, 0]
        skin, gap = torch.zeros_like(seen), torch.zeros_like(seen)
        if look.kind is None:
            valid = seen * ((safe > 0.5) | ((shown > 0.5) & outline))
            gap = open_to_view * (safe > 0.5) * (1.0 - seen)
        else:
            valid = seen * (safe > 0.5)
            if field.skin is not None:
                forbidden = look.kind.no_skin[self.faces].any(1)[face]
                skin = valid * (forbidden & field.skin.told(colours, self.on_head[face]))
        fineness = (look.pixels[face] / sizes[face].clamp(min=1e-6)).sqrt().clamp(max=1.0)
        trust = look.cosines[face] * fineness * valid * (1.0 if look.kind is None else BORROWED)
        return torch.stack([*colours, valid, trust, seen, seen * shown, skin, gap])

    def _not_hidden(self, grid: Tensor, pixels: Visibility, look: _Look) -> Bool[Tensor, "pixels"]:
        """Tell where no other limb lies before the place, or close beside."""
        table = self.field.occluders
        rows, columns = table.shape[1:]
        depth = interpolate(pixels, self.faces, look.places[..., 2:].contiguous())[0, 0, :, 0]
        column = ((grid[0, 0, :, 0] + 1) * 0.5 * columns).long().clamp(0, columns - 1)
        row = ((grid[0, 0, :, 1] + 1) * 0.5 * rows).long().clamp(0, rows - 1)
        return table[look.face_parts[pixels.face_id[0, 0].long()], row, column] > depth

    def _colours(self, grid: Tensor) -> Float[Tensor, "1 3 height width"]:
        """Read the photo itself at places of the field."""
        field = self.field
        height, width = field.view.size
        pixels = (grid + 1) * 0.5 * grid.new_tensor([width, height]) * field.step
        pixels = pixels + grid.new_tensor(field.offset_xy)
        size = (field.image.shape[-2], field.image.shape[-1])
        return F.grid_sample(
            field.image, pixels_to_ndc(pixels, size), padding_mode="border", align_corners=False
        )


def face_sizes(
    vertices: Float[Tensor, "1 vertices 3"],
    faces: Tensor,
    intrinsics: Float[Tensor, "1 3 3"],
) -> Float[Tensor, "faces"]:
    """Measure every face in the image, square pixels."""
    one, two, three = project_perspective(vertices, intrinsics)[0, faces].unbind(1)
    a, b = two - one, three - one
    return 0.5 * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).abs()


def _pixels_of(target: Visibility, at: Int[Tensor, "pixels"]) -> Visibility:
    """Lay some pixels out as an image of one row."""
    return Visibility(
        face_id=target.face_id.flatten()[at][None, None],
        barycentric=target.barycentric.reshape(-1, 3)[at][None, None],
        depth=target.depth.flatten()[at][None, None],
    )


def _cut_around(
    at: Int[Tensor, "pixels"], size: tuple[int, ...], reach: int
) -> tuple[tuple[EllipsisType, slice, slice], Int[Tensor, "pixels"]]:
    """Bound some pixels, with a border, and number them within."""
    row, column = torch.div(at, size[1], rounding_mode="floor"), at % size[1]
    top, left = max(0, int(row.min()) - reach), max(0, int(column.min()) - reach)
    bottom, right = int(row.max()) + reach + 1, int(column.max()) + reach + 1
    width = min(size[1], right) - left
    return (..., slice(top, bottom), slice(left, right)), (row - top) * width + column - left
