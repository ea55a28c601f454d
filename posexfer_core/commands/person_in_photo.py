"""The person of a photo that comes alone: by the detector, else roughly by the network."""

import argparse
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.view import BodyView
from ..errors import DetectorMissingError, ImageError, PersonNotFoundError
from ..fit.fit import fit_people
from ..keypoints.detect_people import DetectedPerson, detect_people
from ..keypoints.detections import Detections
from ..keypoints.detector import ENVIRONMENT, Landmarker, open_landmarker
from ..keypoints.masks import check_mask
from ..keypoints.raw_people import RawPerson
from ..pose_networks.find_body import FEWEST_WINDOWS, MOST_SPREAD, FoundBody, find_body
from .options import print_line

logger = logging.getLogger(__name__)

PHOTO_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
ROUGH = (
    "rough estimate from the image alone, by a small network trained on synthetic people: check "
    "the overlay; the detector or keypoints give a better one"
)

LEAST_AGREEMENT = 0.5
"""Intersection of body and mask over their union, from which nothing is said. Of 221 photos 14 have
less: nine with wrong landmarks or two people in one mask, one of somebody hidden by others, one
face from near, one with its mask cut off, two in gowns."""
COMPARED_PX = 384
"""Longest side of the image in which they are compared."""
POOR_FIT = (
    "In %s the fitted body and the person's mask share only %.0f %% of their pixels. Expected 60 "
    "or more, less in a wide gown alone: the landmarks are wrong, or the mask holds more than one "
    "person. Look at the overlay of posexfer estimate, and cut the photo around the person, or "
    "give keypoints or a mask of your own."
)


@dataclass(frozen=True, kw_only=True)
class PersonInPhoto:
    """One person of a photo."""

    params: HumanParams
    """One frame, in the photo's camera."""
    mask: Float[Tensor, "1 1 height width"] | None
    """Share of the person in each pixel, where it is known."""
    others: Float[Tensor, "1 1 height width"] | None = None
    """Share of other people, where there are any."""


def add_detector_option(parser: argparse.ArgumentParser) -> None:
    """Add `--detector`."""
    parser.add_argument(
        "--detector",
        type=Path,
        metavar="FILE.task",
        help="model of MediaPipe's pose landmarker, for images without keypoints (default: what "
        f"${ENVIRONMENT} names, or a pose_landmarker_*.task in ~/.posexfer/models; needs pip "
        "install 'posexfer[detect]'; without it a small network regresses the body, roughly)",
    )


@contextmanager
def detector_if_any(model: Path | None) -> Iterator[Landmarker | None]:
    """Open the detector; None, with a warning, where it is not installed.

    Raises:
        DetectorMissingError: it is not installed, and its model was named.
    """
    try:
        landmarker = open_landmarker(model)
    except DetectorMissingError as missing:
        if model is not None:
            raise
        logger.warning("%s Without it a small network regresses the body, roughly.", missing)
        yield None
        return
    with landmarker:
        yield landmarker


def person_in_photo(
    photo: Path,
    image: Float[Tensor, "1 3 height width"],
    *,
    person: int,
    body: BodyModel,
    detector: Path | None,
    mask: Float[Tensor, "1 1 mask_height mask_width"] | None = None,
) -> PersonInPhoto:
    """Find one person of a photo, its body and its mask.

    Args:
        photo: where the image is from, for messages.
        image: RGB in [-1, 1].
        person: number of the person, the largest first.
        body: the model to fit.
        detector: model file of the detector, if it is named.
        mask: share of the person in each pixel, if it is known.

    Raises:
        PersonNotFoundError: nobody is found, or nobody for certain.
        KeypointsError: there are fewer people.
        ImageError: the mask is of another size, or empty, or full.
    """
    size = (image.shape[-2], image.shape[-1])
    own_mask = None if mask is None else check_mask(mask[0, 0].numpy(), size)
    with detector_if_any(detector) as landmarker:
        if landmarker is None:
            found = _find_certain(image[0], photo, person, body)
            return PersonInPhoto(params=found.prediction.params, mask=mask)
        people = detect_people(image[0], landmarker)
    announce(people, photo, size)
    detections = Detections(name=photo.name, frames=[people], parse=raw_people)
    observation = detections.observation(person, image_size=size)
    others = _masks_of([*people[:person], *people[person + 1 :]])
    if mask is not None:
        params = fit_people([replace(observation, mask=own_mask)], body=body)[0].params
    else:
        mask = people[person].mask()[None, None]
        try:
            params = fit_people([observation], body=body)[0].params
        except ImageError as error:
            logger.warning("%s The body is fitted without the detector's mask.", error)
            params = fit_people([replace(observation, mask=None)], body=body)[0].params
    shared = agreement_with_mask(params, body, mask)
    if shared < LEAST_AGREEMENT:
        logger.warning(POOR_FIT, photo.name, 100 * shared)
    return PersonInPhoto(params=params, mask=mask, others=others)


