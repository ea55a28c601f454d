"""DeepFashion In-shop by the protocol of PATN, GFLA, DPTN, PIDM, CFLD and others.

Pictures are 750x1101 (`img_highres`), in their own folders or renamed, and are resized whole. The
lists name them by the renamed form: `fashion/MEN/Denim/id_00000080/01_1_front.jpg` is
`fashionMENDenimid0000008001_1front.jpg`. The lists' own names have a typo, "fasion", which some
copies mend; keypoints are in pixels of 256x176.
"""

from pathlib import Path

from .pair_lists import find_list, listed_photos, read_annotations, read_pairs
from .photos import Collection, check_folder, picture_files

LIST_SIZE = (256, 176)
"""Height and width that the lists' keypoints are of, pixels."""
PROTOCOL = {"train": (48_674, 101_966), "test": (4_038, 8_570)}
"""Pictures and pairs of each split."""
PAGE = "the repository of PATN, GFLA, DPTN or CFLD"


def read_deepfashion(root: Path, split: str, bodies: Path | None = None) -> Collection:
    """Read one split.

    Args:
        root: folder that holds the lists and, at any depth, the pictures.
        split: "train" or "test".
        bodies: folder of body parameters, by the renamed file name without its suffix; and of masks
            (`.png`) likewise. Where a picture has none, its keypoints are fitted.

    Raises:
        DataError: the root or a list is not there, or a list is not as it should be.
    """
    check_folder(root, "DeepFashion In-shop: lists, and img_highres or the renamed pictures")
    lists = {
        kind: find_list(root, _spellings(kind, split), PAGE) for kind in ("pairs", "annotation")
    }
    pairs = read_pairs(lists["pairs"])
    points, unreadable = read_annotations(lists["annotation"], LIST_SIZE)
    files = {renamed(path.relative_to(root)): path for path in picture_files(root)}
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    return listed_photos(
        names, files, points, unreadable, pairs, bodies=bodies, notes=_differences(split, pairs)
    )


def renamed(path: Path) -> str:
    """Name a picture as the lists do.

    The underscore of the id's folder goes, and all of the file's but the first; folders above
    keep theirs. A picture that is in no folder of an id has its name already.
    """
    parts = path.parts
    if len(parts) < 4 or not parts[-2].startswith("id_"):
        return path.name
    first, _, rest = parts[-1].partition("_")
    file = f"{first}_{rest.replace('_', '')}"
    return f"fashion{parts[-4]}{parts[-3]}{parts[-2].replace('_', '')}{file}"


def _spellings(kind: str, split: str) -> tuple[str, ...]:
    return tuple(f"{word}-resize-{kind}-{split}.csv" for word in ("fasion", "fashion"))


def _differences(split: str, pairs: list[tuple[str, str]]) -> list[str]:
    """Say where the counts are not the protocol's, so that scores do not compare."""
    expected = PROTOCOL[split][1]
    if len(pairs) == expected:
        return [f"DeepFashion, {split}: {expected:,} pairs, as in the protocol."]
    return [
        f"DeepFashion, {split}: {len(pairs):,} pairs, and the protocol has {expected:,}: scores do "
        "not compare with published ones."
    ]
