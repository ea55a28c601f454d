"""Source and target in one image frame: what a transfer starts from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from jaxtyping import Bool, Float
from torch import Tensor

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.view import BodyView
from ..errors import ConfigError, ImageError
from ..register.resample_topology import on_topology_of
from ..warp.dressed_person import SourcePhoto
from ..warp.person_mask import check_person_mask
from ..warp.progress import Progress, nothing
from ..warp.skirt import Skirt
from ..warp.warp_to_pose import (
    Leftovers,
    PreparedSource,
    WarpedPhoto,
    pose_source,
    prepare_source,
)
from .framing import Framing, Outside, body_box, frame_person, frame_photo
from .retarget_in_photo import retarget_in_photo

IMAGE_SIZE = (256, 176)
"""Height and width that the bundled network was trained on, pixels."""
PHOTO_SIDE = 768
"""Longest side of what is drawn of a whole photo, unless more is asked for; pixels."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The source image and both bodies, cut to the size that is drawn."""

    image: Float[Tensor, "1 3 height width"]
    """The source, framed, in [-1, 1]; beyond the photo in its mirror image. The whole photo at its
    own size is the caller's own memory."""
    source: BodyView | None
    """The body of the person shown, in the framed image; None where it is not known."""
    target: BodyView
    """The body wanted, in the image to be drawn; one for each frame of a motion."""
    mask: Float[Tensor, "1 1 height width"] | None
    """Share of the person in each pixel, where it is known."""
    others: Float[Tensor, "1 1 height width"] | None
    """Share of other people in each pixel, where they are known."""
    unshown: Bool[Tensor, "1 height width"] | None
    """What the photo does not show and its mirror image fills, ever softer."""
    mirrored: Bool[Tensor, "1 height width"] | None
    """The same, where it stays sharp."""
    framing: Framing
    """How the source image was cut."""
    also: Iterable[SourcePhoto] = ()
    """More photos of the same person, each in its own frame."""

    def warps(
        self,
        *,
        leftovers: Leftovers = "keep",
        skirt: Skirt = "auto",
        progress: Progress = nothing,
    ) -> Iterator[WarpedPhoto]:
        """Warp the source to every frame of the target; see `prepared`."""
        prepared = self.prepared(leftovers=leftovers, skirt=skirt, progress=progress)
        for number in range(len(self.target)):
            yield pose_source(prepared, self.target.at(number), progress=progress)

    def prepared(
        self,
        *,
        leftovers: Leftovers = "keep",
        skirt: Skirt = "auto",
        progress: Progress = nothing,
    ) -> PreparedSource:
        """Compute what all frames of the target share.

        Args:
            leftovers: as in `warp_to_pose`.
            skirt: likewise.
            progress: called after each step.

        Raises:
            ConfigError: the source's body is not known.
        """
        if self.source is None:
            raise ConfigError(
                "The body in the source image is not known, so that its pixels cannot be warped. "
                "Give the source's parameters or keypoints."
            )
        return prepare_source(
            self.image,
            on_topology_of(self.source, self.target),
            self.mask,
            leftovers=leftovers,
            skirt=skirt,
            others=self.others,
            outside=self.unshown,
            mirrored=self.mirrored,
            also=map(self._on_topology, self.also),
            progress=progress,
        )

    def _on_topology(self, photo: SourcePhoto) -> SourcePhoto:
        return photo._replace(view=on_topology_of(photo.view, self.target))


