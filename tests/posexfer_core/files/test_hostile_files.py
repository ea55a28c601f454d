"""Files that are made to hang, to fill the memory or to run code, for every container."""

import io
import json
import lzma
import pickle
import pickletools
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from posexfer_core.body.params import HumanParams
from posexfer_core.body.smpl_files import load_body_model
from posexfer_core.errors import PoseXferError
from posexfer_core.files.images import load_image
from posexfer_core.formats.read import read_params
from posexfer_core.keypoints.detections import load_keypoints
from tests.peak_memory import peak_bytes

INFLATIONS = 4.0
"""How much longer than to inflate 300 MB, about the most that is read, a file may take."""
MOST_BYTES = 2**30
GIGABYTES = 4 * 2**30


def zipped(members: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@cache
def zip_bomb(name: str) -> bytes:
    """300 MB of zeros; a thousand times smaller."""
    return zipped({name: bytes(300_000_000)})


def many_members() -> bytes:
    return zipped({f"{at}.npy": bytes(2_000_000) for at in range(150)})


def with_forged_size(bomb: bytes) -> bytes:
    """A member that says it has 5 bytes and has 300 million."""
    data = bytearray(bomb)
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", 5)
    return bytes(data)


def lzma_zip() -> bytes:
    return zipped({"pose.npy": bytes(1000)}, zipfile.ZIP_LZMA)


def npy_header(shape: str, descr: str = "'<f8'") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)


@cache
def zlib_bomb() -> bytes:
    packer, parts = zlib.compressobj(1), []
    for _ in range(40):
        parts.append(packer.compress(bytes(2**23)))
    return b"".join([*parts, packer.flush()])


def lzma_with_a_huge_dictionary() -> bytes:
    data = bytearray(lzma.compress(b"\x80\x04." * 10, format=lzma.FORMAT_ALONE))
    data[1:5] = struct.pack("<I", 2**31)
    return b"]\x00" + bytes(data[2:])


def deep_pickle() -> bytes:
    return b"\x80\x02" + b"(" * 200_000 + b"l" * 200_000 + b"."


def cyclic_pickle() -> bytes:
    value: list[Any] = []
    value.append({"pose": value, "smpls": value, "cam_t": value})
    return pickle.dumps(value)


def shared_lists(kind: type = list) -> Any:
    """Nine thousand million million entries that share 72."""
    value: Any = kind([0.5] * 8)
    for _ in range(16):
        value = kind([value] * 8)
    return value


def shared_under(key: str) -> bytes:
    content = {"trans": shared_lists(), "poses": shared_lists(), "betas": shared_lists()}
    return pickle.dumps(content | {key: shared_lists()})


def shared_key() -> bytes:
    """A dict whose key takes forever to hash."""
    return b"\x80\x02}" + pickle.dumps(shared_lists(tuple), 2)[2:-1] + b"K\x01s."


def shared_key_through_joblib() -> bytes:
    return shared_key()[:-1] + b"X\x11\0\0\0NumpyArrayWrapper0."


def shared_key_through_torch() -> bytes:
    file = io.BytesIO()
    torch.save({"trans": [0.0]}, file)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in members if name.endswith("data.pkl"))
    return zipped(members | {name: shared_key()}, zipfile.ZIP_STORED)


def shared_key_through_old_torch() -> bytes:
    file = io.BytesIO()
    torch.save({"trans": [0.0]}, file, _use_new_zipfile_serialization=False)
    start = io.BytesIO(file.getvalue())
    for _ in range(3):
        for _ in pickletools.genops(start):
            pass
    return file.getvalue()[: start.tell()] + shared_key() + pickle.dumps([], 2)


def shared_reference() -> bytes:
    """Ask for data outside of the file, by a name that takes forever to print."""
    return pickle.dumps(shared_lists(tuple))[:-1] + b"Q."


def memo_far_away() -> bytes:
    return b"\x80\x02]r" + struct.pack("<I", 2**31) + b"."


def long_frame() -> bytes:
    return b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"]."


def long_bytes(opcode: bytes) -> bytes:
    return b"\x80\x05" + opcode + struct.pack("<Q", 2**40) + b"."


