"""Reads pickles of arrays without running them: nothing in a file can name code that is called.

SMPL files and what many estimators write are pickles. Opening one the usual way runs whatever it
names. Here the few names that arrays need are answered by inert stand-ins of our own (numpy,
scipy.sparse and chumpy need not even agree with the version that wrote the file); every other
name is refused. Even numpy's own rebuilding is not used, because a forged dtype makes it read
memory that is not there.
"""

import io
import pickle
import re
import struct
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..errors import BodyFileError, PoseXferError
from .pickle_opcodes import check_opcodes

MOST_BYTES = 2**30
"""Largest file read."""
MOST_UNPACKED = 2**28
"""Bytes that any small file may grow to: what is compressed, sparse or repeated in it."""

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


class RefusedName(pickle.UnpicklingError):
    """A pickle names something that is no array."""


def read_pickle(path: Path, *, error: type[PoseXferError] = BodyFileError) -> Any:
    """Read a pickle as dicts, lists, numbers, strings and numpy arrays; sparse ones made dense.

    Args:
        path: the file.
        error: what to raise when it cannot be read.
    """
    return unpickle(read_bytes(path, error=error), path.name, error=error)


def read_bytes(path: Path, *, error: type[PoseXferError] = BodyFileError) -> bytes:
    """Read a whole file, if it is there and not absurdly large."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise error(f"{path} is no plain file; expected one that ends.")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise error(f"{path.name} has {size:,} bytes; at most {MOST_BYTES:,} are read.")
        return path.read_bytes()
    except OSError as failure:
        raise error(f"{path} cannot be read: {failure.strerror}.") from failure


def most_unpacked(packed: int) -> int:
    """Tell how far a file of `packed` bytes may be unpacked: arrays rarely shrink below 1/8."""
    return min(MOST_BYTES, MOST_UNPACKED + 8 * packed)


def short(value: Any) -> str:
    """Name a value in an error; nests that share their parts would take forever to print."""
    return repr(value)[:60] if isinstance(value, (str, bytes, float)) else type(value).__name__


def unpickle(data: bytes, name: str, *, error: type[PoseXferError] = BodyFileError) -> Any:
    """Turn the bytes of a pickle into plain data; `name` is the file named in errors."""
    try:
        check_opcodes(data, len(data))
        return Plain().of(_ArrayUnpickler(io.BytesIO(data), encoding="latin1").load())
    except RefusedName as refusal:
        raise error(refused(name, refusal)) from refusal
    except DAMAGE as failure:
        raise error(f"{name} is damaged or no pickle of arrays: {str(failure)[:200]}") from failure


def refused(name: str, refusal: RefusedName) -> str:
    """Say what a pickle asked for."""
    return (
        f"{name} is a pickle that asks for {refusal}, which is no array, so it was not "
        "opened. Get the file from its source again, or save its arrays as .npz."
    )


class _ArrayUnpickler(pickle.Unpickler):
    """Answers the names that arrays need with stand-ins."""

    def find_class(self, module: str, name: str) -> Any:
        """Find the stand-in for a global; the global itself is never looked up."""
        return stand_in(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """Refuse references to data outside the file, as torch's own files have."""
        raise RefusedName(f"the outside data {short(pid)}")


def stand_in(module: str, name: str) -> Any:
    """Find what stands for a global that a pickle names; refuse those that no array needs."""
    package = module.partition(".")[0]
    if package == "chumpy":
        return type(name, (_ChumpyStandIn,), {})
    if module.startswith("scipy.sparse") and name in _SPARSE_NAMES:
        return type(name, (_SparseStandIn,), {})
    if package == "numpy" and name in _NUMPY_MAKERS:
        return _Maker(_NUMPY_MAKERS[name])
    if package == "torch":
        from .torch_storages import TORCH_MAKERS  # which reads its own pickles with this module

        if name in TORCH_MAKERS:
            return _Maker(TORCH_MAKERS[name])
    if (module, name) in _PLAIN_GLOBALS:
        return _PLAIN_GLOBALS[module, name]
    raise RefusedName(f"{module}.{name}")


class _Maker:
    """Something a pickle may call but not change."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("state for something that has none")


class StandIn:
    """Keeps the state that a pickle gives an object."""

    state: Any = None

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state


class ReadyStandIn(StandIn):
    """Holds an array that was read in full already."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array


class _ChumpyStandIn(StandIn):
    """Stands for any object of chumpy, the library SMPL's first files were written with."""


class _SparseStandIn(StandIn):
    """Stands for a matrix of scipy.sparse."""


class _ArrayStandIn(StandIn):
    """Stands for a numpy array; its state is `(version, shape, dtype, fortran, data)`."""


class DtypeStandIn(StandIn):
    """Stands for a numpy dtype; its state's second entry is the byte order."""

    def __init__(self, code: str) -> None:
        self.code = code

    def real(self) -> np.dtype:
        """Make the dtype, if it is one of plain numbers, strings or objects."""
        return plain_dtype(f"{self.state[1] if self.state else '='}{self.code}")


