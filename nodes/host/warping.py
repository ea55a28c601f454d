"""Photos warped to poses, frame by frame, with progress, previews and interrupt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ...posexfer_core.body.view import BodyView
from ...posexfer_core.errors import ConfigError, ImageError, ParamsError
from ...posexfer_core.transfer.framing import Outside, body_box, frame_photo
from ...posexfer_core.warp.clothed_shell import Clothes
from ...posexfer_core.warp.dressed_person import SourcePhoto
from ...posexfer_core.warp.filters import dilate
from ...posexfer_core.warp.skirt import Skirt
from ...posexfer_core.warp.warp_to_pose import (
    Leftovers,
    PreparedSource,
    WarpedPhoto,
    pose_source,
    prepare_source,
)
from ..sockets import ClothedBody, PosedBody
from .framing import (
    UNFITTED,
    check_same_surface,
    count_frames,
    in_image_of,
    placed_target,
    repeated,
)
from .masks import check_upright, mask_of, person_masks
from .progress import check_interrupt, start_progress

Photos = Literal["one by one", "of one person"]


@dataclass(frozen=True, kw_only=True)
class WarpSettings:
    """What becomes of what the photo does not settle."""

    leftovers: Leftovers = "keep"
    outside: Outside = "crop"
    grow_px: int = 0
    """By how much the inpaint mask is grown."""
    skirt: Skirt = "auto"
    fit_to_source: bool = True
    """Give the targets the source's build, place and camera."""
    photos: Photos = "one by one"
    """Whether each photo gives results of its own, or all show one person."""


class WarpedBatch(NamedTuple):
    """Frames as the host takes them: images in [-1, 1], masks (frames, 1, height, width)."""

    image: Tensor
    inpaint: Tensor
    visible: Tensor
    background: Tensor
    body: Tensor
    confidence: Tensor
    clothed: ClothedBody


class _Photo(NamedTuple):
    """One photo with its person, in the image to be drawn, and the poses wanted in it."""

    image: Tensor
    source: BodyView
    targets: BodyView
    mask: Tensor | None
    others: Tensor | None
    padding: Tensor | None
    """(1, height, width): what is no photo."""
    also: Sequence[SourcePhoto] = ()
    """More photos of the person."""


def warp_batch(
    images: Tensor,
    source: PosedBody,
    target: PosedBody,
    mask: Tensor | None,
    others: Tensor | None,
    padding: Tensor | None,
    settings: WarpSettings,
) -> WarpedBatch:
    """Warp every photo's person to every pose; one photo, body or pose may be for all.

    Args:
        images: (images, 3, height, width) in [-1, 1].
        source: the people shown.
        target: the poses wanted.
        mask: a MASK of the people; None where it is not known.
        others: (1 or images, 1, height, width): share of other people, who stay as they are.
        padding: a MASK of what is no photo, as Frame Pose makes it.
        settings: see there.

    Raises:
        ImageError: images and masks do not go together.
        ParamsError: bodies and images do not.
        ConfigError: room around several photos, which would differ in size.
    """
    masks = person_masks(mask, images)
    source = in_image_of(source, images, "source body")
    also: list[SourcePhoto] = []
    if settings.photos == "of one person":
        also = _more_photos(images, source, masks)
        images, source = images[:1], replace(source, params=source.params.select(0))
        others = None if others is None else others[:1]
        padding = None if padding is None else padding.reshape(-1, *padding.shape[-2:])[:1]
    count = count_frames(images, source, target)
    if settings.outside != "crop" and len(images) > 1:
        raise ConfigError(
            f"'outside' is {settings.outside!r} for {len(images)} images: each would become an "
            "image of another size. Take 'crop', or give one image."
        )
    if settings.fit_to_source:
        placed = placed_target(source, target)
    else:
        placed = in_image_of(target, images, UNFITTED)
        check_same_surface(source, placed)
    placed = repeated(placed, count)
    photos = list(_photos(images, source, placed, masks, others, padding, settings))
    return _warp_photos([one._replace(also=also) for one in photos], placed, settings)


def _more_photos(images: Tensor, source: PosedBody, masks: Tensor | None) -> list[SourcePhoto]:
    """Take all photos but the first for more of the same person.

    Raises:
        ParamsError: they have not a body each.
        ImageError: a mask is white around its body.
    """
    people = source.view()
    if len(people) != len(images):
        raise ParamsError(
            f"'photos' is 'of one person' for {len(images)} images and {len(people)} source "
            "bodies, expected as many: connect the whole batch to Estimate Human Params."
        )
    masks = None if masks is None else masks.expand(len(images), -1, -1, -1)
    photos = [
        SourcePhoto(images[[n]], people.at(n), None if masks is None else masks[[n]])
        for n in range(1, len(images))
    ]
    for photo in photos:
        if photo.mask is not None:
            check_upright(photo.mask, photo.view)
    return photos


