"""The person of the image that a transfer starts from: body and mask."""

import argparse
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.rescaled_camera import for_image_size
from ..body.view import BodyView
from ..errors import ConfigError, ParamsError
from ..files.images import load_image, load_mask, load_opacity
from ..formats.any_pose import is_mesh
from ..formats.body_family import convert_betas
from ..formats.read import NAMES, read_people
from ..keypoints.observation import FrameObservations
from ..transfer.other_people import beside, bodies_beside, find_others
from ..warp.dressed_person import SourcePhoto
from .estimate import fit_person, open_people
from .options import index
from .person_in_photo import PersonInPhoto, add_detector_option, person_in_photo

logger = logging.getLogger(__name__)


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Describe what is known of the person in the image."""
    parser.add_argument(
        "--source-params",
        type=Path,
        metavar="FILE",
        help="body parameters of the person in the image, as `posexfer estimate` or another tool "
        "writes them (docs/formats.md); other people of the file stay as they are",
    )
    parser.add_argument(
        "--keypoints",
        type=Path,
        metavar="FILE.json",
        help="2D keypoints of the people in the image; the body is fitted to those of one, the "
        "others stay as they are. Beside --source-params they only tell who else is there. With "
        "neither the detector finds the people",
    )
    parser.add_argument(
        "--mask",
        type=Path,
        metavar="FILE",
        help="an image that is white (or opaque) where the person is, of the image's size: clothes "
        "and hair move with the body then, and nothing of the person stays behind (default: how "
        "opaque the image is, if it is not opaque all over; else the detector's)",
    )
    parser.add_argument(
        "--source-person",
        type=index,
        default=0,
        help="which person of the source's file, or of those that the detector finds, the largest "
        "first, from 0 (default: 0)",
    )
    parser.add_argument(
        "--source-format",
        choices=NAMES,
        metavar="NAME",
        help="as --format, of --source-params",
    )
    parser.add_argument(
        "--also",
        type=Path,
        nargs="+",
        action="append",
        default=[],
        metavar="FILE",
        help="another photo of the same person in the same clothes, such as one from behind, then "
        "its keypoints (.json) and mask, where there are any; may be given again. Every place "
        "takes the photo that sees it best",
    )
    add_detector_option(parser)


def open_source(
    options: argparse.Namespace, image: Float[Tensor, "1 3 height width"], body: BodyModel
) -> PersonInPhoto:
    """Read, fit or find the source's body, in the camera of the image, and its mask.

    Raises:
        ParamsError: `--source-params` is a mesh, or of an image of another aspect.
        PersonNotFoundError: nobody is found in the image.
    """
    mask, person = _mask(options), options.source_person
    size = (image.shape[-2], image.shape[-1])
    people = None
    if options.keypoints is not None:
        people = open_people(options.keypoints, size, options.image.name)
    if options.source_params is not None:
        return _read_source(options, size, body, mask, people)
    if people is not None:
        params = fit_person(people.person(person), body, mask).params
        others = find_others(people.without(person), BodyView.of(params, body), body, mask)
        return PersonInPhoto(params=params, mask=mask, others=others)
    return person_in_photo(
        options.image, image, person=person, body=body, detector=options.detector, mask=mask
    )


@dataclass(frozen=True)
class PhotosOnDisk:
    """Photos whose people are known, each read when it is asked for: together they are large."""

    known: list[tuple[Path, BodyView, Path | Tensor | None]]
    """Image, body in it, and its mask."""

    def __iter__(self) -> Iterator[SourcePhoto]:
        return starmap(_photo_on_disk, self.known)


def _photo_on_disk(path: Path, view: BodyView, mask: Path | Tensor | None) -> SourcePhoto:
    mask = load_mask(mask)[None, None] if isinstance(mask, Path) else mask
    return SourcePhoto(load_image(path), view, mask)


def open_also(options: argparse.Namespace, body: BodyModel) -> PhotosOnDisk:
    """Find the other photos of the person, and fit or find their bodies."""
    return PhotosOnDisk([_open_also(options, body, *files) for files in options.also])


def _open_also(
    options: argparse.Namespace, body: BodyModel, path: Path, *more: Path
) -> tuple[Path, BodyView, Path | Tensor | None]:
    image = load_image(path)
    size = (image.shape[-2], image.shape[-1])
    keypoints = [one for one in more if one.suffix.lower() == ".json"]
    masks = [one for one in more if one not in keypoints]
    if len(keypoints) > 1 or len(masks) > 1:
        raise ConfigError(
            f"--also takes a photo, a keypoint file and a mask, found {len(more) + 1} files: "
            f"{', '.join(one.name for one in (path, *more))}. Give --also once for each photo."
        )
    mask = load_mask(masks[0])[None, None] if masks else None
    if keypoints:
        del image  # large ones fill the memory
        people = open_people(keypoints[0], size, path.name)
        fit = fit_person(people.person(0), body, mask)
        found = PersonInPhoto(params=fit.params, mask=mask)
    else:
        found = person_in_photo(
            path, image, person=0, body=body, detector=options.detector, mask=mask
        )
    return path, BodyView.of(found.params, body), masks[0] if masks else found.mask


def _read_source(
    options: argparse.Namespace,
    size: tuple[int, int],
    body: BodyModel,
    mask: Float[Tensor, "1 1 height width"] | None,
    people: FrameObservations | None,
) -> PersonInPhoto:
    """Read the person of a parameter file; who else is there, its bodies or keypoints tell."""
    path: Path = options.source_params
    if is_mesh(path):
        raise ParamsError(
            f"{path.name} is a mesh: it has a pose, but no place in an image. Give it as a "
            "target, and parameters or keypoints for the source."
        )
    file = read_people(path, format=options.source_format, image_size=size, body=body)

    def placed(params: HumanParams, whose: str) -> HumanParams:
        return for_image_size(convert_betas(params, body), size, whose=whose)

    params = placed(file.params(0, options.source_person), "source's body")
    moved = BodyView.of(params, body)
    if people is not None:
        others = find_others(beside(people.usable(), moved), moved, body, mask)
    else:
        bodies = [placed(one, "other's body") for one in file.others(options.source_person)]
        others = bodies_beside([BodyView.of(one, body) for one in bodies], moved)
    return PersonInPhoto(params=params, mask=mask, others=others)


def _mask(options: argparse.Namespace) -> Float[Tensor, "1 1 height width"] | None:
    """Read the person's mask, from the image itself where it is not opaque all over."""
    if options.mask is not None:
        return load_mask(options.mask)[None, None]
    opacity = load_opacity(options.image)
    if opacity is not None:
        logger.warning(
            "%s is not opaque all over; what is opaque is taken for the person.", options.image.name
        )
    return None if opacity is None else opacity[None, None]