def agreement_with_mask(
    params: HumanParams, body: BodyModel, mask: Float[Tensor, "1 1 mask_height mask_width"]
) -> float:
    """Return the intersection of a body's silhouette and a mask over their union."""
    view = BodyView.of(params, body)
    scale = COMPARED_PX / max(view.size)
    size = (max(1, round(view.size[0] * scale)), max(1, round(view.size[1] * scale)))
    seen = view.reframed((0.0, 0.0), scale, size).visibility.mask
    shown = F.interpolate(mask, size, mode="area")[0] > 0.5
    return int((seen & shown).sum()) / max(int((seen | shown).sum()), 1)


def _masks_of(people: list[DetectedPerson]) -> Float[Tensor, "1 1 height width"] | None:
    """Join masks; None for nobody's."""
    joined = None
    for one in people:
        joined = one.mask() if joined is None else joined.maximum(one.mask())
    return None if joined is None else joined[None, None]


def raw_people(people: list[DetectedPerson]) -> list[RawPerson]:
    """Return people as the readers of keypoint files do."""
    return [one.raw() for one in people]


def without_masks(detections: Detections) -> Detections:
    """Return detections without the people's masks."""
    parse = detections.parse
    return replace(
        detections, parse=lambda frame: [one._replace(mask=None) for one in parse(frame)]
    )


def announce(people: list[DetectedPerson], photo: Path, size: tuple[int, int]) -> None:
    """Tell how many people were found.

    Raises:
        PersonNotFoundError: nobody was.
    """
    if not people:
        raise PersonNotFoundError(
            f"The detector finds nobody in {photo.name}, {size[1]}x{size[0]} pixels.",
            "Expected a photo of somebody who is about 60 pixels tall or more, in good light.",
            "Cut the photo around the person, or give keypoints of another detector.",
        )
    found = "1 person" if len(people) == 1 else f"{len(people)} people, numbered by size from 0"
    print_line(f"found in {photo.name}: {found}")


def _find_certain(
    image: Float[Tensor, "3 height width"], photo: Path, person: int, body: BodyModel
) -> FoundBody:
    """Return what the network alone finds if it is worth drawing with.

    Raises:
        PersonNotFoundError: it is not, or another person was asked for.
    """
    advice = (
        "Install the detector (pip install 'posexfer[detect]', docs/estimate.md), or give "
        "keypoints or body parameters."
    )
    if person:
        raise PersonNotFoundError(
            f"Person {person} of {photo.name} was asked for, but the network alone finds one.",
            "Expected number 0.",
            advice,
        )
    found = find_body(image, body=body)
    if not found.reliable:
        raise PersonNotFoundError(
            f"The network alone finds nobody for certain in {photo.name}: {agreement(found)}.",
            f"Expected at most {MOST_SPREAD:.2%}, from {FEWEST_WINDOWS} windows or more: one "
            "person, upright, seen from head to feet.",
            advice,
        )
    return found


def agreement(found: FoundBody) -> str:
    """Say how well the network's readings agree."""
    return (
        f"its readings differ by {found.spread:.2%} of the person's size, and "
        f"{found.windows} of its windows find the same"
    )


def trustworthiness(found: list[FoundBody]) -> str:
    """Say how well the network's readings agree in one image, or in all frames."""
    if len(found) == 1:
        return agreement(found[0]) + ("" if found[0].reliable else "; nobody is found for certain")
    worst = max(one.spread for one in found)
    doubtful = sum(one.spread > MOST_SPREAD for one in found)
    return (
        f"its readings differ by up to {worst:.2%} of the person's size; {doubtful} of "
        f"{len(found)} frames are doubtful"
    )
