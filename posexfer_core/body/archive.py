"""Archives of plain arrays (.npz): read without executing anything, written whole or not at all."""

import contextlib
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ..errors import OutputError, ParamsError


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """Read every array of a `.npz`; object arrays (pickles) are refused.

    Raises:
        ParamsError: the file is missing, damaged or something else.
    """
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "not there"
        raise ParamsError(f"{path} is {kind}; expected a body parameter file (.npz).")
    try:
        with zipfile.ZipFile(path):  # np.load would take bare arrays and pickles too
            pass
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except PermissionError as error:
        raise ParamsError(f"{path} may not be read; change its permissions.") from error
    except (
        ValueError,
        OSError,
        EOFError,
        KeyError,
        NotImplementedError,
        MemoryError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ParamsError(_unreadable(path, error)) from error


def _unreadable(path: Path, error: BaseException) -> str:
    """Say what is wrong with a file that could not be read to its end."""
    with path.open("rb") as file:
        is_archive = file.read(2) == b"PK"
    if is_archive:
        return (
            f"{path.name} is damaged, or holds objects that would have to be executed to be read "
            f"({type(error).__name__}). Copy it again, or estimate the pose again."
        )
    return (
        f"{path.name} is not a body parameter file: expected a .npz archive. Was a picture or "
        "another file picked instead?"
    )


def write_archive(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a `.npz` beside its place, then rename: a reader never sees half a file.

    Raises:
        OutputError: the folder does not exist or cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        if path.is_dir() or not path.parent.is_dir():
            found = "is a folder" if path.is_dir() else "lies in a folder that does not exist"
            raise OutputError(f"{path} {found}; name a .npz file in an existing folder.")
        with partial.open("wb") as file:
            np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}. Choose a folder you may write "
            "to, with space left."
        ) from error
