"""Where in a source the places of a surface look for their colours, computed once a source."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from ..body.view import BodyView
from ..files.images import to_bytes
from ..geometry.camera import pixels_to_ndc, project_perspective
from ..geometry.normals import face_normals
from ..geometry.rasterize import Visibility, interpolate
from .counterparts import Counterpart
from .hairline import HeadColours
from .skin import Skin


class SourceField(NamedTuple):
    """What the source image shows of the clothed body, at a size that depth tests need."""

    image: Float[Tensor, "1 3 height width"] | UInt8[Tensor, "height width 3"]
    """The photo, in [-1, 1], or its bytes."""
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
    head: HeadColours | None
    """How it is told from hair on the head."""

    def is_skin(
        self, colours: Float[Tensor, "3 pixels"], on_head: Bool[Tensor, "pixels"]
    ) -> Bool[Tensor, "pixels"]:
        """Tell which colours, in [-1, 1], are bare skin's."""
        bare = torch.zeros_like(on_head) if self.skin is None else self.skin.told(colours)
        if self.head is None:
            return bare
        return torch.where(on_head, self.head.odds(colours.T) > 0.0, bare)

    def in_bytes(self) -> "SourceField":
        """Hold the photo in a quarter of the memory, to half a level of 8 bits."""
        return self._replace(image=to_bytes(self.image[0]).to(self.image.device))

    def colours(self, grid: Float[Tensor, "1 rows columns 2"]) -> Float[Tensor, "1 3 rows columns"]:
        """Read the photo itself at places of the field, in [-1, 1]; its edges go on beyond."""
        height, width = self.view.size
        pixels = (grid + 1) * 0.5 * grid.new_tensor([width, height]) * self.step
        pixels = pixels + grid.new_tensor(self.offset_xy)
        if self.image.dtype == torch.uint8:
            return _between_bytes(self.image, pixels)
        size = (self.image.shape[-2], self.image.shape[-1])
        return F.grid_sample(
            self.image, pixels_to_ndc(pixels, size), padding_mode="border", align_corners=False
        )


class Look(NamedTuple):
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
    gain: Float[Tensor, "vertices"] | None = None
    """What colours are multiplied by, -1 being black; None: by nothing."""

    def not_hidden(
        self, field: SourceField, grid: Float[Tensor, "1 1 pixels 2"], pixels: Visibility
    ) -> Bool[Tensor, "pixels"]:
        """Tell where no other limb lies before the place, or close beside.

        Args:
            field: the source.
            grid: where in it each pixel looks, NDC.
            pixels: what they see of the surface, as an image of one row.
        """
        rows, columns = field.occluders.shape[1:]
        depth = interpolate(pixels, field.view.faces, self.places[..., 2:].contiguous())
        column = ((grid[0, 0, :, 0] + 1) * 0.5 * columns).long().clamp(0, columns - 1)
        row = ((grid[0, 0, :, 1] + 1) * 0.5 * rows).long().clamp(0, rows - 1)
        part = self.face_parts[pixels.face_id[0, 0].long()]
        return field.occluders[part, row, column] > depth[0, 0, :, 0]


def look_at(field: SourceField, kind: Counterpart | None) -> Look:
    """Compute what no target changes: of the vertices themselves, or of a kind of their like."""
    faces = field.view.faces.long()
    places, parts = field.view.vertices, field.view.parts.long()
    face_parts, asked = parts[faces[:, 0]], torch.ones_like(faces[:, 0], dtype=torch.bool)
    if kind is not None:
        places = kind.carried(places)
        face_parts = parts[kind.corners[:, 0]][faces[:, 0]]
        asked = kind.allowed[faces].all(1)
    normals = F.normalize(face_normals(places, faces), dim=2)
    if kind is not None:
        away = (normals[0] * places[0, faces[:, 0]]).sum(1) > 0
        normals = torch.where(away[:, None], -normals, normals)
    middle = F.normalize(places[0, faces].mean(1), dim=1)
    return Look(
        places=places,
        face_parts=face_parts,
        kind=kind,
        faces_asked=asked,
        normals=normals,
        cosines=-(normals[0] * middle).sum(1).clamp(-1.0, 0.0),
        pixels=field.step**2 * face_sizes(places, faces, field.view.intrinsics),
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


def _between_bytes(
    levels: UInt8[Tensor, "height width 3"], pixels: Float[Tensor, "1 rows columns 2"]
) -> Float[Tensor, "1 3 rows columns"]:
    """Read an image of bytes between its pixels, bilinear, in [-1, 1]; its edges go on beyond."""
    limit = pixels.new_tensor([levels.shape[1] - 1, levels.shape[0] - 1])
    x, y = (pixels - 0.5).clamp(min=0.0).minimum(limit).unbind(-1)
    left, top = x.long(), y.long()
    right, bottom = (left + 1).clamp(max=int(limit[0])), (top + 1).clamp(max=int(limit[1]))
    across, down = (x - left)[..., None], (y - top)[..., None]
    upper, lower = (
        torch.lerp(levels[row, left].to(across), levels[row, right].to(across), across)
        for row in (top, bottom)
    )
    return (torch.lerp(upper, lower, down) / 127.5 - 1.0).movedim(-1, 1)
