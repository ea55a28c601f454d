"""A photo's person in another pose, by geometry alone: real pixels, and masks that say which.

At the photo's own resolution. Depth tests, shells and holes are found on a small copy of the part
that shows the person; colours are read from the photo, a band of rows at a time.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.view import BodyView
from ..errors import ImageError
from ..geometry.camera import project_perspective
from ..geometry.rasterize import Visibility
from .clothed_shell import wear
from .dressed_person import EDGE_M, SourcePhoto, dress
from .exemplar_fill import texture_of_hole
from .filters import box_blur, dilate
from .loose_cloth import LoosePiece
from .mirrored_border import with_mirror
from .progress import Progress, nothing
from .several_views import OtherView, merged, other_view
from .surface_samples import Sample, SurfaceSampler, face_sizes

BAND_PIXELS = 1 << 17
"""Pixels of the target whose colours are read at once."""
WHOLE_PIXELS = 1 << 22
"""Images up to this size are rasterised in one piece, so that all maps agree to the pixel."""
CUT_STEPS = 6
"""Rounds in which the cut grows inward from the outline."""
SOFT_M = 0.012
"""Width of the blend between a place's own look and a borrowed one."""

Leftovers = Literal["keep", "remove"]


class WarpedPhoto(NamedTuple):
    """The person in the target's pose.

    `visible`, `background` and `inpaint` share the image among them.
    """

    image: Float[Tensor, "1 3 height width"]
    """In [-1, 1]."""
    visible: Bool[Tensor, "1 1 height width"]
    """The body's own pixels, which the source shows."""
    background: Bool[Tensor, "1 1 height width"]
    """The source's own background, where it was."""
    body: Bool[Tensor, "1 1 height width"]
    """Where the clothed target is."""
    inpaint: Bool[Tensor, "1 1 height width"]
    """Everything else: borrowed looks, guesses, filled background."""
    confidence: Float[Tensor, "1 1 height width"]
    """0 to 1: how straight and how finely the source shows it, half of that for borrowed looks;
    1 on known background, 0 where nothing of the kind is shown."""
    worn: BodyView
    """The clothed target, for maps that fit the image."""

    @property
    def planes(self) -> Float[Tensor, "1 6 height width"]:
        """Colours, visible, background and body as one image: what a network is shown."""
        return torch.cat([self.image, *(m.to(self.image) for m in self[1:4])], 1)


class PreparedSource(NamedTuple):
    """What every target of one photo shares."""

    image: Float[Tensor, "1 3 height width"]
    sampler: SurfaceSampler
    views: list[OtherView]
    """Of the same person, by more photos."""
    offsets: Float[Tensor, "vertices"]
    """Of the shell, metres."""
    loose: list[LoosePiece]
    """Cloth and hair beyond the shell."""
    unknown: Bool[Tensor, "1 height width"]
    """Where the photo does not show its background."""
    filled: Float[Tensor, "3 pixels"]
    """What is put there."""


def warp_to_pose(
    image: Float[Tensor, "images 3 height width"],
    source: BodyView,
    target: BodyView,
    mask: Float[Tensor, "masks 1 mask_height mask_width"] | None = None,
    *,
    leftovers: Leftovers = "keep",
) -> WarpedPhoto:
    """Warp a photo's person into another pose; `stage` makes room for one that leaves the photo.

    Args:
        image: the photo, in [-1, 1].
        source: the body of the person shown, in the photo.
        target: the same person's body in the pose wanted, in an image of the same size.
        mask: share of the person in each pixel; without one it is guessed from the body and from
            colours (`estimate_mask`), which is worse.
        leftovers: what becomes of the mask's things that are neither body nor clothes, such as
            poles.

    Raises:
        ImageError: more than one image, or sizes that differ.
    """
    _check(image, source, mask)
    return pose_source(prepare_source(image, source, mask, leftovers=leftovers), target)


