"""Bodies in images of another size, before another camera, or in a cut around them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...posexfer_core.body.orbit import seen_from
from ...posexfer_core.body.rescaled_camera import for_image_size
from ...posexfer_core.body.view import BodyView
from ...posexfer_core.errors import ConfigError, ParamsError
from ...posexfer_core.geometry.camera import crop_intrinsics
from ...posexfer_core.network.config import LATENT_STRIDE
from ...posexfer_core.transfer.framing import Framing, body_box, frame_person
from ..sockets import PosedBody
from .masks import person_masks
from .retargeting import retarget_body

UNFITTED = "target body (with 'fit_to_source' off)"
"""What errors call a pose that must stand in the photo."""


class CutPhoto(NamedTuple):
    """What Frame Pose cuts."""

    images: Tensor
    source: PosedBody
    target: PosedBody
    masks: Tensor | None
    """(images, 1, height, width): share of the person, none beyond the photo."""
    others: Tensor | None
    """(1 or images, 1, height, width): share of other people."""
    padding: Tensor
    """(1, height, width), booleans: what lies beyond the photo."""
    framing: Framing


def placed_views(
    people: Sequence[PosedBody], width: int, height: int, camera: Mapping[str, Any] | None
) -> list[BodyView]:
    """See every frame of people in one picture; width or height 0 takes that of their own image.

    A viewer's camera is placed so that the first of them fills the image.
    """
    own = people[0].params.image_size
    size = (height or own[0], width or own[1])
    if camera is None:
        views = [one.view() for one in people]
        framing = Framing.whole(own, size)
        return views if size == own else [framing.reframe(view) for view in views]
    before = people[0].params
    after = seen_from(before, people[0].model, camera, size)
    moved = after.camera_from_world @ before.camera_from_world.inverse()
    placed = [
        one.params.with_camera(after.intrinsics, size, moved @ one.params.camera_from_world)
        for one in people
    ]
    return [
        BodyView.of(params, one.model, frame=None)
        for params, one in zip(placed, people, strict=True)
    ]


def check_sides(width: int, height: int) -> None:
    """Refuse sides that latents cannot have.

    Raises:
        ConfigError: says the nearest size that is possible.
    """
    for name, length in (("width", width), ("height", height)):
        if length % LATENT_STRIDE:
            near = max(1, round(length / LATENT_STRIDE)) * LATENT_STRIDE
            raise ConfigError(
                f"{name} is {length} pixels, expected a multiple of {LATENT_STRIDE}: take {near}."
            )


def count_frames(images: Tensor, source: PosedBody | None, target: PosedBody) -> int:
    """Count the results of images and bodies, each of which may be one for all.

    Raises:
        ParamsError: the numbers do not go together.
    """
    found = {"images": len(images), "target bodies": target.params.frames}
    if source is not None:
        found["source bodies"] = source.params.frames
    count = max(found.values())
    if any(number not in (1, count) for number in found.values()):
        listed = ", ".join(f"{number} {name}" for name, number in found.items())
        raise ParamsError(f"There are {listed}; expected 1 or {count} of each.")
    if found.get("source bodies", 1) > found["images"]:
        raise ParamsError(
            f"There are {found['source bodies']} source bodies for one image; pick the frame of "
            "this image."
        )
    return count


def in_image_of(body: PosedBody, images: Tensor, name: str) -> PosedBody:
    """Give a body the camera of the same image at another resolution; see `for_image_size`."""
    size = (images.shape[-2], images.shape[-1])
    return replace(body, params=for_image_size(body.params, size, whose=name))


def frame_pose(
    images: Tensor,
    source: PosedBody,
    target: PosedBody,
    mask: Tensor | None,
    others: Tensor | None,
    size: tuple[int, int],
    *,
    fit_to_source: bool,
) -> CutPhoto:
    """Cut images and masks around people and the poses wanted of them, alike for all frames.

    Beyond the photo there is its mirror image, so that nothing has streaks.

    Args:
        images: (images, 3, height, width) in [-1, 1].
        source: the people shown.
        target: the poses wanted.
        mask: a MASK of the people.
        others: (1 or images, 1, height, width): share of other people, if they are known.
        size: height and width of the cut, pixels.
        fit_to_source: give the targets the source's build, place and camera; otherwise they must
            stand in the photo.
    """
    check_sides(size[1], size[0])
    count_frames(images, source, target)
    source = in_image_of(source, images, "source body")
    wanted = placed_target(source, target) if fit_to_source else target
    check_same_surface(source, wanted)
    wanted = in_image_of(wanted, images, UNFITTED)
    own = (images.shape[-2], images.shape[-1])
    framing = frame_person(_box(source), [_box(wanted)], size, own)
    people, poses = framed_body(source, framing), framed_body(wanted, framing)
    _check_seen(people, poses)
    masks = person_masks(mask, images)
    return CutPhoto(
        images=framing.apply(images).clamp(-1.0, 1.0),
        source=people,
        target=poses,
        masks=None if masks is None else framing.apply_to_mask(masks).clamp(0.0, 1.0),
        others=None if others is None else framing.apply_to_mask(others).clamp(0.0, 1.0),
        padding=framing.beyond(own),
        framing=framing,
    )


def placed_target(source: PosedBody, target: PosedBody) -> PosedBody:
    """Retarget poses to the people shown, one pose for every person or the other way round."""
    frames = max(source.params.frames, target.params.frames)
    return retarget_body(source, repeated(target, frames))


def check_same_surface(source: PosedBody, target: PosedBody) -> None:
    """Refuse bodies between which nothing can be carried along the surface.

    Raises:
        ParamsError: they are of different body models.
    """
    if len(source.model.canonical) != len(target.model.canonical):
        raise ParamsError(
            "Source and target are of different body models. Switch 'fit_to_source' on, or load "
            "both with the same one."
        )


def repeated(body: PosedBody, frames: int) -> PosedBody:
    """Let one frame stand for several."""
    if body.params.frames == frames:
        return body
    return replace(body, params=body.params.part(torch.zeros(frames, dtype=torch.long)))


def framed_body(body: PosedBody, framing: Framing) -> PosedBody:
    """See the same bodies in the cut."""
    params = body.params
    camera = crop_intrinsics(params.intrinsics, framing.offset_xy, framing.scale)
    return replace(body, params=params.with_camera(camera, framing.size))


def _box(body: PosedBody) -> tuple[float, float, float, float]:
    return body_box(BodyView.of(body.params, body.model, frame=None))


def _check_seen(source: PosedBody, target: PosedBody) -> None:
    for name, body in (("source", source), ("target", target)):
        BodyView.of(body.params, body.model, frame=None).check_seen(name)