def sparse_matrix() -> bytes:
    sparse = pytest.importorskip("scipy.sparse")
    empty = sparse.coo_matrix((np.ones(1), (np.zeros(1, int), np.zeros(1, int))), (3, 3))
    data = pickle.dumps({"v_template": empty}, 2)
    return data.replace(b"K\x03K\x03\x86", b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86")


def tensors_of_one_storage() -> bytes:
    """Ten thousand tensors of 200 MB, all of the same eight bytes."""
    tensor = torch.zeros(1, dtype=torch.float64)
    return pickle.dumps({f"betas{at}": tensor.expand(25_000_000) for at in range(200)}, 2)


def torch_zip_bomb() -> bytes:
    file = io.BytesIO()
    torch.save({"pose": torch.zeros(75_000_000)}, file)
    with zipfile.ZipFile(file) as archive:
        return zipped({name: archive.read(name) for name in archive.namelist()})


def torch_shared_lists() -> bytes:
    file = io.BytesIO()
    torch.save({"trans": shared_lists(), "poses": shared_lists()}, file)
    return file.getvalue()


def torch_of_many_numbers() -> bytes:
    file = io.BytesIO()
    whole = torch.zeros(1).expand(3, 2_000_000_000)
    torch.save({"trans": whole, "poses": whole}, file)
    return file.getvalue()


def many_numbers_in_json() -> bytes:
    return b'{"trans": [' + b"1," * 3_000_000 + b"1]}"


def bvh(joint: bytes, motion: bytes) -> bytes:
    head = b"HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n"
    return head + joint + b"}\nMOTION\n" + motion


def deep_bvh() -> bytes:
    return bvh(b"JOINT a\n{\nOFFSET 0 0 0\nCHANNELS 0\n" * 100_000, b"Frames: 1\n")


def wide_bvh() -> bytes:
    joint = b"JOINT a\n{\nOFFSET 0 0 0\nCHANNELS 999999999 Zrotation\n}\n"
    return bvh(joint, b"Frames: 1\nFrame Time: 1\n0 0 0\n")


def long_bvh() -> bytes:
    return bvh(b"", b"Frames: 9999999999\nFrame Time: 0.03\n0 0 0\n")


HOSTILE: dict[str, Callable[[], bytes]] = {
    "zip bomb": lambda: zip_bomb("pose.npy"),
    "zip of many": many_members,
    "zip with a forged size": lambda: with_forged_size(zip_bomb("pose.npy")),
    "torch zip with a forged size": lambda: with_forged_size(zip_bomb("a/data.pkl")),
    "zip packed by lzma": lzma_zip,
    "npy of 8 TB": lambda: npy_header("(1000000000000,)"),
    "npy of many axes": lambda: npy_header(f"({'1000000,' * 40})"),
    "npy of a nested type": lambda: npy_header("(1,)", "[('a', " * 400 + "'f8'" + ")]" * 400),
    "npy of a long string": lambda: npy_header("(0,)", "'<U999999'"),
    "zlib bomb": zlib_bomb,
    "lzma of 2 GB of memory": lzma_with_a_huge_dictionary,
    "deep pickle": deep_pickle,
    "cyclic pickle": cyclic_pickle,
    "shared lists": lambda: shared_under("x"),
    "shared outside": shared_reference,
    "shared key": shared_key,
    "shared key through joblib": shared_key_through_joblib,
    "shared key through torch": shared_key_through_torch,
    "shared key through old torch": shared_key_through_old_torch,
    "memo far away": memo_far_away,
    "long frame": long_frame,
    "long bytes": lambda: long_bytes(b"\x8e"),
    "long text": lambda: long_bytes(b"\x8d"),
    "long byte array": lambda: long_bytes(b"\x96"),
    "sparse matrix": sparse_matrix,
    "one storage": tensors_of_one_storage,
    "torch zip bomb": torch_zip_bomb,
    "torch shared lists": torch_shared_lists,
    "torch of many numbers": torch_of_many_numbers,
    "deep json": lambda: b"[" * 300_000,
    "deep json object": lambda: b'{"a":' * 300_000,
    "long number": lambda: b'{"trans": ' + b"9" * 500_000 + b"}",
    "many numbers": many_numbers_in_json,
    "not finite": lambda: json.dumps({"trans": [float("nan")] * 3}).encode(),
    "words": lambda: b"hello",
    "deep bvh": deep_bvh,
    "wide bvh": wide_bvh,
    "long bvh": long_bvh,
}
"""What it is → what makes it."""
LARGE = ("zip of many", "zlib bomb", "torch zip bomb", "deep pickle", "many numbers")
"""Of which a second each goes into making or unpacking; others of their kinds are small."""
READERS: dict[str, Callable[[Path], Any]] = {
    "params": read_params,
    "own params": HumanParams.load,
    "body": load_body_model,
    "keypoints": load_keypoints,
    "image": load_image,
}


def attack(reader: str, data: bytes, folder: Path) -> None:
    """Let a reader meet a hostile file, which must end in an error of ours."""
    path = folder / ("a.npy" if data.startswith(b"\x93") else f"a.{reader}")
    path.write_bytes(data)
    with pytest.raises(PoseXferError):
        READERS[reader](path)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name in LARGE else []) for name in HOSTILE],
)
def test_hostile_files_end_in_our_own_errors_in_little_memory(tmp_path: Path, name: str):
    data = HOSTILE[name]()
    for reader in READERS:
        before = peak_bytes()
        attack(reader, data, tmp_path)
        assert peak_bytes() - before < MOST_BYTES, reader


@pytest.fixture(scope="module")
def most_seconds() -> float:
    packed, start = zlib.compress(bytes(300_000_000), 1), time.thread_time()
    zlib.decompress(packed)
    return INFLATIONS * (time.thread_time() - start)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_soon(tmp_path: Path, name: str, most_seconds: float):
    data = HOSTILE[name]()
    for reader in READERS:
        start = time.thread_time()
        attack(reader, data, tmp_path)
        assert time.thread_time() - start < most_seconds, reader


def test_a_image_of_many_pixels_in_few_bytes_is_refused_unread(tmp_path: Path):
    size = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in ((b"IHDR", size), (b"IDAT", zlib.compress(bytes(100))))
    ]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    with pytest.raises(PoseXferError, match="million pixels"):
        load_image(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["pose.npy", "a/data.pkl"])
def test_a_forged_size_unpacks_no_more_than_it_says(tmp_path: Path, name: str):
    (tmp_path / "a.npz").write_bytes(with_forged_size(zip_bomb(name)))
    tracemalloc.start()
    with pytest.raises(PoseXferError):
        read_params(tmp_path / "a.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_the_forgeries_are_what_they_say():
    assert len(zip_bomb("pose.npy")) < 2_000_000
    assert len(zlib_bomb()) < 2_000_000
    assert pickletools.optimize(memo_far_away())
    assert len(tensors_of_one_storage()) < 200_000