def stage(
    image: Float[Tensor, "1 3 height width"],
    source: HumanParams | None,
    target: HumanParams,
    body: BodyModel,
    *,
    size: tuple[int, int] | None = IMAGE_SIZE,
    mask: Float[Tensor, "1 1 mask_height mask_width"] | None = None,
    others: Float[Tensor, "1 1 mask_height mask_width"] | None = None,
    also: Iterable[SourcePhoto] = (),
    outside: Outside = "fill",
    longest: int | None = PHOTO_SIDE,
    multiple: int = 1,
    retargeted: bool = True,
    source_body: BodyModel | None = None,
) -> Stage:
    """Frame the person and the wanted pose.

    Args:
        image: of any size and aspect, in [-1, 1].
        source: the person shown, with the image's own camera; None when not known.
        target: one person; the pose wanted, or one for each frame. All get one framing.
        body: the model of both bodies, or of the target's alone.
        size: height and width to draw, pixels, around source and target; None draws the whole
            photo.
        mask: share of the person in each pixel of the image.
        others: share of other people, who stay where and as they are.
        also: more photos of the same person in the same clothes, such as one from behind; gone
            through twice, one after the other, so that they may be read from files each time.
        outside: what becomes of a pose that leaves the photo, and of the rest of a frame that is
            wider than it: the photo's mirror image, sharp or ("fill") ever softer. "crop" keeps to
            the photo where `size` is None.
        longest: without a size, the longest side of what is drawn of the photo, pixels; None keeps
            the photo's resolution.
        multiple: without a size, sides are multiples of this, by leaving out a few pixels.
        retargeted: give the target the source's shape, place and camera; both then share one
            cut that holds both bodies. Otherwise each is framed on its own.
        source_body: the model of the source's body, where it is another; it is then also the one
            that is retargeted, so that a target mesh gives its pose and not its clothes.

    Raises:
        ImageError: the mask is of another size than the image, or not of the person.
    """
    source_body = body if source_body is None else source_body
    own_size = (image.shape[-2], image.shape[-1])
    if mask is not None and tuple(mask.shape[-2:]) != own_size:
        raise ImageError(
            f"The mask is {tuple(mask.shape[-2:])} pixels (height, width), the image {own_size}. "
            "Give the mask of this image."
        )
    scale = 1.0 if longest is None else min(1.0, longest / max(own_size))
    staging = _Staging(image, mask, others, also, outside)
    if source is None:
        framing = frame_photo((0.0, 0.0, 0.0, 0.0), [], own_size, scale=scale, multiple=multiple)
        framing = framing if size is None else Framing.whole(own_size, size)
        return staging.at(framing, None, _framed_alone(target, body, framing.size))
    view = BodyView.of(source, source_body)
    for photo in chain([SourcePhoto(image, view, mask)], also):
        if photo.mask is not None:
            check_person_mask(photo.mask, photo.view)
        del photo  # large ones, read from files, fill the memory
    box = body_box(view)
    wanted = None
    if retargeted:
        posed = retarget_in_photo(source, target, source_body)
        wanted = BodyView.of(posed, source_body, frame=None)
    boxes = [] if wanted is None else [body_box(wanted)]
    if size is not None:
        framing = frame_person(box, boxes, size, own_size)
    else:
        framing = frame_photo(
            box, boxes, own_size, scale=scale, grown=outside != "crop", multiple=multiple
        )
    if wanted is None:
        return staging.at(framing, view, _framed_alone(target, body, framing.size))
    return staging.at(framing, view, framing.reframe(wanted))


@dataclass(frozen=True)
class _Staging:
    """What is framed."""

    image: Tensor
    mask: Tensor | None
    others: Tensor | None
    also: Iterable[SourcePhoto]
    outside: Outside

    def at(self, framing: Framing, source: BodyView | None, target: BodyView) -> Stage:
        """Cut everything by one framing."""
        shown = None if source is None else framing.reframe(source)
        if shown is not None:
            shown.check_seen("source")
        target.check_seen("target")
        beyond = framing.beyond((self.image.shape[-2], self.image.shape[-1]))
        unshown = beyond.to(self.image.device) if bool(beyond.any()) else None
        return Stage(
            image=_clamped(framing.apply(self.image)),
            source=shown,
            target=target,
            mask=None if self.mask is None else framing.apply_to_mask(self.mask),
            others=None if self.others is None else framing.apply_to_mask(self.others),
            unshown=None if self.outside == "mirror" else unshown,
            mirrored=unshown if self.outside == "mirror" else None,
            framing=framing,
            also=self.also,
        )


def _clamped(image: Tensor) -> Tensor:
    """Bring an image to [-1, 1]; one that is there is not copied."""
    low, high = image.aminmax()
    return image if float(low) >= -1.0 and float(high) <= 1.0 else image.clamp(-1.0, 1.0)


def _framed_alone(target: HumanParams, body: BodyModel, size: tuple[int, int]) -> BodyView:
    view = BodyView.of(target, body, frame=None)
    if view.size == size:
        return view
    return Framing.around([body_box(view)], size).reframe(view)
