"""One photo's person with clothes and hair on: what a shell, depth tests and masks make of it."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.view import BodyView
from ..geometry.camera import project_perspective
from .background import trusted_body
from .clothed_shell import Clothes, face_vertices, fit_shell, wear
from .counterparts import find_counterparts, with_jaw
from .filters import dilate
from .hairline import find_hair
from .hidden_hands import with_hidden_hands
from .looks import SourceField
from .loose_cloth import LoosePiece, loose_pieces
from .occluders import occluder_table
from .open_jacket import find_opening
from .person_mask import estimate_mask
from .progress import Progress, nothing
from .skin import find_skin
from .skirt import Skirt, find_hem
from .skirt_tube import with_skirt
from .slits import find_slits

FIELD_PX = 640
"""Longest side of the small copy, at most."""
BAND_ROWS = 64
"""Of the small copy, made at once."""
RIM = 0.005
"""Width of the person's outermost pixels, which mix with the background; a share of the height."""
GAP = 0.008
"""Half the width of background between parts of the hole that goes with it, as RIM."""
EDGE_M = 0.02
"""Width of an outline."""
OVERHANG_M = 0.02
"""How far a fitted body may stick out of the person; what is not shown further in is covered."""
EVERYBODY = 0.5
"""Share of the others from which a mask is of all; that of one person alone has the clothes that
hang before somebody else."""
COVER_STEPS = 20
"""Rounds in which what is covered is followed along a limb, by the width of an outline each."""


class SourcePhoto(NamedTuple):
    """One photo of a person."""

    image: Float[Tensor, "1 3 height width"]
    """In [-1, 1]."""
    view: BodyView
    """The body of the person, in this photo."""
    mask: Float[Tensor, "1 1 height width"] | None
    """Share of the person in each pixel, if it is known."""


class DressedPerson(NamedTuple):
    """A photo's person and what is known of them."""

    field: SourceField
    clothes: Clothes
    hole: Bool[Tensor, "1 field_height field_width"]
    """Where the person hides the background."""
    loose: list[LoosePiece]
    """Cloth and hair beyond the shell."""
    things: Bool[Tensor, "field_height field_width"]
    """What of the mask is no part of the person's clothes, either."""


