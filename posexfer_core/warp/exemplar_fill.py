"""Holes of an image filled with its own texture: patches of it that go with what is around.

Coarse to fine, every patch that touches the hole is matched with one outside (PatchMatch, Barnes et
al. 2009, with jumps instead of scan lines), and the matches vote for the hole's colours (Wexler et
al. 2007). Votes blur a weak grain away; in the end places that lie together are preferred, as far
as a weak grain differs. That runs on a small copy; the image then takes its own pixels from the
places found, in the votes' light.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .filters import box_blur, dilate
from .patch_match import Places, improve_places
from .progress import Progress, nothing

WORK_PX = 256
"""Longest side of the small copy."""
REACH = 2
"""Patches are squares of 2 * REACH + 1 pixels."""
SIDE = 2 * REACH + 1
COARSEST_PX = 24
ANCHOR = 1.2
"""Weight of being as light as what is known nearest, against the patch's own pixels; without,
whatever is striking around the hole is copied into it again and again."""
NEAREST = 12
"""Power of the distance by which what is known nearest counts."""
AROUND, AT_ONCE = 800, 4096
"""Pixels around a hole that are asked at most, and pixels of it that ask together."""
EDGE = 0.7
"""Weight of votes far from the hole's edge, where those beside it have nearly 2 more."""
CONTEXT = 0.75
"""How much of the surroundings is searched, as a share of the hole's longer side."""
ROUNDS = (6, 4, 2)
"""Searches and votes on the coarsest level, the next, and all others."""
GROWTH = 2
"""Searches for places that lie together."""
TOGETHER = 1.0
"""At most so much may patches differ more, by sums of squares, for each of four neighbours that
comes from beside; more, and things around the hole are copied into it."""
FADE = 1
"""Over half of 2 * FADE + 1 pixels of the small copy the hole's edge fades."""
LIGHT = 3
"""Light is what squares of 2 * LIGHT + 1 pixels show."""
MOSAIC, PIECES = 0.2, 0.5
"""Share of neighbours that lie beside each other where they come from, too, below which copied
pixels are a mosaic, and above which they are pieces of texture."""
BAND_ROWS = 64


