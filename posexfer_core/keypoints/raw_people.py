"""What a keypoint reader returns: people as a file has them, in known layouts."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import KeypointsError, UnknownKeypointsError
from .layouts import LAYOUTS
from .masks import Mask
from .missing import number_array

_OF = (
    "(?:canvas|image|img|im|video|frame|picture|photo|screen|viewport|original|orig|ori|source"
    "|input|output|render(?:ed)?|preview|model)"
)
HEIGHT = re.compile(f"(?P<of>{_OF}?)(?:height|h|rows|ny)(?:px|pixels)?")
"""A name of the height; that of the width differs in its last word."""
WIDTHS = {"height": "width", "h": "w", "rows": "cols", "ny": "nx"}
SIZE_PAIR = re.compile(f"{_OF}?(?:size|sz|shape|resolution|res|dimensions?|dims?|hw|wh)")
"""Of both sides, in one list or as a text."""
SQUARE = re.compile(f"{_OF}(?:size|sz|dim)")
"""Of those the ones that have one number for a square."""
WIDTH_FIRST = re.compile(".*(?:resolution|res|dimensions?|dims?|wh)")
"""Of those the ones that begin with the width."""
SIZE_TEXT = re.compile(r"\s*(\d+)\s*[xX\u00d7*,]\s*(\d+)\s*")
"""Width and height as a text."""
SIZE_HOLDER = re.compile(f"(?:{_OF}?(?:info|meta|metadata|size|dimensions?|resolution)|{_OF})")
"""Of objects that hold the size."""
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
"""Ends of the file names of images."""
CHANNELS = (1, 3, 4)
LEAST_SIDE_PX = 16
"""Of an image; smaller pairs count something else."""

UNREAD_LAYOUTS = {
    14: "LSP",
    15: "OpenPose's MPI",
    16: "MPII",
    21: "a hand",
    68: "a face",
    70: "a face",
}
"""Number of keypoints → what has so many and is not read."""


class RawPerson(NamedTuple):
    """One person in the coordinates of the file."""

    points: Float[ndarray, "points columns"]
    """x, y and, where the file has it, confidence; no points where only `world` is known."""
    names: tuple[str, ...]
    """Of each point; "" for points that are not used."""
    image_size: tuple[int, int] | None = None
    """`(height, width)`, if the file has it."""
    shares: bool = False
    """Coordinates are known to be shares of the image, even those beyond its edges."""
    world: Float[ndarray, "33 4"] | None = None
    """MediaPipe's world landmarks: x, y, z in metres, and confidence."""
    mask: Mask | None = None
    """Where the person is, in an image of `image_size`; a detector's, no file has it."""


class RawFrames(NamedTuple):
    """The frames of a file of one format."""

    frames: Sequence[Any]
    """As they are written."""
    people: Callable[[Any], list[RawPerson]]
    """Reads one of them; raises `KeypointsError`."""
    pictures: Sequence[str] = ()
    """File name or id of each frame's image; behind them those of images without people."""


def filled(value: Any) -> bool:
    """Tell a part that was found from None and empty lists."""
    return isinstance(value, list | tuple | ndarray) and len(value) > 0


def part(entry: Mapping[str, Any], key: str) -> Float[ndarray, "points columns"] | None:
    """Read the keypoints of one part of a person; None if it was not found."""
    return triples(entry[key], key) if filled(entry.get(key)) else None


