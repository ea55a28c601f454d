"""Pickles of arrays, read without executing anything; joblib's too, compressed or not.

joblib puts a small object in the place of every array, and right after the opcode that fills it
in (BUILD), the array's bytes. Only Python's own unpickler in Python stops there, so that one is
used for all, with the stand-ins of `pickles` for every name.
"""

import bz2
import io
import lzma
import math
import pickle
import struct
import zlib
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..errors import ParamsError
from .pickle_opcodes import MOST_HASHED
from .pickles import DAMAGE, MOST_BYTES, most_unpacked, stand_in
from .stand_ins import (
    MOST_UNPACKED,
    DtypeStandIn,
    Plain,
    ReadyStandIn,
    RefusedName,
    StandIn,
    numbers,
    short,
)

WRAPPER = b"NumpyArrayWrapper"
OLD_WRAPPERS = (b"ZNDArrayWrapper", b"NDArrayWrapper")
COMPRESSED = {
    b"\x1f\x8b": lambda: zlib.decompressobj(wbits=47),
    b"x\x01": lambda: zlib.decompressobj(wbits=47),
    b"x\x5e": lambda: zlib.decompressobj(wbits=47),
    b"x\x9c": lambda: zlib.decompressobj(wbits=47),
    b"x\xda": lambda: zlib.decompressobj(wbits=47),
    b"BZ": bz2.BZ2Decompressor,
    b"\xfd7": lambda: lzma.LZMADecompressor(memlimit=MOST_UNPACKED),
    b"]\x00": lambda: lzma.LZMADecompressor(memlimit=MOST_UNPACKED),
}
"""First two bytes of a compressed file → what unpacks it: gzip, zlib, bzip2, xz, lzma."""


def decompress(data: bytes, name: str) -> bytes:
    """Unpack a compressed file, as joblib writes with `compress=`; others stay as they are."""
    if data[:2] not in COMPRESSED:
        return data
    try:
        unpacker: Any = COMPRESSED[data[:2]]()
        unpacked = unpacker.decompress(data, most_unpacked(len(data)))
    except (zlib.error, lzma.LZMAError, OSError, *DAMAGE) as failure:
        raise ParamsError(f"{name} is damaged: it cannot be unpacked ({failure}).") from failure
    if not unpacker.eof:
        raise ParamsError(
            f"{name} ends too early, or would unpack to more than {most_unpacked(len(data)):,} "
            "bytes. Copy it again."
        )
    return unpacked


def unpickle(data: bytes, name: str) -> Any:
    """Read a pickle as dicts, lists, numbers, strings and numpy arrays; sparse ones made dense.

    Args:
        data: the bytes of the pickle, or of a file of joblib.
        name: the file named in errors.
    """
    if WRAPPER not in data and any(wrapper in data for wrapper in OLD_WRAPPERS):
        raise ParamsError(
            f"{name} was written by joblib before 0.10, which keeps arrays in other files. Load "
            "it with joblib and save its arrays as .npz."
        )
    try:
        return Plain().of(_ArrayUnpickler(data).load())
    except RefusedName as refusal:
        raise ParamsError(
            f"{name} is a pickle that asks for {refusal}, which is no array, so it was not "
            "opened. Get the file from its source again, or save its arrays as .npz."
        ) from refusal
    except DAMAGE as failure:
        raise ParamsError(
            f"{name} is damaged or no pickle of arrays: {str(failure)[:200]}"
        ) from failure


class _WrapperStandIn(ReadyStandIn):
    """Stands for joblib's array; holds it once its bytes have been read."""

    def __init__(self, *_: Any) -> None:
        super().__init__(np.zeros(0))
        self.content: Any = None


_Unpickler: Any = pickle._Unpickler  # pyright: ignore[reportAttributeAccessIssue]


class _ArrayUnpickler(_Unpickler):
    """Unpickler that resolves names to stand-ins, and reads joblib's arrays after their BUILD."""

    dispatch: ClassVar[dict[int, Callable[..., None]]] = {**_Unpickler.dispatch}

    def __init__(self, data: bytes) -> None:
        self.file = io.BytesIO(data)
        self.sizes: dict[int, tuple[int, tuple]] = {}
        super().__init__(self.file, encoding="latin1")

    def find_class(self, module: str, name: str) -> Any:
        """Find the stand-in for a global."""
        if module.startswith("joblib") and name == WRAPPER.decode():
            return _WrapperStandIn
        return stand_in(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """Refuse references to data outside the file."""
        raise RefusedName(f"the outside data {short(pid)}")

    def load_build(self) -> None:
        """Give an object its state; then, for an array, read what follows."""
        state = self.stack.pop()
        filled = self.stack[-1]
        if not isinstance(filled, StandIn):
            raise pickle.UnpicklingError("state for something that has none")
        filled.__setstate__(state)
        if isinstance(filled, _WrapperStandIn):
            self.stack[-1] = self._read_array(state)

    dispatch[pickle.BUILD[0]] = load_build

    def load_tuple(self) -> None:
        """Make a tuple of what lies above the mark."""
        self._push_tuple(self.pop_mark())

    dispatch[pickle.TUPLE[0]] = load_tuple

    def _load_short(self, count: int) -> None:
        """Make a tuple of the last entries."""
        parts = [self.stack.pop() for _ in range(count)]
        self._push_tuple(parts[::-1])

    dispatch[pickle.TUPLE1[0]] = lambda self: self._load_short(1)
    dispatch[pickle.TUPLE2[0]] = lambda self: self._load_short(2)
    dispatch[pickle.TUPLE3[0]] = lambda self: self._load_short(3)

    def _push_tuple(self, parts: list[Any]) -> None:
        """Push a tuple of bounded size: nested tuples that share parts hash in exponential time."""
        size = 1 + sum(self.sizes.get(id(part), (1,))[0] for part in parts)
        if size > MOST_HASHED:
            raise ValueError("a tuple of more entries than are read")
        made = tuple(parts)
        self.sizes[id(made)] = size, made
        self.append(made)

    def load_bytearray(self) -> None:
        """Read a byte array without setting its length aside before the bytes are there."""
        (length,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(min(length, MOST_BYTES))))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray

    def _read_array(self, state: dict[str, Any]) -> Any:
        """Read the bytes of an array, or the pickle of an array of objects."""
        kind = state["dtype"]
        if not isinstance(kind, DtypeStandIn):
            raise ValueError("an array without an element type")
        dtype, shape = kind.real(), state["shape"]
        if dtype.hasobject:
            nested = _ArrayUnpickler(b"")
            nested.file = self.file
            _Unpickler.__init__(nested, self.file, encoding="latin1")
            return nested.load()
        if state.get("numpy_array_alignment_bytes") is not None:
            self.file.read(self.file.read(1)[0])
        raw = self.file.read(math.prod(shape) * dtype.itemsize)
        return ReadyStandIn(numbers(raw, dtype, shape, "F" if state["order"] == "F" else "C"))
