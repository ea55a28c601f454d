"""Who else is in a photo, as an input `others` tells it: masks, bodies, or keypoints of all."""

from typing import Any

import torch
from torch import Tensor

from ...posexfer_core.body.model import BodyModel
from ...posexfer_core.errors import ConfigError, ImageError, ParamsError
from ...posexfer_core.keypoints.detections import read_keypoints
from ...posexfer_core.keypoints.input_sequence import check_frame_counts
from ...posexfer_core.transfer.other_people import beside, bodies_beside, find_others
from ..sockets import PosedBody
from .framing import in_image_of
from .masks import OPAQUE, mask_of, person_masks
from .progress import check_interrupt

EVERYBODY = 0.9
"""Share of the moved body from which a mask of others is taken for one of everybody."""
ADVICE = (
    "Connect a mask of the other people alone, their bodies, or the keypoints of everybody in the "
    "photo to 'others'; or leave it unconnected."
)


def others_masks(
    others: Any, images: Tensor, source: PosedBody | None, mask: Tensor | None
) -> Tensor | None:
    """Tell where other people are, (1 or images, 1, height, width); None without an input.

    Args:
        others: a MASK, a `PosedBody`, or a POSE_KEYPOINT value; None where nothing is connected.
        images: (images, 3, height, width).
        source: the people who are moved, one for all images, or one each.
        mask: a MASK of them; see `find_others`.

    Raises:
        ConfigError: the people who are moved are not known.
        ImageError: the mask is of other images, or of everybody.
        ParamsError: there are other numbers of bodies.
        KeypointsError: there are other numbers of frames, or they cannot be read.
    """
    if others is None:
        return None
    if source is None:
        raise ConfigError(
            "Found 'others' without 'source_body'.\nExpected the body of the person who is moved: "
            "without it nobody is moved.\nConnect Estimate Human Params to 'source_body'."
        )
    people = in_image_of(source, images, "source body").view()
    if isinstance(others, Tensor):
        given = _checked(others, images)
        for number, theirs in enumerate(given):
            body = people.at(number % len(people)).visibility.mask[0]
            if float((theirs[0] > 0.5)[body].sum()) > EVERYBODY * max(1, int(body.sum())):
                raise ImageError(
                    "Found a mask in 'others' that covers the person who is moved too.\n"
                    f"Expected one of the other people alone.\n{ADVICE}"
                )
        return given
    height, width = images.shape[-2:]
    found = []
    if isinstance(others, PosedBody):
        bodies = [in_image_of(one, images, "other body").view() for one in others.everyone()]
        frames = {len(people), *map(len, bodies)}
        if not frames <= {1, len(images)}:
            raise ParamsError(
                f"Found bodies of {sorted(frames)} frames, 'others' among them, for {len(images)} "
                f"images.\nExpected one frame, or as many.\n{ADVICE}"
            )
        for number in range(max(frames)):
            moved = people.at(number % len(people))
            found.append(bodies_beside([one.at(number % len(one)) for one in bodies], moved))
    else:
        detections, masks = read_keypoints(others), person_masks(mask, images)
        check_frame_counts(
            {"images": len(images), "keypoints": len(detections)},
            "Connect the keypoints of these images to 'others'.",
        )
        for number in range(len(images)):
            check_interrupt()
            moved = people.at(number % len(people))
            everyone = detections.observations(number, image_size=(height, width)).usable()
            own = mask_of(masks, number)
            found.append(find_others(beside(everyone, moved), moved, BodyModel.bundled(), own))
    nobody = torch.zeros(1, 1, height, width)
    return torch.cat([nobody if one is None else one for one in found])


def _checked(mask: Tensor, images: Tensor) -> Tensor:
    masks = (mask[None] if mask.ndim == 2 else mask)[:, None].float().clamp(0.0, 1.0).cpu()
    size, wanted = tuple(masks.shape[-2:]), tuple(images.shape[-2:])
    black = size == OPAQUE and not bool(masks.any())
    if size != wanted or len(masks) not in (1, len(images)):
        what = "Load Image's mask of an opaque image" if black else f"{len(masks)} of {size} pixels"
        raise ImageError(
            f"Found in 'others' {what}.\n"
            f"Expected one mask, or {len(images)}, of {wanted} pixels (height, width).\n{ADVICE}"
        )
    return masks
