"""The look of a target body's surface: what the source shows of it, then what it shows of its like.

Every place asks the source for itself, for the other side of its part, for its mirror image, for
hair, for what lies beside; the first that is seen gives its own pixels, sharp. What none shows
takes the colours seen nearest along its limb.
"""

from collections.abc import Sequence
from types import EllipsisType
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..geometry.rasterize import Visibility, interpolate
from ..geometry.visibility import surface_warp
from .counterparts import Counterpart
from .filters import box_blur
from .hairline import MIN_COSINE
from .looks import Look, SourceField, look_at
from .mesh_smoothing import neighbour_table
from .reflections import find_reflections
from .seam_light import light_gain, relit
from .skin import bare_trunk
from .surface_fill import fill_surface

ENCLOSED = 0.6
"""Share of seen places around, from which one that turns away takes what lies between them."""
BORROWED = 0.5
"""Confidence in a counterpart's look, against that in a place's own."""
LEAST_COLOURED = 16
"""Vertices that a like's look must be the first to colour, to be worth the time in every target."""
LOOK_PIXELS = 1 << 16
"""Pixels of a target that are looked up at once."""


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


class SurfaceSampler:
    """Samples one source for any number of targets."""

    def __init__(self, field: SourceField) -> None:
        self.field = field
        self.faces = field.view.faces.long()
        parts = field.view.parts.long()
        self.on_head = (parts == JOINT_INDEX["head"])[self.faces].any(1)
        self.looks: list[Look] = []
        self.vertex_colours = self._vertex_colours()

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
        left = target.mask[:, None].to(self.vertex_colours)
        around = box_blur(left, soft_px).clamp_(min=1e-3)
        kept = torch.zeros(7, *left.shape[-2:]).to(left)
        mixed, own, confidence, place = kept[:3], kept[3], kept[4], kept[5:7]
        for look in self.looks[: 1 if own_only else None]:
            asked = look.faces_asked[target.face_id[0].long()] & (left[0, 0] > 0.01)
            if not bool(asked.any()):
                continue
            here, found = self._look_around(target, asked, outline, look, sizes, soft_px)
            colours, valid, trust, seen, skin, gap = found.split([3, 1, 1, 2, 1, 1])
            share = box_blur(valid[None], soft_px)
            if bool(gap.any()):
                valid = valid + gap * (share[0] > ENCLOSED * around[here][0])
                share = box_blur(valid[None], soft_px)
            if bool(skin.any()):
                valid = valid * (2.0 * box_blur(skin[None], soft_px)[0] <= share[0])
                share = box_blur(valid[None], soft_px)
            weight = (2.0 * share / around[here] - 1.0).clamp_(0.0, 1.0) * left[here] * valid
            left[here] -= weight
            mixed[here].addcmul_(weight[0], colours)
            confidence[here].addcmul_(weight[0, 0], trust[0])
            if look.kind is None:
                own[here], place[here] = (weight * seen[:1])[0, 0], seen
            del found, colours, valid, trust, seen, skin, gap  # large ones beside the next
        painted = interpolate(target, self.faces, self.vertex_colours)[0].movedim(2, 0)
        return Sample(
            colours=mixed.addcmul_(left[0], painted)[None],
            own=own[None, None],
            seen=place[None, :1],
            shown=place[None, 1:],
            confidence=confidence[None, None],
        )

    def _vertex_colours(self) -> Float[Tensor, "1 vertices 3"]:
        """Colour every vertex: by itself, by its like, or by what is around it on the surface."""
        view, face = self.field.view, self.field.face
        colours = torch.zeros(3, len(view.canonical)).to(self.field.image)
        confidence = torch.zeros_like(colours[0])
        corners = _corners(self.faces, len(confidence))
        table = neighbour_table(self.faces, len(confidence))
        self._ask_for_vertices([None], corners, table, colours, confidence)
        self.vertex_own = confidence > 0.0
        """Which vertices the source shows themselves."""
        on_head = view.parts == JOINT_INDEX["head"]
        bare = bare_trunk(view, self.vertex_own, self.field.is_skin(colours, on_head))
        like = [kind._replace(no_skin=kind.no_skin & ~bare) for kind in self.field.counterparts]
        self._ask_for_vertices(like, corners, table, colours, confidence)
        reflections = find_reflections(view, confidence > 0.0, like[:3])
        self._ask_for_vertices(reflections, corners, table, colours, confidence)
        skin = face | self.field.is_skin(colours, on_head)
        return fill_surface(colours.T, confidence, view, face, skin, bare, table)[None]

    def _ask_for_vertices(
        self,
        kinds: Sequence[Counterpart | None],
        corners: Visibility,
        table: Int[Tensor, "vertices most"],
        colours: Float[Tensor, "3 vertices"],
        confidence: Float[Tensor, "vertices"],
    ) -> None:
        """Colour vertices without confidence; later only faces ask of which a corner is shown."""
        faces = self.faces
        nowhere, sizes = torch.zeros_like(confidence, dtype=torch.bool), torch.ones(len(faces))
        for kind in kinds:
            look = look_at(self.field, kind)
            found = self._look(corners, nowhere, look, sizes.to(confidence))
            asked = look.faces_asked[corners.face_id[0, 0].long()]
            shown, valid, skin = (found[row] * asked > 0.5 for row in (5, 3, 7))
            if kind is not None:
                both = valid & ~skin & (confidence > 0.0)
                gain = light_gain(colours, found[:3], both, table)
                look, found[:3] = look._replace(gain=gain), relit(found[:3], gain)
            first = valid & ~skin & (confidence == 0.0)
            colours[:, first], confidence[first] = found[:3, first], found[4, first]
            if kind is None or int(first.sum()) >= LEAST_COLOURED:
                faces_asked = look.faces_asked & shown[faces].any(1)
                self.looks.append(look._replace(faces_asked=faces_asked))

    def _look_around(
        self,
        target: Visibility,
        asked: Bool[Tensor, "height width"],
        outline: Bool[Tensor, "1 height width"],
        look: Look,
        sizes: Float[Tensor, "faces"],
        reach: int,
    ) -> tuple[tuple[EllipsisType, slice, slice], Float[Tensor, "9 rows columns"]]:
        """Look up what is asked, some pixels at a time, with a border of what is not.

        Returns:
            Where in the target it lies, and what `_look` tells of it, else 0.
        """
        at = asked.flatten().nonzero()[:, 0]
        here, there = _cut_around(at, asked.shape, reach)
        found = torch.zeros(9, *asked[here].shape).to(sizes)
        for some, to in zip(at.split(LOOK_PIXELS), there.split(LOOK_PIXELS), strict=True):
            found.flatten(1)[:, to] = self._look(
                _pixels_of(target, some), outline.flatten()[some], look, sizes
            )
        return here, found

    def _look(
        self,
        target: Visibility,
        outline: Bool[Tensor, "pixels"],
        look: Look,
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
        free = look.not_hidden(self.field, warp.grid, target)
        inside = (warp.grid[0, 0].abs() <= 1.0).all(-1)
        open_to_view = free * inside
        shown, safe, bare = F.grid_sample(
            torch.cat([field.shown, field.safe, field.bare], 1), warp.grid, align_corners=False
        )[0, :, 0]
        open_to_view = open_to_view * (bare > 0.5)
        seen = warp.visible[0, 0] * open_to_view
        colours = field.colours(warp.grid)[0, :, 0]
        skin, gap = torch.zeros_like(seen), torch.zeros_like(seen)
        if look.kind is None:
            valid = seen * ((safe > 0.5) | ((shown > 0.5) & outline))
            gap = open_to_view * (safe > 0.5) * (1.0 - seen)
        else:
            valid = seen * (safe > 0.5)
            forbidden = look.kind.no_skin[self.faces].any(1)[face]
            skin = valid * (forbidden & field.is_skin(colours, self.on_head[face]))
        fineness = (look.pixels[face] / sizes[face].clamp(min=1e-6)).sqrt().clamp(max=1.0)
        trust = look.cosines[face] * fineness * valid * (1.0 if look.kind is None else BORROWED)
        if look.gain is not None:
            colours = relit(
                colours, interpolate(target, self.faces, look.gain[None, :, None])[0, 0, :, 0]
            )
        return torch.stack([*colours, valid, trust, seen, seen * shown, skin, gap])


def _corners(faces: Int[Tensor, "faces 3"], vertices: int) -> Visibility:
    """Lay the vertices out as an image of one row that sees each as a corner of a face."""
    place = torch.zeros(vertices, dtype=torch.long, device=faces.device)
    corners = torch.arange(faces.numel(), device=faces.device)
    place.scatter_reduce_(0, faces.flatten(), corners, "amax")  # the last, with any threads
    face = torch.div(place, 3, rounding_mode="floor").to(torch.int32)
    return Visibility(
        face_id=face[None, None],
        barycentric=F.one_hot(place % 3, 3).float()[None, None],
        depth=torch.ones(1, 1, vertices, device=faces.device),
    )


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
