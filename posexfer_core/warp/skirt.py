"""How far down a skirt goes: where cloth between the legs ends at once, or stands off both.

Trousers part from the crotch on, little by little; between them and a skirt around closed legs a
silhouette cannot tell, so that a length can be asked for, too.
"""

import logging
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.view import BodyView
from ..geometry.camera import pixels_to_ndc, project_perspective
from .skirt_tube import COLUMNS, posed_rings, rings

logger = logging.getLogger(__name__)

Skirt = Literal["auto", "none", "thigh", "knee", "calf", "ankle"]
LENGTHS = {"thigh": -0.36, "knee": -0.53, "calf": -0.74, "ankle": -0.96}
"""Heights of hems on the rest body, canonical."""
NEAR = 0.11
"""How far off those a hem is looked for."""
HEM_REACH, LEAST_CHANGE = 0.035, 0.15
"""Height above and below it over which colours are taken, and by how much they change there."""
LOWEST, CROTCH = -1.0, -0.16
"""Heights between which cloth is looked for, canonical."""
ROW = 0.009
BETWEEN = 0.9
"""Between the legs is what lies nearer to the middle, a share of the way to that of a leg."""
LEAST_GAP_M = 0.006
"""Of what lies between the legs beside them, to tell anything."""
WINDOW_M = 0.06
"""Above and below a hem, where shares are measured."""
HEM_M = 0.03
"""Width that lies between the legs there, at least."""
HEMS = ((0.95, 0.12, 0.0035), (0.9, 0.25, 0.012))
"""How much of that is cloth, at least above a hem and at most below, and how many square metres of
it lie above: the clearer a hem, the less tells a skirt.

Six of 16 photos with a skirt have one of these. Of two people in shorts 0.27 and 0.29 below is
cloth; of 50 photos of people who stand in trousers 0.17 and more, or less than 0.9 above, or it is
narrower."""
DOUBT_M2 = 0.006
"""Area of cloth between the legs from which it is told that a skirt may have been missed: in 6 of
10 photos where one is, and in 14 of 87 without one."""
LOW = -0.85
"""Below this height a clear hem may be closed trousers'."""
FAR_M, FAR_OFF_M = 0.2, 0.07
"""Along so much of both legs trousers do not stand off so far: 0.1 m at most."""
UPRIGHT = 0.4
"""How far down the image a leg leads, at least, a share of its length in front of the camera:
nobody's cloth is measured who sits."""
FLARE_FROM = -0.25
"""Height below which hands do not hang."""


class _Rows(NamedTuple):
    """What is seen between and beside the legs, from the crotch down."""

    heights: Float[Tensor, "rows"]
    """On the rest body, canonical."""
    lengths: Float[Tensor, "rows"]
    """Of the legs down to the next row, metres."""
    gaps: Float[Tensor, "rows"]
    """Width beside the bare body between the legs, metres."""
    cloth: Float[Tensor, "rows"]
    """How much of that is the person, metres."""
    upright: Bool[Tensor, "rows"]
    """Whether a leg leads down."""
    colours: Float[Tensor, "rows 3"]
    """Mean over what lies before both legs, in [-1, 1]."""
    far: Bool[Tensor, "rows"]
    """Whether cloth stands far off both legs of somebody upright."""


def find_hem(
    bare: BodyView,
    image: Float[Tensor, "1 3 height width"],
    shown: Float[Tensor, "height width"],
    wanted: Skirt = "auto",
) -> float | None:
    """Tell the height of a skirt's hem on the rest body, canonical; None without a skirt.

    Args:
        bare: the body in the source.
        image: the source, of the view's size, in [-1, 1].
        shown: share of the person in each pixel, of the view's size.
        wanted: "auto" looks for a skirt; a length looks for a hem near it.
    """
    if wanted == "none":
        return None
    rows = _look(bare, image, shown)
    if wanted != "auto":
        return _near(rows, LENGTHS[wanted])
    told = rows.gaps > LEAST_GAP_M
    opened = (told & (rows.cloth < 0.6 * rows.gaps)).nonzero()[:, 0]
    if len(opened) and _is_hem(rows, int(opened[0])):
        return float(rows.heights[max(0, int(opened[0]) - 1)])
    if float((rows.lengths * rows.far).sum()) > FAR_M:
        return float(rows.heights[rows.far].min())
    end = int(opened[0]) if len(opened) else len(told)
    if bool(rows.upright[:end].all()) and float((rows.gaps * rows.lengths)[:end].sum()) > DOUBT_M2:
        logger.warning(
            "What hangs between the legs is taken for trousers. If it is a skirt or a dress, say "
            "where it ends: skirt 'thigh', 'knee', 'calf' or 'ankle'."
        )
    return None