def triples(value: Any, what: str) -> Float[ndarray, "points columns"]:
    """Turn a flat list `x, y, c, x, y, c, ...`, or a list of such rows, into an array."""
    try:
        array = number_array(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise KeypointsError(f"{what} is not a list of numbers: {error}.") from error
    if array.ndim == 1 and array.size % 3 == 0:
        return array.reshape(-1, 3)
    if array.ndim == 2 and array.shape[1] in (2, 3):
        return array
    raise KeypointsError(
        f"{what} has shape {array.shape}, expected x, y and confidence for each point in turn."
    )


def raw_person(
    points: Float[ndarray, "*points columns"], image_size: tuple[int, int] | None = None
) -> RawPerson:
    """Name keypoints by how many there are."""
    names = LAYOUTS.get(points.shape[0]) if points.ndim == 2 else None
    if names is None or points.shape[1] not in (2, 3):
        count = points.shape[0] if points.ndim else 1
        other = UNREAD_LAYOUTS.get(count, "no layout that is known")
        raise UnknownKeypointsError(
            f"A person has keypoints of shape {points.shape}, as many points as {other}.",
            "Expected x, y and confidence of the points of COCO (17, 23 with feet, 133 in all), "
            "OpenPose (18 or 25) or Halpe (26 or 136).",
            "Choose one of them where the keypoints are made.",
        )
    return RawPerson(points, names, image_size)


def joined(person: RawPerson, parts: dict[tuple[str, ...], ndarray | None]) -> RawPerson:
    """Append the keypoints of feet and hands, where they were found and as many as named.

    Args:
        person: with the keypoints of the body.
        parts: names of the points of a part → the points.
    """
    for names, points in parts.items():
        if points is not None and points.shape == (len(names), person.points.shape[1]):
            person = person._replace(
                points=np.concatenate([person.points, points]), names=person.names + names
            )
    return person


_SIGNS = str.maketrans("", "", "_- ")


def plain_key(key: Any) -> str:
    """Write a key without case, underscores, hyphens and spaces."""
    return str(key).lower().translate(_SIGNS)


def names_image(text: str) -> bool:
    """Tell file names of images by their ends."""
    return text.lower().endswith(IMAGE_SUFFIXES)


def written_size(entry: Any) -> tuple[int, int] | None:
    """Return the `(height, width)` that an object has under any of their usual names.

    The bare names beside an x are those of a box.
    """
    if not isinstance(entry, Mapping):
        return None
    keys = {plain_key(key): value for key, value in entry.items()}
    boxed = not {"x", "left"}.isdisjoint(keys)
    for key, height in keys.items():
        if (found := HEIGHT.fullmatch(key)) and not (boxed and not found["of"]):
            tall = key[len(found["of"]) :].removesuffix("pixels").removesuffix("px")
            width = found["of"] + WIDTHS[tall] + key[len(found["of"]) + len(tall) :]
            if size := image_size(height, keys.get(width)):
                return size
    for key, value in keys.items():
        if SQUARE.fullmatch(key) and isinstance(value, int | float):
            value = [value, value]
        if SIZE_PAIR.fullmatch(key) and (size := _size_of_pair(value)):
            first = WIDTH_FIRST.fullmatch(key) or isinstance(value, str)
            return (size[1], size[0]) if first else size
    inner = (written_size(value) for key, value in keys.items() if SIZE_HOLDER.fullmatch(key))
    return next((size for size in inner if size), None)


def _size_of_pair(value: Any) -> tuple[int, int] | None:
    """Read two sides of an image in their order, with a few channels behind or in front."""
    if isinstance(value, str) and (text := SIZE_TEXT.fullmatch(value)):
        value = [text[1], text[2]]
    if not isinstance(value, list | tuple) or len(value) not in (2, 3):
        return None
    if len(value) == 3:
        if value[2] not in CHANNELS and value[0] not in CHANNELS:
            return None
        value = value[:2] if value[2] in CHANNELS else value[1:]
    size = image_size(*value)
    return size if size and min(size) >= LEAST_SIDE_PX else None


def image_size(height: Any, width: Any) -> tuple[int, int] | None:
    """Return an image size if both numbers, or texts of digits, may be one."""
    sides = [int(n) if isinstance(n, str) and n.isdecimal() else n for n in (height, width)]
    if all(isinstance(n, int | float) and 1 <= n < 1e6 for n in sides):
        return int(sides[0]), int(sides[1])
    return None
