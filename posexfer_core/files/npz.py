"""`.npy` and `.npz` files from untrusted sources.

numpy unpickles object arrays. Here the header is parsed by our own code, numbers are taken from the
bytes, and objects go through the restricted unpickler.
"""

import ast
import io
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import ParamsError
from .array_pickles import unpickle
from .pickles import DAMAGE, most_unpacked
from .stand_ins import plain_dtype, short

NPY_MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def parse_npz(data: bytes, name: str) -> dict[str, Any]:
    """Read all arrays of a `.npz`; arrays of objects become lists or their only object.

    Args:
        data: the bytes of the file.
        name: what errors call it.
    """
    arrays = {}
    with open_archive(data, name, "damaged or no .npz file") as archive:
        for member in archive.infolist():
            arrays[member.filename.removesuffix(".npy")] = parse_npy(
                read_member(archive, member), f"{name}: {member.filename}"
            )
    return arrays


@contextmanager
def open_archive(
    data: bytes, name: str, otherwise: str = "a damaged archive"
) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive whose members may be unpacked; what fails within says what it is.

    Args:
        data: the bytes of the file.
        name: what errors call it.
        otherwise: what it is then.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_members(archive, name, len(data))
            yield archive
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, *DAMAGE) as failure:
        raise ParamsError(f"{name} is {otherwise}: {failure}") from failure


def check_members(archive: zipfile.ZipFile, name: str, packed: int) -> None:
    """Refuse an archive that unpacks to too much, or is packed in an unusual way.

    Args:
        archive: the archive, opened.
        name: the file named in errors.
        packed: its bytes as they are.
    """
    members = archive.infolist()
    unpacked, most = sum(member.file_size for member in members), most_unpacked(packed)
    if unpacked > most:
        raise ParamsError(
            f"{name} would unpack to {unpacked:,} bytes; at most {most:,} are read. It is "
            "damaged, or made to fill the memory."
        )
    if any(member.compress_type not in PACKINGS for member in members):
        raise ParamsError(f"{name} is packed in a way that neither numpy nor torch uses.")


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Unpack a member to at most the size in its header."""
    with archive.open(member) as packed:
        return packed.read(member.file_size)


def parse_npy(data: bytes, name: str) -> Any:
    """Turn the bytes of a `.npy` into an array; `name` is what errors call it."""
    try:
        dtype, order, shape, body = _split(data)
        if not dtype.hasobject:
            expected = math.prod(shape) * dtype.itemsize
            if expected != len(body):
                raise ValueError(f"the header promises {expected:,} bytes, {len(body):,} follow")
            return np.frombuffer(body, dtype).reshape(shape, order="F" if order else "C").copy()
    except (SyntaxError, *DAMAGE) as failure:
        raise ParamsError(f"{name} is damaged or no numpy array: {str(failure)[:200]}") from failure
    return unpickle(body, name)


def _split(data: bytes) -> tuple[np.dtype, bool, tuple[int, ...], bytes]:
    """Read the header: element type, whether Fortran order, shape; and give what follows it."""
    if not data.startswith(NPY_MAGIC):
        raise ValueError(f"it starts with {data[:6]!r}")
    width, form = (2, "<H") if data[6:7] == b"\x01" else (4, "<I")
    (length,) = struct.unpack(form, data[8 : 8 + width])
    start = 8 + width
    if length > LONGEST_HEADER or start + length > len(data):
        raise ValueError(f"a header of {length:,} bytes")
    header = ast.literal_eval(data[start : start + length].decode("latin1").strip())
    shape = header["shape"]
    if not (isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape)):
        raise ValueError(f"a shape that is {short(shape)}")
    return plain_dtype(header["descr"]), header["fortran_order"], shape, data[start + length :]
