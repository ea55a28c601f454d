"""Files and folders that appear whole or not at all, whatever happens while they are written."""

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from safetensors import SafetensorError

from ..errors import OutputError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; what is made there takes its place at the end.

    If the block raises, the temporary file or folder is removed and `path` stays as it was. The
    temporary name is random, so several processes may write the same `path`: the last one wins.

    Raises:
        OutputError: `path` cannot be written.
    """
    partial = path.parent / f".{path.name[:40]}.{secrets.token_hex(8)}.partial"
    try:
        yield partial
        if partial.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        raise OutputError(_refusal(path, error)) from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(partial) if partial.is_dir() else partial.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write bytes by way of `replacing`."""
    with replacing(path) as partial:
        partial.write_bytes(content)


def check_target(path: Path, suffixes: Collection[str] = ()) -> None:
    """Refuse a path that no file can be written to, by writing an empty file beside it.

    Args:
        path: of the file; nothing need be there.
        suffixes: one of which it must end in, in any case; any will do if there are none.

    Raises:
        OutputError: the suffix is unknown, the folder is missing or read-only, or the path is a
            folder.
    """
    if suffixes and path.suffix.lower() not in suffixes:
        raise OutputError(f"{path} ends in {path.suffix!r}; expected one of {', '.join(suffixes)}.")
    try:
        if path.is_dir():
            raise IsADirectoryError
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OutputError(_refusal(path, error)) from error


def make_folder(path: Path) -> None:
    """Make a folder that may be there already, and check that it can be written to.

    Raises:
        OutputError: it cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {path} cannot be made: {error.strerror}.") from error
    check_target(path / "file")


def _refusal(path: Path, error: Exception) -> str:
    """Say why a path cannot be written, and what to do."""
    with contextlib.suppress(OSError):  # of a name that is too long, or a closed folder above
        if path.is_dir():
            return f"{path} cannot be written: it is a folder; name a file in it."
        if not path.parent.is_dir():
            return f"{path} cannot be written: there is no folder {path.parent}; make it."
    reason = getattr(error, "strerror", None) or error
    return f"{path} cannot be written: {reason}. Choose a folder that you may write to."
