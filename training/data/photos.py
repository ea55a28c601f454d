"""Photos of people to train on, and which of them are pairs, whatever they come from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from posexfer_core.errors import PoseXferError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
"""Endings of photos, in lower case."""


class DataError(PoseXferError):
    """A data set is not where it should be, or not as its protocol has it."""


class LeftOut(NamedTuple):
    """What cannot be used, and why."""

    name: str
    """Of the photo, or of both photos of a pair."""
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Photo:
    """One picture of one person, and what is known of the person."""

    name: str
    """Unique in its collection."""
    path: Path
    params: Path | None = None
    """File of body parameters, of any kind that is read."""
    frame: int | None = None
    """Of the files of parameters and keypoints, where they are of many frames; None: by the
    picture's name."""
    keypoints: Path | None = None
    """File of keypoints, of any kind that is read."""
    points: Float[ndarray, "18 3"] | None = None
    """OpenPose's 18 keypoints: x and y as shares of the picture, and 1 or 0 (missing)."""
    mask: Path | None = None
    """Picture that is white where the person is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Collection:
    """The photos of one source, and its pairs."""

    photos: dict[str, Photo]
    """By name."""
    pairs: Sequence[tuple[str, str]]
    """Names of source and target; of one photo twice where it is to be its own target."""
    left_out: list[LeftOut] = field(default_factory=list)
    """What the lists name and is not there."""
    notes: list[str] = field(default_factory=list)
    """What the user should know, such as other counts than the protocol's."""
    whole: bool = False
    """Whether pictures are resized whole, as the field's data sets are, instead of being cut around
    the person."""


def picture_files(folder: Path) -> Iterator[Path]:
    """Find the pictures below a folder, in the order of their paths; hidden ones are none."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
            yield path


def beside(folder: Path | None, stem: str, suffixes: tuple[str, ...]) -> Path | None:
    """Find a file by its name without suffix."""
    if folder is None:
        return None
    return next(
        (folder / f"{stem}{end}" for end in suffixes if (folder / f"{stem}{end}").is_file()), None
    )


def check_folder(root: Path, holds: str) -> None:
    """Refuse a root that is no folder.

    Raises:
        DataError: it is none.
    """
    if not root.is_dir():
        raise DataError(
            f"{root} is no folder.\n"
            f"Expected {holds}.\n"
            "Name the folder by `root` of its [[source]]; relative paths start at the working "
            "folder."
        )


def pairs_of_people(
    people: Sequence[Sequence[str]], per_photo: int, seed: int
) -> list[tuple[str, str]]:
    """Pair every photo, as the target, with some others of the same person.

    Args:
        people: names of the photos of each person.
        per_photo: sources of a target, at most.
        seed: decides which, where there are more.
    """
    rng, pairs = np.random.default_rng([seed, 1]), []
    for names in people:
        for number, target in enumerate(names):
            others = [*names[:number], *names[number + 1 :]]
            if len(others) > per_photo:
                chosen = np.sort(rng.permutation(len(others))[:per_photo])
                others = [others[index] for index in chosen]
            pairs += [(source, target) for source in others]
    return pairs
