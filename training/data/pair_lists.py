"""The lists of the field's protocols: pairs, OpenPose's 18 keypoints, what pictures they name."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from .photos import Collection, DataError, LeftOut, Photo, beside

MISSING = -1
"""Coordinate of a keypoint that was not found."""
KEYPOINTS = 18
PARAMS = (".npz", ".pkl", ".p", ".json", ".npy", ".pt")
"""Endings of parameter files, in the order in which they are looked for."""
MASKS = (".png",)


def find_list(root: Path, names: tuple[str, ...], page: str) -> Path:
    """Find a list in a folder or in one of its folders, under any of its names.

    Raises:
        DataError: it is not there.
    """
    for name in names:
        found = sorted([*root.glob(name), *root.glob(f"*/{name}")])
        if found:
            return found[0]
    raise DataError(
        f"{root} has no {names[0]}.\n"
        f"Expected the protocol's list under that name or {', '.join(names[1:]) or 'no other'}.\n"
        f"Put it there; {page} has it."
    )


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """Read a list of pairs: columns `from` and `to`.

    Raises:
        DataError: the columns are not there.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        columns = [name.strip() for name in rows.fieldnames or []]
        if not {"from", "to"} <= set(columns):
            raise DataError(
                f"{path} has the columns {', '.join(columns) or 'none'}.\n"
                "Expected from,to in its first line, then a pair of file names a line.\n"
                "Get the list again, as it is published."
            )
        rows.fieldnames = columns
        return [(row["from"].strip(), row["to"].strip()) for row in rows if row["from"]]


def read_annotations(
    path: Path, size: tuple[int, int]
) -> tuple[dict[str, Float[ndarray, "18 3"]], list[str]]:
    """Read keypoints: `name:keypoints_y:keypoints_x`, each a JSON list, -1 where not found.

    Args:
        path: the list; its cells are parted by colons.
        size: height and width, pixels, of the pictures that the coordinates are of.

    Returns:
        By name x, y as shares of the picture and 1 or 0 for missing; and the names of rows that
        cannot be read.

    Raises:
        DataError: the columns are not there.
    """
    with path.open(newline="", encoding="utf-8") as file:
        header = [name.strip() for name in file.readline().split(":")]
        if header != ["name", "keypoints_y", "keypoints_x"]:
            raise DataError(
                f"{path} begins with {':'.join(header)[:80]!r}.\n"
                "Expected name:keypoints_y:keypoints_x in its first line.\n"
                "Get the list again, as it is published."
            )
        rows = [line.strip().split(":") for line in file if line.strip()]
    found, unreadable = {}, []
    for row in rows:
        points = _points(row[1:], size)
        if points is None:
            unreadable.append(row[0].strip())
        else:
            found[row[0].strip()] = points
    return found, unreadable


def listed_photos(
    names: Sequence[str],
    files: Mapping[str, Path],
    points: Mapping[str, Float[ndarray, "18 3"]],
    unreadable: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    *,
    bodies: Path | None,
    notes: Sequence[str] = (),
) -> Collection:
    """Collect the pictures that a protocol lists, which are resized whole.

    Args:
        names: of the pictures.
        files: those that are there, by name.
        points: keypoints by name, as `read_annotations` gives them.
        unreadable: names of rows of keypoints that cannot be read.
        pairs: names of source and target.
        bodies: folder of body parameters and masks, by the names without suffix.
        notes: what the user should know.
    """
    left_out = [LeftOut(name, "its row of keypoints cannot be read") for name in unreadable]
    left_out += [
        LeftOut(name, "the lists name it, and there is no such picture")
        for name in names
        if name not in files
    ]
    photos = {
        name: Photo(
            name=name,
            path=files[name],
            params=beside(bodies, Path(name).stem, PARAMS),
            points=points.get(name),
            mask=beside(bodies, Path(name).stem, MASKS),
        )
        for name in names
        if name in files
    }
    return Collection(photos=photos, pairs=pairs, left_out=left_out, notes=list(notes), whole=True)


def _points(cells: list[str], size: tuple[int, int]) -> Float[ndarray, "18 3"] | None:
    """Read one row; a pixel of the list is a whole number, whose centre is meant."""
    try:
        y, x = (np.asarray(json.loads(cell), dtype=np.float64) for cell in cells)
    except (ValueError, TypeError):  # no JSON, no numbers, or another number of cells
        return None
    if x.shape != (KEYPOINTS,) or y.shape != (KEYPOINTS,):
        return None
    seen = (x != MISSING) & (y != MISSING)
    shares = np.stack([(x + 0.5) / size[1], (y + 0.5) / size[0], seen], -1)
    return np.where(seen[:, None], shares, 0.0)
