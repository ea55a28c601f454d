"""Archives of plain arrays (.npz): read without executing anything, written whole or not at all."""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ParamsError
from .atomic import replacing
from .containers import describe, read_container


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """Read every array of a `.npz`; object arrays (pickles) are refused.

    Raises:
        ParamsError: the file is missing, damaged or something else.
    """
    return plain_arrays(read_container(path), path.name)


def plain_arrays(content: Any, name: str) -> dict[str, np.ndarray]:
    """Check that a file holds named arrays and nothing else; `name` is the file's, for errors."""
    if not isinstance(content, dict):
        raise ParamsError(
            f"{name} is not a body parameter file: expected named arrays (.npz), found "
            f"{describe(content)[:200]}."
        )
    if other := [str(key) for key, array in content.items() if not isinstance(array, np.ndarray)]:
        raise ParamsError(
            f"{name} is damaged: {', '.join(other)[:200]} should be numbers. Estimate the pose "
            "again."
        )
    return content


def write_archive(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a `.npz`: a reader never sees half a file.

    Raises:
        OutputError: the folder does not exist or cannot be written.
    """
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