def _warp_photos(photos: list[_Photo], placed: PosedBody, settings: WarpSettings) -> WarpedBatch:
    """Prepare each photo, draw its poses, and join all frames."""
    advance = start_progress(placed.params.frames + len(photos))
    frames, worn = [], []
    for photo in photos:
        prepared = _prepared(photo, settings)
        advance(1)
        for number in range(len(photo.targets)):
            warped = pose_source(prepared, photo.targets.at(number), progress=check_interrupt)
            frames.append(_grown(warped, settings.grow_px))
            advance(1, warped.image)
        worn.append(prepared.clothes)
    clothed = _clothed(placed, photos[0], worn)
    joined = [torch.cat([frame[place] for frame in frames]) for place in range(6)]
    return WarpedBatch(*joined, clothed)


def _photos(
    images: Tensor,
    source: PosedBody,
    target: PosedBody,
    masks: Tensor | None,
    others: Tensor | None,
    padding: Tensor | None,
    settings: WarpSettings,
) -> Iterator[_Photo]:
    """Bring together what belongs to each photo."""
    people = BodyView.of(source.params, source.model, frame=None)
    poses = BodyView.of(target.params, target.model, frame=None)
    for number in range(len(images)):
        photo = _Photo(
            image=images[number : number + 1],
            source=people.at(number % len(people)),
            targets=poses if len(images) == 1 else poses.at(number),
            mask=mask_of(masks, number),
            others=mask_of(others, number),
            padding=_padding(padding, images, number),
        )
        if photo.mask is not None:
            check_upright(photo.mask, photo.source)
        yield photo if settings.outside == "crop" else _with_room(photo)


def _padding(padding: Tensor | None, images: Tensor, number: int) -> Tensor | None:
    if padding is None:
        return None
    masks = padding[None] if padding.ndim == 2 else padding
    if masks.shape[-2:] != images.shape[-2:] or len(masks) not in (1, len(images)):
        raise ImageError(
            f"'padding' has shape {tuple(masks.shape)} for images of {tuple(images.shape[-2:])}; "
            "connect the one that Frame Pose made with this image."
        )
    return (masks[number % len(masks)][None] > 0.5).cpu()


def _with_room(photo: _Photo) -> _Photo:
    """Enlarge a photo so that it holds every pose; all frames get the same room."""
    size = (photo.image.shape[-2], photo.image.shape[-1])
    framing = frame_photo(body_box(photo.source), [body_box(photo.targets)], size, grown=True)
    padding = framing.beyond(size)
    if photo.padding is not None:
        padding = padding | (framing.apply(photo.padding[:, None].float())[:, 0] > 0.5)
    return _Photo(
        image=framing.apply(photo.image),
        source=framing.reframe(photo.source),
        targets=framing.reframe(photo.targets),
        mask=None if photo.mask is None else framing.apply_to_mask(photo.mask),
        others=None if photo.others is None else framing.apply_to_mask(photo.others),
        padding=padding,
    )


def _prepared(photo: _Photo, settings: WarpSettings) -> PreparedSource:
    """Prepare a photo; padding is filled with the photo's mirror image, sharp or ever softer."""
    return prepare_source(
        photo.image,
        photo.source,
        photo.mask,
        others=photo.others,
        leftovers=settings.leftovers,
        skirt=settings.skirt,
        outside=None if settings.outside == "mirror" else photo.padding,
        mirrored=photo.padding if settings.outside == "mirror" else None,
        also=photo.also,
        progress=check_interrupt,
    )


def _grown(warped: WarpedPhoto, by_px: int) -> tuple[Tensor, ...]:
    inpaint = dilate(warped.inpaint[:, 0], by_px)[:, None]
    return (
        warped.image,
        inpaint,
        warped.visible,
        warped.background,
        warped.body,
        warped.confidence,
    )


def _clothed(placed: PosedBody, photo: _Photo, worn: list[Clothes]) -> ClothedBody:
    """Dress the poses, which stand in the image drawn where there is one photo."""
    params = placed.params
    if len(worn) == 1:
        params = params.with_camera(photo.targets.intrinsics, photo.targets.size)
    return ClothedBody(params=params, model=placed.model, clothes=tuple(worn))