def prepare_source(
    image: Float[Tensor, "images 3 height width"],
    source: BodyView,
    mask: Float[Tensor, "masks 1 mask_height mask_width"] | None = None,
    *,
    others: Float[Tensor, "masks 1 mask_height mask_width"] | None = None,
    leftovers: Leftovers = "keep",
    outside: Bool[Tensor, "1 height width"] | None = None,
    mirrored: Bool[Tensor, "1 height width"] | None = None,
    also: Sequence[SourcePhoto] = (),
    progress: Progress = nothing,
) -> PreparedSource:
    """Fit the shell, find what is seen, fill the background; see `warp_to_pose`.

    Args:
        image: as there; so are the other arguments.
        source: the body of the person shown.
        mask: share of the person.
        others: share of other people, where they are known: theirs is neither person nor hole.
        leftovers: what becomes of things.
        outside: what the photo does not show and texture fills, if anything.
        mirrored: what the photo does not show and its mirror image fills, without the person; all
            around a rectangle.
        also: more photos of the same person in the same clothes, of any sizes.
        progress: called after each step.
    """
    _check(image, source, mask)
    dressed = dress(image, source, mask, others, progress=progress)
    sampler = SurfaceSampler(dressed.field)
    progress()
    views = []
    for photo in also:
        _check(photo.image, photo.view, photo.mask)
        faces = dressed.field.view.faces
        seen = dress(photo.image, photo.view, photo.mask, faces=faces, progress=progress)
        views.append(other_view(sampler, SurfaceSampler(seen.field)))
        progress()
    hole = dressed.hole if leftovers == "remove" else dressed.hole & ~dressed.things
    step, (left, top) = dressed.field.step, dressed.field.offset_xy
    cut = (
        ...,
        slice(top, top + step * hole.shape[1]),
        slice(left, left + step * hole.shape[2]),
    )
    unknown = torch.zeros(1, *image.shape[-2:], dtype=torch.bool, device=image.device)
    unknown[cut] = hole.repeat_interleave(step, 1).repeat_interleave(step, 2)
    if others is not None:
        own = dilate(dressed.field.shown[:, 0] > 0.05, 1)
        own = own.repeat_interleave(step, 1).repeat_interleave(step, 2)
        unknown[cut] &= own | (others[cut][0] <= 0.5)
    if outside is not None:
        unknown |= outside
    filled = texture_of_hole(image, unknown, progress=progress)
    if mirrored is not None:
        unknown, filled = with_mirror(image, unknown, filled, mirrored)
    return PreparedSource(
        image=image,
        sampler=sampler,
        views=views,
        offsets=dressed.offsets,
        loose=dressed.loose,
        unknown=unknown,
        filled=filled,
    )