def _is_hem(rows: _Rows, end: int) -> bool:
    """Tell whether cloth ends at once at a row, as a skirt's does."""
    down = rows.lengths.cumsum(0)
    number = torch.arange(len(down), device=down.device)
    above = (number < end) & (down > down[end] - WINDOW_M)
    below = (number >= end) & (down < down[end] + WINDOW_M)
    near = above | below
    if not bool(rows.upright[near].all()):
        return False
    clothed, opened = (
        float((rows.cloth * one).sum() / (rows.gaps * one).sum().clamp(min=1e-6))
        for one in (above, below)
    )
    area = rows.gaps * rows.lengths
    if min(float(area[one].sum()) for one in (above, below)) < HEM_M * WINDOW_M:
        return False
    hems = HEMS if float(rows.heights[end]) > LOW else HEMS[1:]
    return any(
        clothed > least and opened < most and float(area[:end].sum()) > enough
        for least, most, enough in hems
    )


def _near(rows: _Rows, wanted: float) -> float:
    """Take the height where colours change most, near the one wanted; that where none do."""
    reach = round(HEM_REACH / ROW)
    if len(rows.heights) <= 2 * reach:
        return wanted
    means = F.avg_pool1d(rows.colours.T[None], reach, 1)[0]
    changes = (means[:, :-reach] - means[:, reach:]).norm(dim=0)
    heights = rows.heights[reach - 1 : reach - 1 + len(changes)]
    changes = torch.where((heights - wanted).abs() < NEAR, changes, 0.0)
    best = int(changes.argmax())
    return float(heights[best]) if float(changes[best]) > LEAST_CHANGE else wanted


def _look(
    bare: BodyView, image: Float[Tensor, "1 3 height width"], shown: Float[Tensor, "height width"]
) -> _Rows:
    """Look along rings around both legs, as far as the image goes."""
    rest, middles = rings(bare, LOWEST, ROW)
    below = rest[:, 0, 1] < CROTCH
    rest, middles = rest[below], middles[below]
    posed = posed_rings(bare, rest, middles)[0].reshape(rest.shape)
    pixels = project_perspective(posed.reshape(1, -1, 3), bare.intrinsics)[0]
    pixels = pixels.reshape(-1, COLUMNS, 2)
    width = (pixels - pixels.roll(1, 1)).norm(dim=2) / bare.px_per_m
    width = (width + width.roll(-1, 1)) / 2.0
    nearer = posed[..., 2] < posed[..., 2].mean(1, keepdim=True)
    between = nearer & (rest[..., 0].abs() < BETWEEN * middles[:, None])
    person, body, inside = _seen(bare, shown, pixels)
    free = width * (between & ~body & inside)
    cut = (between & ~inside).any(1).long().cumsum(0) == 0
    lengths = (posed[1:] - posed[:-1]).norm(dim=2).mean(1)
    lengths = torch.cat([lengths, lengths[-1:]])
    heights = rest[:, 0, 1]
    down = _leads_down(pixels, lengths * bare.px_per_m)
    far = down.all(1) & (heights < FLARE_FROM) & _is_far(bare, shown, pixels)
    grid = pixels_to_ndc(pixels[None], bare.size)
    colours = F.grid_sample(image, grid, align_corners=False)[0] * nearer
    colours = (colours.sum(2) / nearer.sum(1).clamp(min=1)).T
    cloth = (free * person).sum(1)
    found = _Rows(heights, lengths, free.sum(1), cloth, down.any(1), colours, far)
    return _Rows(*(one[cut] for one in found))


def _seen(
    bare: BodyView, shown: Float[Tensor, "height width"], pixels: Float[Tensor, "rows columns 2"]
) -> Bool[Tensor, "3 rows columns"]:
    """Tell where the person is, where the bare body, and what lies inside the image."""
    grid = pixels_to_ndc(pixels[None], bare.size)
    images = torch.stack([shown, bare.visibility.mask[0].to(shown)])[None]
    person, body = F.grid_sample(images, grid, align_corners=False)[0] > 0.5
    return torch.stack([person, body, (grid[0].abs() < 1.0).all(-1)])


def _is_far(
    bare: BodyView, shown: Float[Tensor, "height width"], pixels: Float[Tensor, "rows columns 2"]
) -> Bool[Tensor, "rows"]:
    """Tell in which rows cloth stands far off both legs."""
    across = pixels[:, COLUMNS // 4] - pixels[:, 3 * COLUMNS // 4]
    across = F.normalize(across, dim=1)
    middle = pixels.mean(1)
    along = ((pixels - middle[:, None]) * across[:, None]).sum(2)
    off = FAR_OFF_M * bare.px_per_m
    reach = torch.stack([along.amax(1) + off, along.amin(1) - off], 1)
    ends = middle[:, None] + reach[..., None] * across[:, None]
    person, body, _ = _seen(bare, shown, ends)
    return (person & ~body).all(1)


def _leads_down(
    pixels: Float[Tensor, "rows columns 2"], lengths_px: Float[Tensor, "rows"]
) -> Bool[Tensor, "rows 2"]:
    """Tell down to which row the left and the right leg lead down."""
    legs = pixels[:, [COLUMNS // 4, 3 * COLUMNS // 4], 1]
    down = legs[1:] - legs[:-1] > UPRIGHT * lengths_px[:-1, None]
    return torch.cat([down[:1], down]).long().cumprod(0).bool()
