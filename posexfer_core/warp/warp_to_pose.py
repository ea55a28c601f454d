"""A photo's person in another pose, by geometry alone: real pixels, and masks that say which.

At the photo's own resolution. Depth tests, shells and holes are found on a small copy of the part
that shows the person; colours are read from the photo, a band of rows at a time.
"""

from collections.abc import Iterable
from functools import partial
from types import EllipsisType
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor

from ..body.view import BodyView
from ..errors import ImageError
from ..files.images import to_pil
from .clothed_shell import Clothes
from .dressed_person import DressedPerson, SourcePhoto, dress
from .exemplar_fill import texture_of_hole
from .filters import dilate
from .mirrored_border import with_mirror
from .posed_rows import PosedRows, PreparedSource, pose_rows
from .progress import Progress, nothing
from .several_views import other_view
from .skirt import Skirt
from .surface_samples import SurfaceSampler

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


def warp_to_pose(
    image: Float[Tensor, "images 3 height width"],
    source: BodyView,
    target: BodyView,
    mask: Float[Tensor, "masks 1 mask_height mask_width"] | None = None,
    *,
    leftovers: Leftovers = "keep",
    skirt: Skirt = "auto",
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
        skirt: where a skirt or dress ends; "auto" looks for one, and misses dark ones whose hem
            is not seen.

    Raises:
        ImageError: more than one image, or sizes that differ.
    """
    _check(image, source, mask)
    prepared = prepare_source(image, source, mask, leftovers=leftovers, skirt=skirt)
    return pose_source(prepared, target)


def prepare_source(
    image: Float[Tensor, "images 3 height width"],
    source: BodyView,
    mask: Float[Tensor, "masks 1 mask_height mask_width"] | None = None,
    *,
    others: Float[Tensor, "masks 1 mask_height mask_width"] | None = None,
    leftovers: Leftovers = "keep",
    skirt: Skirt = "auto",
    outside: Bool[Tensor, "1 height width"] | None = None,
    mirrored: Bool[Tensor, "1 height width"] | None = None,
    also: Iterable[SourcePhoto] = (),
    progress: Progress = nothing,
) -> PreparedSource:
    """Fit the shell, find what is seen, fill the background; see `warp_to_pose`.

    Args:
        image: as there; so are the other arguments.
        source: the body of the person shown.
        mask: share of the person.
        others: share of other people, where they are known: theirs is neither person nor hole.
        leftovers: what becomes of things.
        skirt: where one ends.
        outside: what the photo does not show and its mirror image fills, without the person, ever
            softer; all around a rectangle.
        mirrored: the same, but sharp.
        also: more photos of the same person in the same clothes, of any sizes; asked for one
            after the other.
        progress: called after each step.
    """
    _check(image, source, mask)
    dressed = dress(image, source, mask, others, skirt=skirt, progress=progress)
    sampler = SurfaceSampler(dressed.field)
    progress()
    views = []
    beside = partial(_dressed_beside, like=dressed.clothes, progress=progress)
    for seen in map(beside, also):  # a generator would hold each photo's mask
        views.append(other_view(sampler, SurfaceSampler(seen.field)))
        progress()
        del seen  # the next one beside it fills the memory
    hole = dressed.hole if leftovers == "remove" else dressed.hole & ~dressed.things
    step, (left, top) = dressed.field.step, dressed.field.offset_xy
    cut = (
        ...,
        slice(top, top + step * hole.shape[1]),
        slice(left, left + step * hole.shape[2]),
    )
    unknown = torch.zeros(1, *image.shape[-2:], dtype=torch.bool, device=image.device)
    unknown[cut] = hole.repeat_interleave(step, 1).repeat_interleave(step, 2)
    avoid = torch.zeros_like(unknown)
    avoid[cut] = dressed.things.repeat_interleave(step, 0).repeat_interleave(step, 1)
    if others is not None:
        own = dilate(dressed.field.shown[:, 0] > 0.05, 1)
        own = own.repeat_interleave(step, 1).repeat_interleave(step, 2)
        unknown[cut] &= own | (others[cut][0] <= 0.5)
        avoid |= others[0] > 0.5
    border = outside if mirrored is None else mirrored
    inside = (...,) if border is None else _inside(border)
    filled = texture_of_hole(image[inside], unknown[inside], avoid[inside], progress=progress)
    if border is not None:
        unknown &= ~border
        unknown, filled = with_mirror(image, unknown, filled, border, soft=mirrored is None)
    return PreparedSource(
        image=image,
        sampler=sampler,
        views=views,
        clothes=dressed.clothes,
        loose=dressed.loose,
        unknown=unknown,
        filled=filled.half(),
    )


def _dressed_beside(photo: SourcePhoto, like: Clothes, progress: Progress) -> DressedPerson:
    """Dress the person of another photo in what another one shows."""
    _check(photo.image, photo.view, photo.mask)
    return dress(photo.image, photo.view, photo.mask, like=like, progress=progress)


def _inside(border: Bool[Tensor, "1 height width"]) -> tuple[EllipsisType | slice, ...]:
    """Cut out the rectangle that a border leaves; everything where it leaves nothing."""
    rows, columns = ((~border[0]).any(axis).nonzero()[:, 0].tolist() for axis in (1, 0))
    if not rows:
        return (...,)
    return ..., slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def pose_source(
    prepared: PreparedSource, target: BodyView, *, progress: Progress = nothing
) -> WarpedPhoto:
    """Draw a prepared source in a pose, calling `progress` after each band of rows."""
    worn, image = _worn(prepared, target), torch.empty_like(prepared.image)
    visible, background, body = image.new_empty(3, *image[:, :1].shape, dtype=torch.bool)
    confidence = torch.empty_like(image[:, :1])
    whole = PosedRows(image, visible, background, body, confidence)
    for top, rows in pose_rows(prepared, worn, progress):
        for plane, part in zip(whole, rows, strict=True):
            plane[..., top : top + part.shape[-2], :] = part
    return WarpedPhoto(
        image=image,
        visible=visible,
        background=background,
        body=body,
        inpaint=~(visible | background),
        confidence=confidence,
        worn=worn,
    )


def pose_picture(
    prepared: PreparedSource, target: BodyView, *, progress: Progress = nothing
) -> Image.Image:
    """Draw what `pose_source` does, as a picture of 8 bits alone: a large one fills the memory."""
    height, width = prepared.image.shape[-2:]
    picture = Image.new("RGB", (width, height))
    for top, rows in pose_rows(prepared, _worn(prepared, target), progress):
        picture.paste(to_pil(rows.image), (0, top))
    return picture


def _worn(prepared: PreparedSource, target: BodyView) -> BodyView:
    """Put the source's clothes on a target."""
    _check(prepared.image, target, None)
    return prepared.clothes.on(target)


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