def pose_source(
    prepared: PreparedSource, target: BodyView, *, progress: Progress = nothing
) -> WarpedPhoto:
    """Draw a prepared source in a pose, calling `progress` after each band of rows."""
    _check(prepared.image, target, None)
    image = prepared.image.clone()
    image[0, :, prepared.unknown[0]] = prepared.filled
    height, width = image.shape[-2:]
    worn = wear(target, prepared.offsets)
    worn = replace(worn, faces=prepared.sampler.field.view.faces)
    flags = torch.zeros(3, 1, 1, height, width, dtype=torch.bool, device=image.device)
    visible, background, body = flags
    background[:, 0] = ~prepared.unknown
    for piece in prepared.loose:
        background &= ~piece.draw(prepared.image, image, worn)
    confidence = background.to(image)
    edge, soft = (max(1, round(metres * worn.px_per_m)) for metres in (EDGE_M, SOFT_M))
    over = 2 * edge + soft
    sizes = face_sizes(worn.vertices, worn.faces.long(), worn.intrinsics)
    pixels = project_perspective(worn.vertices, worn.intrinsics)[0]
    low, high = (pixels.amin(0) - over).tolist(), (pixels.amax(0) + over).tolist()
    left, right = max(0, int(low[0])), min(width, int(high[0]) + 1)
    first, last = max(0, int(low[1])), min(height, int(high[1]) + 1)
    band = max(2 * over, BAND_PIXELS // max(1, right - left))
    for top in range(first, last, band):
        bottom = min(top + band, last)
        start, end = max(0, top - over), min(height, bottom + over)
        drawn = _part(worn, slice(start, end), slice(left, right))
        outline = dilate(~drawn.mask, edge)
        sample = prepared.sampler.sample(drawn, outline, sizes, soft)
        sample = merged(sample, prepared.views, drawn, outline, sizes, soft)
        alpha = _alpha(drawn.mask, outline, sample, edge)
        inner = (..., slice(top - start, bottom - start), slice(None))
        here = (..., slice(top, bottom), slice(left, right))
        covered, alpha = drawn.mask[:, None][inner], alpha[inner]
        alpha = torch.where(alpha < 0.01, 0.0, alpha)  # background stays bit for bit
        image[here] += alpha * (sample.colours[inner] - image[here])
        body[here] = covered
        visible[here] = (sample.own[inner] > 0.99) & (alpha > 0.99)
        background[here] &= alpha == 0.0
        trust = torch.where(background[here], 1.0, sample.confidence[inner] * alpha)
        confidence[here] = torch.where(covered, trust, confidence[here])
        progress()
    return WarpedPhoto(
        image=image,
        visible=visible,
        background=background,
        body=body,
        inpaint=~(visible | background),
        confidence=confidence,
        worn=worn,
    )


def _check(image: Tensor, view: BodyView, mask: Tensor | None) -> None:
    """Refuse what does not go together."""
    size = (image.shape[-2], image.shape[-1])
    if len(image) != 1 or len(view) != 1:
        raise ImageError(
            f"A warp takes one image and one body, found {len(image)} and {len(view)}; "
            "go through the frames one by one."
        )
    sizes = {"body's camera": view.size}
    if mask is not None:
        sizes["mask"] = (mask.shape[-2], mask.shape[-1])
    for name, found in sizes.items():
        if found != size:
            raise ImageError(
                f"The image is {size[0]}x{size[1]} pixels (height x width) but the {name} has "
                f"{found[0]}x{found[1]}. Both must belong to the same image."
            )


def _part(view: BodyView, rows: slice, columns: slice) -> Visibility:
    """Rasterise some rows and columns of a view."""
    height, width = view.size
    if height * width > WHOLE_PIXELS:
        size = (rows.stop - rows.start, columns.stop - columns.start)
        return view.reframed((columns.start, rows.start), 1.0, size).visibility
    whole = view.visibility
    return Visibility(
        face_id=whole.face_id[:, rows, columns],
        barycentric=whole.barycentric[:, rows, columns],
        depth=whole.depth[:, rows, columns],
    )


def _alpha(
    body: Bool[Tensor, "1 height width"],
    outline: Bool[Tensor, "1 height width"],
    sample: Sample,
    edge: int,
) -> Float[Tensor, "1 1 height width"]:
    """Give the person's share of each pixel: soft at the outline, cut there by the own mask.

    What the mask cuts off in one piece is cut off, with what the source does not see beside it.
    """
    inside = body[:, None].to(sample.shown)
    off = sample.seen - sample.shown
    reach, smooth = max(1, edge // 2), max(1, edge // 4)
    around, beside = box_blur(sample.seen, reach), box_blur(inside, reach).clamp(min=1e-3)
    share = box_blur(off, reach) / around.clamp(min=1e-3)
    cut = torch.where(sample.seen > 0, off * (share > 0.35), (share > 0.5).to(off))
    cut = cut * (around > 0.3 * beside)
    outside, step = ~body, max(1, -(-edge // CUT_STEPS))
    for _ in range(CUT_STEPS):
        outside = outside | (dilate(outside, step) & outline & (cut[:, 0] > 0.3))
    kept = inside * (box_blur(cut * outside[:, None], smooth) < 0.5 * box_blur(inside, smooth))
    return ((box_blur(kept, 2) - 0.4) / 0.5).clamp(0.0, 1.0) * kept
