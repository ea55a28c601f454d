"""The bodies of a collection's photos, found once and kept in files of a few dozen each."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tqdm import tqdm

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.files.atomic import replacing
from posexfer_core.files.images import save_image

from ..processes import Part, in_order
from .photo_bodies import BodyRules, CountedNotes, PhotoBody, find_bodies
from .photos import Collection, DataError, LeftOut, Photo

CHUNK = 64
"""Photos in a file."""
TENSORS = ("pose", "betas", "transl", "intrinsics", "image_size", "fit_error", "overlap")


@dataclass(frozen=True, kw_only=True, eq=False)
class Bodies:
    """What was found in all photos of a collection."""

    params: dict[str, HumanParams]
    """By the name of the photo."""
    masks: dict[str, Path]
    """Files of masks, where there are any."""
    left_out: list[LeftOut]
    origins: dict[str, int]
    """How many bodies are from files, keypoints, the detector."""
    fit_errors: list[float]
    """Shares of the person's extent."""
    overlaps: list[float]
    notes: dict[str, int]
    """Warnings of the readers, and how often each was given."""


def make_body_files(
    collection: Collection, folder: Path, rules: BodyRules, *, workers: int, part: Part
) -> None:
    """Find the bodies that are not there yet; a file is written whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    work = [
        (folder / f"bodies-{number:06d}.safetensors", photos, rules)
        for number, photos in enumerate(_chunks(collection))
        if part.has(number)
    ]
    missing = [one for one in work if not _is_made(*one)]
    count = sum(len(photos) for _, photos, _ in missing)
    with tqdm(total=count, desc="bodies", unit="photo", disable=not count) as bar:
        for done in in_order(_make, missing, workers=min(workers, len(missing))):
            bar.update(done)


def read_body_files(collection: Collection, folder: Path, rules: BodyRules) -> Bodies:
    """Read the bodies of all photos.

    Raises:
        DataError: some are not there yet.
    """
    found = Bodies(
        params={},
        masks={},
        left_out=[],
        origins={},
        fit_errors=[],
        overlaps=[],
        notes={},
    )
    for number, photos in enumerate(_chunks(collection)):
        path = folder / f"bodies-{number:06d}.safetensors"
        if not _is_made(path, photos, rules):
            raise DataError(
                f"The bodies of {len(photos)} photos or more are not found yet: {path.name}.\n"
                "Expected those of all photos before pairs are made of them.\n"
                "Run the other parts (--part), then this command once more."
            )
        _read(path, photos, found)
    return found


def _chunks(collection: Collection) -> Iterator[list[Photo]]:
    photos = list(collection.photos.values())
    for first in range(0, len(photos), CHUNK):
        yield photos[first : first + CHUNK]


def _digest(photos: Sequence[Photo], rules: BodyRules) -> str:
    """Tell apart other photos, other files beside them and other rules."""
    told: list[Any] = [asdict(rules)]
    for photo in photos:
        points = None if photo.points is None else photo.points.tolist()
        told.append([photo.name, photo.path, photo.params, photo.frame, photo.keypoints, points])
        told.append([photo.mask, *(one.stat().st_mtime_ns for one in _files(photo))])
    return sha256(json.dumps(told, default=str).encode()).hexdigest()


def _files(photo: Photo) -> list[Path]:
    files = (photo.path, photo.params, photo.keypoints, photo.mask)
    return [path for path in files if path is not None and path.exists()]


def _is_made(path: Path, photos: Sequence[Photo], rules: BodyRules) -> bool:
    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("digest") == _digest(photos, rules)
    except (SafetensorError, OSError):
        return False


@torch.no_grad()
def _make(work: tuple[Path, list[Photo], BodyRules]) -> int:
    """Find the bodies of one file's photos and return how many photos there were."""
    path, photos, rules = work
    with CountedNotes() as notes:
        found = find_bodies(photos, rules, BodyModel.bundled())
    bodies = {
        photo.name: one
        for photo, one in zip(photos, found, strict=True)
        if isinstance(one, PhotoBody)
    }
    masks: dict[str, str] = {}
    for row, (photo, one) in enumerate(zip(photos, found, strict=True)):
        if isinstance(one, PhotoBody) and one.mask is not None and photo.mask is None:
            mask = path.with_name(f"{path.stem.replace('bodies', 'mask')}-{row:02d}.png")
            save_image(one.mask.expand(1, 3, -1, -1) * 2.0 - 1.0, mask)
            masks[photo.name] = mask.name
    header = {
        "names": list(bodies),
        "origins": [one.origin for one in bodies.values()],
        "left_out": [list(one) for one in found if isinstance(one, LeftOut)],
        "masks": masks,
        "notes": notes.counts,
    }
    with replacing(path) as partial:
        metadata = {"digest": _digest(photos, rules), "header": json.dumps(header)}
        save_file(_tensors(list(bodies.values())), partial, metadata=metadata)
    return len(photos)


def _tensors(bodies: list[PhotoBody]) -> dict[str, torch.Tensor]:
    rows = [
        {
            "pose": one.params.pose[0, 0].float(),
            "betas": one.params.betas[0, 0].float(),
            "transl": one.params.transl[0, 0].float(),
            "intrinsics": one.params.intrinsics[0].float(),
            "image_size": torch.tensor(one.params.image_size),
            "fit_error": torch.tensor(one.fit_error),
            "overlap": torch.tensor(one.overlap),
        }
        for one in bodies
    ]
    return {
        name: torch.stack([row[name] for row in rows]) if rows else torch.zeros(0)
        for name in TENSORS
    }


def _read(path: Path, photos: Sequence[Photo], found: Bodies) -> None:
    """Add what one file holds."""
    with safe_open(path, framework="pt") as file:
        header = json.loads((file.metadata() or {})["header"])
        stored = {name: file.get_tensor(name) for name in TENSORS}
    for row, name in enumerate(header["names"]):
        height, width = stored["image_size"][row].tolist()
        found.params[name] = HumanParams.single(
            pose=stored["pose"][row],
            betas=stored["betas"][row],
            transl=stored["transl"][row],
            intrinsics=stored["intrinsics"][row],
            image_size=(height, width),
        )
        origin = header["origins"][row]
        found.origins[origin] = found.origins.get(origin, 0) + 1
    own = {photo.name: photo.mask for photo in photos if photo.mask is not None}
    masks = {name: path.with_name(file) for name, file in header["masks"].items()}
    found.masks.update({n: file for n, file in (own | masks).items() if n in found.params})
    found.left_out.extend(LeftOut(*one) for one in header["left_out"])
    for name, values in (("fit_error", found.fit_errors), ("overlap", found.overlaps)):
        values.extend(value for value in stored[name].tolist() if value == value)
    for words, count in header["notes"].items():
        found.notes[words] = found.notes.get(words, 0) + count
