"""Folders of one file a frame."""

import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import PoseXferError


def numbered_files(
    folder: Path, suffixes: Sequence[str], what: str, *, error: type[PoseXferError]
) -> list[Path]:
    """List the files of a folder in the order of the numbers in their names: f9 before f10.

    Args:
        folder: to list.
        suffixes: endings that count, in lower case.
        what: the files are, for the error.
        error: raised when there are none.
    """
    try:
        entries = list(folder.iterdir())
    except OSError as failure:
        raise error(f"The folder {folder} cannot be read: {failure.strerror}.") from failure
    files = [path for path in entries if path.suffix.lower() in suffixes and path.is_file()]
    if not files:
        raise error(f"The folder {folder} has no {what} that end in {', '.join(suffixes)}.")
    return sorted(files, key=_numbers_and_words)


def _numbers_and_words(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
