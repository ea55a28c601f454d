"""What the names in pickles of arrays stand for, so that nothing is executed; bytes of files.

SMPL files and many estimators' results are pickles, and unpickling calls whatever they name. Here
the few names that arrays need resolve to inert stand-ins (independent of the versions of numpy,
scipy.sparse and chumpy that wrote the file); every other name is refused. numpy's own rebuilding
is not used: a forged dtype makes it read memory out of bounds.
"""

import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import ParamsError, PoseXferError
from .stand_ins import (
    MOST_UNPACKED,
    ArrayStandIn,
    ChumpyStandIn,
    DtypeStandIn,
    RefusedName,
    SparseStandIn,
    StandIn,
    numbers,
    short,
)
from .torch_storages import TORCH_MAKERS

MOST_BYTES = 2**30
"""Largest file read."""
DAMAGE = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What reading damaged or forged bytes can raise."""


def read_bytes(
    path: Path,
    *,
    error: type[PoseXferError] = ParamsError,
    expected: str = "a file of body parameters",
    most: int | None = None,
) -> bytes:
    """Read a whole file, if it is there, a plain file, and not too large.

    Args:
        path: the file.
        error: what to raise when it cannot be read.
        expected: the kind of file, for errors.
        most: largest size, bytes; `MOST_BYTES` where left out.
    """
    try:
        if not path.is_file():
            other = "no plain file" if path.exists() else "not there"
            raise error(
                f"{path} is {'a folder' if path.is_dir() else other}.\n"
                f"Expected {expected}.\n"
                "Check the path."
            )
        size, most = path.stat().st_size, MOST_BYTES if most is None else most
        if size > most:
            raise error(
                f"{path.name} has {size:,} bytes.\n"
                f"Expected {expected} of at most {most:,}.\n"
                "Reduce it."
            )
        return path.read_bytes()
    except OSError as failure:  # its name is too long, or a folder of it is closed
        raise error(
            f"{path} cannot be read: {failure.strerror}.\n"
            f"Expected {expected}.\n"
            "Check the path and its permissions."
        ) from failure


def most_unpacked(packed: int) -> int:
    """Give the most bytes that `packed` bytes may unpack to: arrays rarely shrink below 1/8."""
    return min(MOST_BYTES, MOST_UNPACKED + 8 * packed)


def stand_in(module: str, name: str) -> Any:
    """Find the stand-in for a global; refuse those that arrays do not need."""
    package = module.partition(".")[0]
    if package == "chumpy":
        return type(name, (ChumpyStandIn,), {})
    if module.startswith("scipy.sparse") and name in _SPARSE_NAMES:
        return type(name, (SparseStandIn,), {})
    if package == "numpy" and name in _NUMPY_MAKERS:
        return _Maker(_NUMPY_MAKERS[name])
    if package == "torch" and name in TORCH_MAKERS:
        return _Maker(TORCH_MAKERS[name])
    if (module, name) in _PLAIN_GLOBALS:
        return _PLAIN_GLOBALS[module, name]
    raise RefusedName(f"{module}.{name}")


class _Maker:
    """A callable whose state a pickle cannot set."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("state for something that has none")


def _encode(text: Any, encoding: Any) -> bytes:
    """Undo how protocols before 3 keep bytes."""
    if encoding != "latin1":
        raise ValueError(f"bytes encoded as {short(encoding)}")
    return text.encode("latin1")


def _reconstruct(kind: Any, *_: Any) -> StandIn:
    """Start an object of one of our own kinds, as `copyreg` and numpy ask for it."""
    return kind() if isinstance(kind, type) and issubclass(kind, StandIn) else ArrayStandIn()


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> ArrayStandIn:
    """Make an array as protocol 5 keeps it."""
    array = ArrayStandIn()
    array.state = (1, shape, dtype, order == "F", bytes(data))
    return array


def _scalar(dtype: Any, data: Any = None) -> Any:
    """Make a numpy scalar, which is fit to be a key."""
    return data if dtype.real().hasobject else numbers(data, dtype.real(), ())[()]


_NUMPY_MAKERS: dict[str, Callable[..., Any]] = {
    "_reconstruct": _reconstruct,
    "_frombuffer": _from_buffer,
    "dtype": lambda code, *_: DtypeStandIn(code),
    "ndarray": lambda *_: ArrayStandIn(),
    "scalar": _scalar,
}
_SPARSE_NAMES = {
    f"{layout}_{kind}" for layout in ("csc", "csr", "coo") for kind in ("matrix", "array")
}
_PLAIN_GLOBALS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _Maker(_encode),
    ("copyreg", "_reconstructor"): _Maker(_reconstruct),
    ("copy_reg", "_reconstructor"): _Maker(_reconstruct),
    ("builtins", "object"): _Maker(lambda: None),
    ("__builtin__", "object"): _Maker(lambda: None),
    ("__builtin__", "bytes"): _Maker(lambda: b""),
    ("collections", "defaultdict"): _Maker(lambda *_: {}),
    ("collections", "Counter"): _Maker(lambda *_: {}),
    **{
        (module, kind.__name__): kind
        for module in ("builtins", "__builtin__")
        for kind in (set, frozenset, complex)
    },
    **{
        (module, kind.__name__): _Maker(lambda *_, kind=kind: kind())
        for module in ("builtins", "__builtin__")
        for kind in (dict, list, int, float, str)
    },
    **{
        (module, f"{kind}Path"): _Maker(lambda *parts: "/".join(map(str, parts)))
        for module in ("pathlib", "pathlib._local")
        for kind in ("", "Posix", "Windows", "PurePosix", "PureWindows")
    },
}
"""The last three: what a `defaultdict` would fill gaps with, and paths, which become text."""