def plain_dtype(code: str) -> np.dtype:
    """Make a dtype of numbers, strings or objects from its code; `plain_dtype("<f4")`."""
    if not isinstance(code, str) or not re.fullmatch(r"[<>|=]?[?biufcSUO]\d{0,6}", code):
        raise ValueError(f"array elements of kind {short(code)}")
    return np.dtype(code)


def _encode(text: Any, encoding: Any) -> bytes:
    """Undo how protocols before 3 keep bytes."""
    if encoding != "latin1":
        raise ValueError(f"bytes encoded as {short(encoding)}")
    return text.encode("latin1")


def _reconstruct(kind: Any, *_: Any) -> StandIn:
    """Start an object of one of our own kinds, as `copyreg` and numpy ask for it."""
    return kind() if isinstance(kind, type) and issubclass(kind, StandIn) else _ArrayStandIn()


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> _ArrayStandIn:
    """Make an array as protocol 5 keeps it."""
    array = _ArrayStandIn()
    array.state = (1, shape, dtype, order == "F", bytes(data))
    return array


def _scalar(dtype: Any, data: Any = None) -> Any:
    """Make a numpy scalar, which is fit to be a key."""
    return data if dtype.real().hasobject else numbers(data, dtype.real(), ())[()]


_NUMPY_MAKERS: dict[str, Callable[..., Any]] = {
    "_reconstruct": _reconstruct,
    "_frombuffer": _from_buffer,
    "dtype": lambda code, *_: DtypeStandIn(code),
    "ndarray": lambda *_: _ArrayStandIn(),
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


class Plain:
    """Replaces stand-ins by what they stand for; what a file shares stays shared."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}
        self._bytes_left = MOST_UNPACKED

    def of(self, value: Any) -> Any:
        """Make plain data of a value and everything in it."""
        if not isinstance(value, (dict, list, tuple, StandIn)):
            return value
        if id(value) not in self._done:
            self._done[id(value)] = self._made(value)
        return self._done[id(value)]

    def _made(self, value: Any) -> Any:
        match value:
            case dict():
                return {self.of(key): self.of(entry) for key, entry in value.items()}
            case list() | tuple():
                return type(value)(self.of(entry) for entry in value)
            case _ArrayStandIn():
                return self._array(value)
            case ReadyStandIn():
                return value.array
            case _SparseStandIn():
                return self._dense(value)
            case _ChumpyStandIn():
                return self._chumpy(value)
        raise ValueError("a dtype where data should be")

    def _array(self, array: _ArrayStandIn) -> Any:
        """Make the array; one of objects becomes its only object or a list."""
        if array.state is None:
            return np.zeros(0)
        _, shape, dtype, fortran, data = array.state
        if not dtype.real().hasobject:
            return numbers(data, dtype.real(), shape, "F" if fortran else "C")
        entries = [self.of(entry) for entry in data]
        return entries[0] if shape == () else entries

    def _dense(self, sparse: _SparseStandIn) -> np.ndarray:
        """Sum the entries of a sparse matrix into a full one."""
        state = self.of(sparse.state)
        rows, columns = (int(size) for size in state.get("_shape", state.get("shape")))
        values, layout = state["data"], type(sparse).__name__[:3]
        self._bytes_left -= rows * columns * values.itemsize
        if min(rows, columns) < 0 or self._bytes_left < 0:
            raise ValueError(f"a sparse matrix of {rows} x {columns}")
        dense = np.zeros((rows, columns), values.dtype)
        if layout == "coo":
            places = state["coords"] if "coords" in state else (state["row"], state["col"])
        else:
            runs = np.diff(state["indptr"])
            if runs.min(initial=0) < 0 or runs.sum() != len(state["indices"]):
                raise ValueError("a sparse matrix whose columns do not add up")
            outer = np.repeat(np.arange(len(runs)), runs)
            places = (state["indices"], outer) if layout == "csc" else (outer, state["indices"])
        np.add.at(dense, tuple(places), values)
        return dense

    def _chumpy(self, standing: _ChumpyStandIn) -> np.ndarray:
        """Take the array out of a chumpy constant, or the part of one that a selection keeps."""
        state = self.of(standing.state)
        if isinstance(state, dict) and "x" in state:
            return np.asarray(state["x"])
        if isinstance(state, dict) and {"a", "idxs"} <= state.keys():
            chosen = np.asarray(state["a"]).ravel()[np.asarray(state["idxs"])]
            return chosen.reshape(state.get("preferred_shape", chosen.shape))
        keys = (
            ", ".join(short(key).strip("'") for key in state)
            if isinstance(state, dict)
            else "nothing"
        )
        raise ValueError(f"a chumpy.{type(standing).__name__} that is no constant, but {keys}")


def numbers(data: Any, dtype: np.dtype, shape: tuple, order: Literal["C", "F"] = "C") -> np.ndarray:
    """Lay bytes out as an array; there must be exactly as many as the shape asks for."""
    raw = data.encode("latin1") if isinstance(data, str) else bytes(data)
    return np.frombuffer(raw, dtype).reshape(shape, order=order).copy()
