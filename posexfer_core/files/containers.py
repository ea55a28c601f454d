"""Containers that estimators write, opened without executing anything in them.

`.npz`, `.npy`, pickles, joblib's pickles (compressed or not), torch's files and JSON are told
apart by their first bytes: `.p`, `.pkl`, `.smpl` and `.npy` may be any of them.
"""

import codecs
import contextlib
import io
import json
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import ParamsError
from .array_pickles import decompress, unpickle
from .bvh_text import START as BVH_START
from .bvh_text import parse_bvh
from .npz import NPY_MAGIC, open_archive, parse_npy, parse_npz, read_member
from .pickle_opcodes import check_opcodes
from .pickles import DAMAGE, read_bytes

ZIP_MAGIC = b"PK\x03\x04"
PICKLE_MAGIC = (b"\x80", b"(", b"]", b"}", b"c", b"I", b"N")
"""How a pickle begins; from protocol 2 on always with the first."""
TORCH_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""How torch's files began before version 1.6; later ones are zip archives."""
OLD_TORCH_PICKLES = 5
"""Pickles at the beginning of those."""
TORCH_PICKLE = "data.pkl"
"""The end of the name of the only one in a later file."""
OTHER_FILES = (
    (b"Kaydara FBX", "an FBX file", "Export the motion as .bvh or .glb."),
    (b"; FBX", "an FBX file", "Export the motion as .bvh or .glb."),
    (b"glTF", "a GLB file", "Give its name the end .glb."),
    (b"ply", "a PLY mesh", "Give its name the end .ply."),
    (b"BLENDER", "a Blender file", "Export the motion as .bvh or .glb."),
    (b"\x89HDF", "an HDF5 file", "Save its arrays as .npz."),
    (b"MATLAB", "a MATLAB file", "Save its arrays as .npz."),
    (b"\x28\xb5\x2f\xfd", "packed by Zstandard", "Unpack it first, or pack it with gzip."),
    (b"\x04\x22\x4d\x18", "packed by LZ4", "Unpack it first, or pack it with gzip."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it first."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"\x89PNG", "an image", "Was it picked instead of the pose?"),
    (b"\xff\xd8\xff", "an image", "Was it picked instead of the pose?"),
)
"""How files begin that are often given instead, what they are, and what to do."""
TABLE_BYTES = b"0123456789+-.eEnaNifIF, \t\r\n"
"""Of tables of numbers; NaN and infinity are among them."""
PADDING = b" \t\r\n\xef\xbb\xbf"
"""Bytes that may precede the first bracket of JSON."""


def read_container(path: Path, *, expected: str = "a file of body parameters") -> Any:
    """Read a file as dicts, lists, strings, numbers and numpy arrays.

    Args:
        path: the file.
        expected: the kind of file, for errors.

    Raises:
        ParamsError: the file is missing, damaged, none of the containers, or asks to run code.
    """
    data = read_bytes(path, expected=expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python's parsers and torch's storages; no user's
        return _contents(data, path.name)


def _contents(data: bytes, name: str) -> Any:
    """Unpack a file, or the only one in an archive, and read what it holds."""
    data = decompress(data, name)
    if (inner := _only_member(data, name)) is not None:
        data = decompress(inner, name)
    return _plain_contents(data, name)


def _only_member(data: bytes, name: str) -> bytes | None:
    """Unpack an archive of one file that is no array, as people pack what they send."""
    if not data.startswith(ZIP_MAGIC):
        return None
    with open_archive(data, name) as archive:
        files = [member for member in archive.infolist() if not member.is_dir()]
        if len(files) != 1 or files[0].filename.endswith((".npy", TORCH_PICKLE)):
            return None
        inner = read_member(archive, files[0])
    return None if inner.startswith(ZIP_MAGIC) else inner


def _plain_contents(data: bytes, name: str) -> Any:
    """Tell the containers apart by their first bytes."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        with contextlib.suppress(UnicodeDecodeError):
            data = data.decode("utf-16").encode()
    if data.startswith(ZIP_MAGIC):
        return _read_zip(data, name)
    if data.startswith(NPY_MAGIC):
        return parse_npy(data, name)
    if data.startswith(TORCH_MAGIC):
        return _read_old_torch(data, name)
    if BVH_START.match(data):
        return parse_bvh(data.lstrip(PADDING), name)
    if data.lstrip(PADDING)[:1] in (b"{", b"["):
        return _read_json(data, name)
    if (table := _table(data)) is not None:
        return table
    known = next((other[1:] for other in OTHER_FILES if data.startswith(other[0])), None)
    if known is not None or not data.startswith(PICKLE_MAGIC):
        kind, advice = known or (
            "another kind of file",
            "Was an image or another file picked instead?",
        )
        raise ParamsError(
            f"{name} holds no arrays: it is {kind}; expected .npz, .npy, JSON, a pickle, or a file "
            f"of joblib or torch. {advice}"
        )
    return unpickle(data, name)


def _read_zip(data: bytes, name: str) -> Any:
    """Tell torch's archives from numpy's by the pickle in them."""
    with open_archive(data, name) as archive:
        pickles = [m for m in archive.infolist() if m.filename.endswith(TORCH_PICKLE)]
        for member in pickles:
            check_opcodes(read_member(archive, member), len(data))
    if pickles:
        return _read_torch(data, name)
    return parse_npz(data, name)


def _read_old_torch(data: bytes, name: str) -> Any:
    """Check the pickles of a file from before torch 1.6, then load it with torch."""
    file = io.BytesIO(data)
    try:
        for _ in range(OLD_TORCH_PICKLES):
            check_opcodes(file, len(data))
    except DAMAGE as failure:
        raise ParamsError(f"{name} is a damaged torch file: {str(failure)[:160]}") from failure
    return _read_torch(data, name)


def _read_torch(data: bytes, name: str) -> Any:
    """Load a file with torch, which refuses everything but tensors and plain data."""
    try:
        content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as failure:
        named = re.search(r"GLOBAL (\S+)", str(failure))
        found = f": it asks for {named[1]}" if named else ""
        raise ParamsError(
            f"{name} holds more than tensors, or is damaged, so it was not opened{found}. Get the "
            "file from its source again, or save its arrays as .npz."
        ) from failure
    except (RuntimeError, AssertionError, OSError, *DAMAGE) as failure:
        raise ParamsError(f"{name} is a damaged torch file: {str(failure)[:160]}") from failure
    return _as_numpy(content, {}, depth=0)


def _as_numpy(content: Any, done: dict[int, Any], depth: int) -> Any:
    """Convert tensors to arrays; shared objects stay shared."""
    if id(content) in done:
        return done[id(content)]
    made = content
    if isinstance(content, torch.Tensor):
        if content.layout != torch.strided:
            raise ParamsError("The file holds sparse tensors; body parameters are dense.")
        plain = content.detach()
        made = (plain.float() if plain.dtype == torch.bfloat16 else plain).cpu().numpy()
    elif depth < 8 and isinstance(content, Mapping):
        made = {key: _as_numpy(value, done, depth + 1) for key, value in content.items()}
    elif depth < 8 and isinstance(content, (list, tuple)):
        made = [_as_numpy(value, done, depth + 1) for value in content]
    done[id(content)] = made
    return made


def _read_json(data: bytes, name: str) -> Any:
    """Read JSON, or a list of it: one value a line."""
    try:
        return json.loads(data)
    except DAMAGE as failure:
        lines = [line for line in data.splitlines() if line.strip()]
        if len(lines) > 1:
            with contextlib.suppress(*DAMAGE):
                return [json.loads(line) for line in lines]
        raise ParamsError(f"{name} is damaged JSON: {str(failure)[:160]}") from failure


def _table(data: bytes) -> np.ndarray | None:
    """Read lines of as many numbers each, apart by white space or commas; None of anything else."""
    if not data.strip() or data.translate(None, TABLE_BYTES):
        return None
    rows = [line.replace(b",", b" ").split() for line in data.splitlines() if line.strip()]
    if len(set(map(len, rows))) != 1:
        return None
    try:
        return np.array(rows, dtype=np.float64)
    except ValueError:
        return None


def _key(key: Any) -> str:
    return str(key)[:40] if isinstance(key, (str, int, float, np.generic)) else type(key).__name__


def describe(content: Any, depth: int = 0) -> str:
    """Describe a file: keys with shapes, two levels deep, the first dozen of each."""
    match content:
        case np.ndarray():
            return f"{content.dtype}{list(content.shape)}"
        case Mapping():
            shown = [
                f"{_key(key)}: {describe(value, depth + 1)}"
                for key, value in list(content.items())[:12]
            ]
            more = ", ..." if len(content) > 12 else ""
            return "{" + ", ".join(shown) + more + "}" if depth < 2 else f"dict of {len(content)}"
        case list() | tuple():
            first = f", first {describe(content[0], depth + 1)}" if content and depth < 2 else ""
            return f"list of {len(content)}{first}"
    return type(content).__name__
