"""Pictures of one's own: `person/picture.jpg`, or the frames of a video in a folder.

Beside a picture may lie, under its name: body parameters (`.npz`, `.pkl` and so on), keypoints
(`picture.json`, `picture_keypoints.json`), a mask (`picture_mask.png`). Beside the frames of a
video, under the folder's name, one file of all frames.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posexfer_core.files.folders import numbered_files

from .photos import SUFFIXES, Collection, DataError, Photo, beside, check_folder, pairs_of_people
from .photos import picture_files as _pictures

PARAMS = (".npz", ".pkl", ".p", ".npy", ".pt", "_params.npz", "_params.json")
"""What a parameter file adds to the picture's name."""
KEYPOINTS = ("_keypoints.json", ".json")
"""What a keypoint file adds."""
MASK = "_mask"
"""What a mask adds, before its suffix."""
MASKS = tuple(f"{MASK}{suffix}" for suffix in SUFFIXES)


def read_people(root: Path, *, per_photo: int, seed: int, alone: bool = False) -> Collection:
    """Read a folder of people, a folder each; pictures in the folder itself are one person's.

    Args:
        root: the folder.
        per_photo: as in `pairs_of_people`.
        seed: likewise.
        alone: make every picture its own target, for pictures of different clothes.

    Raises:
        DataError: there are no pictures, or no pairs among them.
    """
    check_folder(root, "a folder of pictures, or of a folder for each person")
    photos: dict[str, Photo] = {}
    people: dict[Path, list[str]] = {}
    for path in _pictures(root):
        if path.stem.endswith(MASK):
            continue
        name = path.relative_to(root).as_posix()
        photos[name] = Photo(
            name=name,
            path=path,
            params=beside(path.parent, path.stem, PARAMS),
            keypoints=beside(path.parent, path.stem, KEYPOINTS),
            mask=beside(path.parent, path.stem, MASKS),
        )
        people.setdefault(path.parent, []).append(name)
    if not photos:
        raise DataError(
            f"{root} holds no pictures that end in {', '.join(SUFFIXES)}.\n"
            "Expected person/picture.jpg, or pictures of one person.\n"
            "Put them there."
        )
    if alone and len(photos) == 1:
        raise DataError(
            f"{root} holds one picture.\n"
            "Expected two or more: each is warped to the pose of another.\n"
            "Add pictures of people, in any clothes."
        )
    if alone:
        return Collection(photos=photos, pairs=_alone(photos))
    pairs = pairs_of_people(list(people.values()), per_photo, seed)
    if not pairs:
        raise DataError(
            f"{root} has {len(photos)} picture(s), and no two of one person in one folder.\n"
            "Expected two or more pictures in a folder, of a person in the same clothes.\n"
            'Add pictures, or train on each alone: pairs = "self".'
        )
    return Collection(photos=photos, pairs=pairs)


def read_videos(
    root: Path, *, per_photo: int, seed: int, gap: int, alone: bool = False
) -> Collection:
    """Read folders of frames; pairs are frames of one video, some frames apart.

    Args:
        root: holds frames, or a folder of frames for each video. `clip.npz`, `clip.json` or
            `clip_keypoints.json` beside the folder `clip` has the bodies or keypoints of its
            frames, in the order of the numbers in their names.
        per_photo: sources of a target, at most.
        seed: decides which.
        gap: frames between source and target, at least.
        alone: make every frame its own target.

    Raises:
        DataError: there are no frames.
    """
    check_folder(root, "a folder of frames, or of a folder of frames for each video")
    clips = [path for path in sorted(root.iterdir()) if path.is_dir() and path.name[0] != "."]
    photos: dict[str, Photo] = {}
    pairs: list[tuple[str, str]] = []
    for number, clip in enumerate(clips or [root]):
        files = [
            path
            for path in numbered_files(clip, SUFFIXES, "frames", error=DataError)
            if not path.stem.endswith(MASK)
        ]
        names = [path.relative_to(root).as_posix() for path in files]
        params = beside(clip.parent, clip.name, PARAMS)
        keypoints = beside(clip.parent, clip.name, KEYPOINTS)
        for frame, (name, path) in enumerate(zip(names, files, strict=True)):
            photos[name] = Photo(
                name=name,
                path=path,
                params=params or beside(clip, path.stem, PARAMS),
                frame=frame if params or keypoints else None,
                keypoints=keypoints or beside(clip, path.stem, KEYPOINTS),
                mask=beside(clip, path.stem, MASKS),
            )
        if not alone:
            pairs += _apart(names, gap, per_photo, np.random.default_rng([seed, number]))
    return Collection(photos=photos, pairs=_alone(photos) if alone else pairs)


def _alone(photos: dict[str, Photo]) -> list[tuple[str, str]]:
    return [(name, name) for name in photos]


def _apart(
    names: Sequence[str], gap: int, per_photo: int, rng: np.random.Generator
) -> list[tuple[str, str]]:
    """Pair every frame, as the target, with frames that are far enough away."""
    pairs = []
    for target in range(len(names)):
        others = [frame for frame in range(len(names)) if abs(frame - target) >= gap]
        for frame in np.sort(rng.permutation(others)[:per_photo]).tolist() if others else ():
            pairs.append((names[frame], names[target]))
    return pairs
