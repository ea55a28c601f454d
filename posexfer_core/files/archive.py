"""Archives of plain arrays (.npz): read without executing anything, written whole or not at all."""

from pathlib import Path

import numpy as np

from ..errors import ParamsError
from .atomic import replacing
from .npz import read_npz


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """Read every array of a `.npz`; object arrays (pickles) are refused.

    Raises:
        ParamsError: the file is missing, damaged or something else.
    """
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "not there"
        raise ParamsError(f"{path} is {kind}; expected a body parameter file (.npz).")
    try:
        with path.open("rb") as file:
            is_archive = file.read(2) == b"PK"
    except OSError as failure:
        raise ParamsError(f"{path} cannot be read: {failure.strerror}.") from failure
    if not is_archive:
        raise ParamsError(
            f"{path.name} is not a body parameter file: expected a .npz archive. Was an image or "
            "another file picked instead?"
        )
    arrays = read_npz(path, error=ParamsError)
    if objects := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise ParamsError(
            f"{path.name} is damaged: {', '.join(objects)[:200]} should be numbers. Estimate the "
            "pose again."
        )
    return arrays


def write_archive(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a `.npz`: a reader never sees half a file.

    Raises:
        OutputError: the folder does not exist or cannot be written.
    """
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
