"""Tensors inside pickles: what `torch._utils` would rebuild, as plain numpy arrays.

A tensor that is pickled as part of something else (`np.save` of a dict of tensors, joblib) holds
its storage as the bytes of a file in torch's format from before version 1.6: three pickles of
constants, one that names the storage, one of keys, then a count and the numbers.
"""

import io
import math
import pickle
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .pickle_opcodes import check_opcodes
from .stand_ins import MOST_UNPACKED, ReadyStandIn, RefusedName, short

CONSTANT_PICKLES = 3
"""Magic number, version and system, before the pickle that names the storage."""
STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "u2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "UntypedStorage": "u1",
    "BoolStorage": "?",
}
"""Name of each kind of storage → its element type."""


def read_storage(data: bytes) -> np.ndarray:
    """Read the numbers of a storage that was pickled by itself.

    Raises:
        ValueError: the bytes are something else.
    """
    file = io.BytesIO(data)
    for _ in range(CONSTANT_PICKLES):
        _next_pickle(file, len(data))
    described = _next_pickle(file, len(data))
    keys = _next_pickle(file, len(data))
    if not (isinstance(described, tuple) and len(described) >= 5 and described[1] in STORAGES):
        raise ValueError(f"a tensor storage described as {short(described)}")
    if keys != [described[2]]:
        raise ValueError(f"tensor storages {short(keys)} where one was expected")
    (count,) = struct.unpack("<q", file.read(8))
    rest = file.read()
    dtype = np.dtype(STORAGES[described[1]])
    if count != described[4] or count * dtype.itemsize != len(rest):
        raise ValueError(f"a tensor storage of {count} numbers in {len(rest)} bytes")
    values = np.frombuffer(rest, dtype)
    if described[1] == "BFloat16Storage":  # the upper half of a float32
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values


class _StorageUnpickler(pickle.Unpickler):
    """Unpickler that returns the description of a storage instead of the storage."""

    def find_class(self, module: str, name: str) -> str:
        """Resolve a kind of storage to its name."""
        if module in ("torch", "torch.storage") and name in STORAGES:
            return name
        raise RefusedName(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        """Keep `("storage", kind, key, device, count, ...)` as it is."""
        return pid


def _next_pickle(file: io.BytesIO, most: int) -> Any:
    start = file.tell()
    check_opcodes(file, most)
    file.seek(start)
    return _StorageUnpickler(file).load()


def rebuild_tensor(storage: Any, offset: int, shape: tuple, stride: tuple, *_: Any) -> ReadyStandIn:
    """Cut a tensor out of its storage; nothing outside the storage is ever read.

    It is a view that cannot be written to: a tensor may be far larger than its storage, where it
    repeats the same numbers.
    """
    if not isinstance(storage, ReadyStandIn) or storage.array.ndim != 1:
        raise ValueError("a tensor without a storage")
    flat = storage.array
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
    if min((offset, *shape, *stride)) < 0 or math.prod(shape) * flat.itemsize > MOST_UNPACKED:
        raise ValueError("a tensor of negative or too large a shape or stride")
    if 0 in shape:
        return ReadyStandIn(np.zeros(shape, flat.dtype))
    if last >= flat.size:
        raise ValueError(f"a tensor that reaches beyond its {flat.size} numbers")
    strides = [step * flat.itemsize for step in stride]
    return ReadyStandIn(as_strided(flat[offset:], shape, strides, writeable=False))


TORCH_MAKERS: dict[str, Callable[..., Any]] = {
    "_rebuild_tensor_v2": rebuild_tensor,
    "_rebuild_parameter": lambda tensor, *_: tensor,
    "_load_from_bytes": lambda data: ReadyStandIn(read_storage(data)),
    "Size": tuple,
}
"""Stand-ins for torch's own functions."""
