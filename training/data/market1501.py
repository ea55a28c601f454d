"""Market-1501 by the protocol of PATN: 128x64 pixels, identities in the names of the files."""

from pathlib import Path

from .pair_lists import find_list, listed_photos, read_annotations, read_pairs
from .photos import Collection, check_folder, pairs_of_people, picture_files

LIST_SIZE = (128, 64)
"""Height and width, pixels."""
FOLDERS = {"train": ("bounding_box_train",), "test": ("bounding_box_test", "query")}
"""Where the pictures of each split lie."""
JUNK = ("-1", "0000")
"""Identities of detections that show nobody, or distractors."""
PAGE = "the repository of PATN"


def read_market(
    root: Path, split: str, *, bodies: Path | None = None, per_photo: int, seed: int
) -> Collection:
    """Read one split; without a list of pairs, identities are paired.

    Args:
        root: folder that holds `bounding_box_train` and so on, and the lists.
        split: "train" or "test".
        bodies: as in `read_deepfashion`.
        per_photo: as in `pairs_of_people`.
        seed: likewise.

    Raises:
        DataError: the root or the list of keypoints is not there or not as it should be.
    """
    check_folder(root, "Market-1501: bounding_box_train, bounding_box_test and the lists")
    annotation = find_list(root, (f"market-annotation-{split}.csv",), PAGE)
    points, unreadable = read_annotations(annotation, LIST_SIZE)
    files = {
        path.name: path
        for folder in FOLDERS[split]
        for path in picture_files(root / folder)
        if identity(path.name) not in JUNK
    }
    lists = sorted(root.rglob(f"market-pairs-{split}.csv"))
    if lists:
        pairs = read_pairs(lists[0])
        names = list(dict.fromkeys(name for pair in pairs for name in pair))
    else:
        names = list(files)
        people: dict[str, list[str]] = {}
        for name in names:
            people.setdefault(identity(name), []).append(name)
        pairs = pairs_of_people(list(people.values()), per_photo, seed)
    return listed_photos(names, files, points, unreadable, pairs, bodies=bodies)


def identity(name: str) -> str:
    """Return who a picture shows: `0002` of `0002_c1s1_000451_03.jpg`."""
    return name.partition("_")[0]