def dress(
    image: Float[Tensor, "1 3 height width"],
    source: BodyView,
    mask: Float[Tensor, "1 1 height width"] | None,
    others: Float[Tensor, "1 1 height width"] | None = None,
    *,
    skirt: Skirt = "auto",
    like: Clothes | None = None,
    progress: Progress = nothing,
) -> DressedPerson:
    """Fit the shell to the mask and find what is seen of it.

    Args:
        image: the photo, in [-1, 1].
        source: the body in it.
        mask: share of the person; guessed where it is not known.
        others: share of other people.
        skirt: how far down one goes; "auto" looks for it.
        like: what the same person wears in another photo, whose skirt is this one's.
        progress: called after each step.
    """
    left, top, right, bottom, step = _field_box(source, mask)
    cut = (..., slice(top, bottom), slice(left, right))
    size = ((bottom - top) // step, (right - left) // step)
    bare = source.reframed((left, top), 1.0 / step, size)
    small = _shrunk(image[cut], step)
    rim = max(1, round(RIM * size[0]))
    body, theirs = bare.visibility.mask, torch.zeros_like(bare.visibility.mask)
    if others is not None:
        theirs = _shrunk(others[cut].to(image), step)[:, 0] > 0.5
    if mask is None:
        shown = estimate_mask(small, body, theirs)
    else:
        shown = _shrunk(mask[cut].to(image), step)
        beside = theirs & ~body
        if ((shown[:, 0] > 0.5) & beside).sum() > EVERYBODY * beside.sum():
            shown = torch.where(theirs[:, None], shown * estimate_mask(small, body, theirs), shown)
    progress()
    person = shown
    if mask is None:
        person = shown * _trimmed(small, shown[:, 0] > 0.5)[:, None]
    covered = _covered(bare, person[:, 0] > 0.5)[:, None]
    progress()
    extent = person[0, 0].maximum(covered[0, 0].to(person))
    face, safe = face_vertices(bare), ~dilate(person[:, 0] < 0.5, rim)
    slits = find_slits(small, person, bare) & safe
    if like is None:
        hem = find_hem(bare, small, person[0, 0], skirt, find_skin(small, bare, face, safe))
    else:
        hem = like.hem
    own = len(bare.canonical)
    bare = bare if hem is None else with_skirt(bare, hem)
    offsets, unreached = fit_shell(bare, extent, skirt_from=own, progress=progress)
    worn = wear(bare, offsets)
    loose, things = loose_pieces(unreached, person[0, 0], worn, (left, top), step)
    person = person * ~unreached
    face, safe = face_vertices(bare), ~dilate((person[:, 0] < 0.5) | slits, rim)
    with_sides = with_jaw(bare, face)
    skin = find_skin(small, worn, face, safe)
    worn = with_hidden_hands(worn, small, person[:, 0] > 0.5, skin)
    hair = find_hair(small, worn, with_sides, person[:, 0] > 0.5, safe)
    opening = find_opening(small, worn, safe & ~covered[:, 0], skin)
    field = SourceField(
        image=image,
        view=worn,
        offset_xy=(left, top),
        step=step,
        shown=person,
        safe=safe[:, None].to(image),
        bare=(~covered & ~slits[:, None]).to(image),
        occluders=occluder_table(worn, small, person, skin),
        counterparts=find_counterparts(bare, with_sides, hair.band, opening),
        face=with_sides,
        skin=skin,
        head=hair.colours,
    )
    progress()
    gap = max(1, round(GAP * size[0]))
    hole = ~dilate(~dilate(shown[:, 0] > 0.05, 2 * rim + gap), gap)
    clothes = Clothes(offsets, hem)
    return DressedPerson(field=field, clothes=clothes, hole=hole, loose=loose, things=things)


def _field_box(view: BodyView, mask: Tensor | None) -> tuple[int, int, int, int, int]:
    """Bound the person: left, top, right, bottom, and pixels of the photo per one of the field."""
    height, width = view.size
    pixels = project_perspective(view.vertices, view.intrinsics)[0]
    low, high = pixels.amin(0).tolist(), pixels.amax(0).tolist()
    if mask is not None and bool((mask > 0.5).any()):
        rows, columns = (mask[0, 0] > 0.5).any(1).nonzero(), (mask[0, 0] > 0.5).any(0).nonzero()
        low = [min(low[0], int(columns[0])), min(low[1], int(rows[0]))]
        high = [max(high[0], int(columns[-1])), max(high[1], int(rows[-1]))]
    border = 0.1 * max(high[0] - low[0], high[1] - low[1])
    left, top = (max(0, int(value - border)) for value in low)
    right, bottom = min(width, int(high[0] + border)), min(height, int(high[1] + border))
    step = -(-max(right - left, bottom - top) // FIELD_PX)
    right, bottom = right - (right - left) % step, bottom - (bottom - top) % step
    return left, top, right, bottom, step


def _shrunk(planes: Tensor, step: int) -> Tensor:
    """Average squares, some rows after the other: a cut of a large image would be copied whole."""
    return torch.cat([F.avg_pool2d(rows, step) for rows in planes.split(BAND_ROWS * step, 2)], 2)


def _covered(
    bare: BodyView, shown: Bool[Tensor, "1 height width"]
) -> Bool[Tensor, "1 height width"]:
    """Tell where things lie before the body: it is not shown, and not at its outline alone."""
    body, scale = bare.visibility.mask, bare.px_per_m
    off = body & ~shown
    covered = off & ~dilate(~body, max(1, round(OVERHANG_M * scale)))
    for _ in range(COVER_STEPS):
        covered = dilate(covered, max(1, round(EDGE_M * scale))) & off
    return covered


def _trimmed(small: Tensor, mask: Bool[Tensor, "1 height width"]) -> Tensor:
    """Take off a guessed mask's rim what is like the background beside it."""
    beside = ~dilate(mask, max(1, round(0.012 * mask.shape[-2])))
    return trusted_body(small, mask, beside) & mask