def texture_of_hole(
    image: Float[Tensor, "1 3 height width"],
    hole: Bool[Tensor, "1 height width"],
    avoid: Bool[Tensor, "1 height width"] | None = None,
    *,
    seed: int = 0,
    progress: Progress = nothing,
) -> Float[Tensor, "3 pixels"]:
    """Make the colours of a hole's pixels, row by row; an image that is all hole keeps its own.

    Args:
        image: in [-1, 1].
        hole: what is to be filled; its outermost pixels fade into what is around.
        avoid: what is no background, such as other people: nothing is copied from there.
        seed: of the search.
        progress: called after each step.
    """
    rows, columns = (hole[0].any(axis).nonzero()[:, 0].tolist() for axis in (1, 0))
    if not rows:
        return image.new_zeros(3, 0)
    more = round(CONTEXT * max(rows[-1] - rows[0], columns[-1] - columns[0])) + 4 * SIDE
    cut = (
        ...,
        slice(max(0, rows[0] - more), rows[-1] + 1 + more),
        slice(max(0, columns[0] - more), columns[-1] + 1 + more),
    )
    image, hole = image[cut], hole[cut]
    avoid = torch.zeros_like(hole) if avoid is None else avoid[cut]
    step = -(-max(image.shape[-2:]) // WORK_PX)
    small, small_hole = _shrunk(image, step), _touched(hole, step)
    if bool(small_hole.all()):
        return image[0, :, hole[0]]
    unknown = small_hole | _touched(avoid, step)
    if bool(unknown.all()):
        unknown = small_hole
    generator = torch.Generator().manual_seed(seed)
    found, voted = _find(small, small_hole, unknown, generator, progress)
    light = box_blur(voted - small[:, :, found[..., 0], found[..., 1]], LIGHT)
    inside = F.avg_pool2d((hole | avoid)[:, None].to(image), step, ceil_mode=True)
    share = (2.0 * box_blur(inside, FADE) - 1.0).clamp(0.0, 1.0)
    planes = torch.cat([light, voted, _coherence(found), share], 1)[0]
    filled, done = image.new_empty(3, int(hole.sum())), 0
    for top in range(0, hole.shape[-2], BAND_ROWS):
        at = hole[0, top : top + BAND_ROWS].nonzero() + hole.new_tensor([top, 0], dtype=torch.long)
        filled[:, done : done + len(at)] = _copied(image, at, found, planes, step)
        done += len(at)
        progress()
    return filled


def _touched(hole: Tensor, step: int) -> Tensor:
    """Tell which squares have a pixel of a hole."""
    return F.max_pool2d(hole[:, None].float(), step, ceil_mode=True)[:, 0] > 0.5


def _shrunk(image: Tensor, step: int) -> Tensor:
    """Average squares."""
    colours = [  # one after the other: a cut of a large image would be copied whole
        F.avg_pool2d(colour, step, ceil_mode=True, count_include_pad=False)
        for colour in image.split(1, 1)
    ]
    return torch.cat(colours, 1)


def _find(
    image: Tensor,
    hole: Tensor,
    unknown: Tensor,
    generator: torch.Generator,
    progress: Progress,
) -> tuple[Places, Float[Tensor, "1 3 height width"]]:
    """Find a patch of what is known for every one that touches the hole, coarse to fine.

    Returns:
        Places, and the image with what the patches' votes make of the hole.
    """
    levels = [(image, hole, unknown)]
    while min(levels[-1][0].shape[-2:]) >= 2 * COARSEST_PX:
        image, hole, unknown = levels[-1]
        image, hole, unknown = _shrunk(image, 2), _touched(hole, 2), _touched(unknown, 2)
        if bool(_blocked(unknown).all()):
            break
        levels.append((image, hole, unknown))
    found: Tensor | None = None
    for number, (image, hole, unknown) in enumerate(reversed(levels)):
        guess = _nearest(image, unknown)
        light = box_blur(guess, SIDE) * ANCHOR * SIDE
        allowed = ~_blocked(unknown)[0] if not _blocked(unknown).all() else ~unknown[0]
        targets = dilate(hole, REACH)[0].nonzero()
        places, image = _start(found, guess, hole, allowed, targets, generator)
        rounds = ROUNDS[min(number, len(ROUNDS) - 1)]
        grown = GROWTH if number == len(levels) - 1 else 0
        for turn in range(rounds + grown):
            padded = F.pad(image, (REACH,) * 4, mode="replicate")
            patches = torch.cat([F.unfold(padded, SIDE)[0], light[0].flatten(1)]).T.contiguous()
            together = TOGETHER if turn >= rounds else 0.0
            places, apart = improve_places(patches, targets, allowed, places, generator, together)
            if turn < rounds:
                image = _voted(image, hole, places, apart)
            progress()
        found = places
    assert found is not None
    return found, image


def _nearest(
    image: Float[Tensor, "1 3 height width"], unknown: Bool[Tensor, "1 height width"]
) -> Float[Tensor, "1 3 height width"]:
    """Guess unknown pixels: nearly the colour of what is known nearest, so that edges go on.

    A smooth fill would be fog before a wall and a mat, in the outline of who stood there.
    """
    around = (dilate(unknown, 2) & ~unknown)[0].nonzero()
    around = around[:: -(-len(around) // AROUND)]
    known = (~unknown)[:, None].to(image)
    soft = box_blur(image * known, 1) / box_blur(known, 1).clamp(min=1e-3)
    colours, guess = soft[0, :, around[:, 0], around[:, 1]].T, image.clone()
    for at in unknown[0].nonzero().split(AT_ONCE):
        away = torch.cdist(at.to(image), around.to(image)).clamp(min=0.5)
        weights = (away.amin(1, keepdim=True) / away).pow(NEAREST)
        guess[0, :, at[:, 0], at[:, 1]] = (weights @ colours / weights.sum(1, keepdim=True)).T
    return guess


def _start(
    coarser: Tensor | None,
    guess: Tensor,
    hole: Tensor,
    allowed: Tensor,
    targets: Tensor,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Give every pixel a place, from the coarser level or at random, and the hole first colours."""
    height, width = hole.shape[-2:]
    places = own = torch.stack(
        torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"), -1
    ).to(hole.device)
    sources = allowed.nonzero()
    pick = torch.randint(len(sources), (len(targets),), generator=generator).to(hole.device)
    drawn, (row, column) = sources[pick], targets.unbind(1)
    places = own.clone()
    if coarser is not None:
        limit = own.new_tensor(coarser.shape[:2]) - 1
        half = torch.minimum(torch.div(targets, 2, rounding_mode="floor"), limit)
        finer = targets + 2 * (coarser[half[:, 0], half[:, 1]] - half)
        finer = finer.clamp(min=0).minimum(own.new_tensor([height, width]) - 1)
        drawn = torch.where(allowed[finer[:, 0], finer[:, 1]][:, None], finer, drawn)
    places[row, column] = drawn
    if coarser is None:
        return places, guess
    return places, _voted(guess, hole, places, torch.ones_like(hole[0], dtype=guess.dtype))


def _blocked(hole: Bool[Tensor, "1 height width"]) -> Bool[Tensor, "1 height width"]:
    """Tell whose patches touch the hole or leave the image."""
    blocked = dilate(hole, REACH)
    blocked[:, :REACH] = blocked[:, -REACH:] = True
    blocked[:, :, :REACH] = blocked[:, :, -REACH:] = True
    return blocked


def _voted(
    image: Float[Tensor, "1 3 height width"],
    hole: Bool[Tensor, "1 height width"],
    places: Places,
    apart: Float[Tensor, "height width"],
) -> Float[Tensor, "1 3 height width"]:
    """Average what the patches around each pixel of the hole put there.

    Good ones count more, and those that see something of the image itself.
    """
    at = hole[0].nonzero()
    limit = at.new_tensor(hole.shape[1:]) - 1
    typical = apart[at[:, 0], at[:, 1]].quantile(0.75).clamp(min=1e-6)
    known = (~hole)[:, None].to(image)
    sees = EDGE + (box_blur(known, REACH) + box_blur(known, 2 * REACH))[0, 0]
    weight_of = (torch.exp(-apart / typical) + 1e-6) * sees
    total, sums = image.new_zeros(len(at), 3), image.new_zeros(len(at), 1)
    for dy in range(-REACH, REACH + 1):
        for dx in range(-REACH, REACH + 1):
            centre = (at - at.new_tensor([dy, dx])).clamp(min=0).minimum(limit)
            y, x = centre.unbind(1)
            source = (places[y, x] + at - centre).clamp(min=0).minimum(limit)
            total += weight_of[y, x, None] * image[0, :, source[:, 0], source[:, 1]].T
            sums += weight_of[y, x, None]
    out = image.clone()
    out[0, :, at[:, 0], at[:, 1]] = (total / sums).T
    return out


def _coherence(found: Places) -> Float[Tensor, "1 1 height width"]:
    """Tell how far places lie in pieces of the image, and not each somewhere else, 0 to 1."""
    height, width = found.shape[:2]
    shift = found - torch.stack(
        torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"), -1
    ).to(found)
    padded = F.pad(shift.movedim(-1, 0)[None].float(), (1,) * 4, mode="replicate")[0]
    alike = torch.zeros(1, 1, height, width).to(padded)
    for dy, dx in ((0, 1), (1, 0), (1, 2), (2, 1)):
        near = padded[:, dy : dy + height, dx : dx + width].movedim(0, -1)
        alike += (near == shift).all(-1) / 4
    share = box_blur(alike, REACH)
    return ((share - MOSAIC) / (PIECES - MOSAIC)).clamp(0.0, 1.0)


def _copied(
    image: Tensor,
    at: Int[Tensor, "pixels 2"],
    found: Places,
    planes: Float[Tensor, "8 height width"],
    step: int,
) -> Float[Tensor, "3 pixels"]:
    """Read pixels of the hole from where the four patches of the small copy around them lie.

    Args:
        image: the photo.
        at: its pixels.
        found: places in the small copy.
        planes: of it: light that places lack, the votes' colours, which stand where there is no
            coherence, coherence, and how far the hole hides the photo.
        step: pixels of the photo to one of the copy.
    """
    exact = (at + 0.5) / step - 0.5
    low, limit = exact.floor(), at.new_tensor(found.shape[:2]) - 1
    total, own = torch.zeros(len(at), 3).to(image), image[0][:, at[:, 0], at[:, 1]]
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        near = low + low.new_tensor(corner)
        weight = (1 - (exact - near).abs()).prod(1, keepdim=True)
        j, i = near.long().clamp(min=0).minimum(limit).unbind(1)
        source = at + step * (found[j, i] - torch.stack([j, i], 1))
        source = source.clamp(min=0).minimum(at.new_tensor(image.shape[-2:]) - 1)
        light, smooth, coherence, hidden = planes[:, j, i].split([3, 3, 1, 1])
        colour = image[0, :, source[:, 0], source[:, 1]] + light
        total += weight * torch.lerp(own, torch.lerp(smooth, colour, coherence), hidden).T
    return total.T.clamp(-1.0, 1.0)
