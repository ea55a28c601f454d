import bz2
import gzip
import lzma
import os
import pickle
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from posexfer_core.errors import ParamsError
from posexfer_core.files.array_pickles import WRAPPER, decompress, unpickle
from tests.posexfer_core.files.joblib_files import dump, pretended_joblib


@pytest.fixture
def wrapper() -> Iterator[type]:
    with pretended_joblib() as kind:
        yield kind


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("alignment", [16, None])
def test_arrays_come_back_equal(wrapper, protocol: int, alignment: int | None):
    written = {
        1: {"pose": np.arange(12.0).reshape(3, 4), "word": "walk"},
        2: [np.asfortranarray(np.arange(6).reshape(2, 3)), np.array(5.0), np.zeros((0, 3))],
        3: np.array([{"inside": np.ones(2)}, None], dtype=object),
    }
    data = dump(written, wrapper, protocol, alignment)
    assert WRAPPER in data
    read = unpickle(data, "test")
    np.testing.assert_array_equal(read[1]["pose"], written[1]["pose"])
    assert read[1]["word"] == "walk"
    for ours, theirs in zip(read[2], written[2], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(read[3][0]["inside"], np.ones(2))
    assert read[3][1] is None


@pytest.mark.parametrize(
    "pack", [zlib.compress, gzip.compress, bz2.compress, lzma.compress], ids=lambda f: f.__module__
)
def test_compressed_files_are_unpacked(wrapper, pack):
    data = dump({"a": np.arange(3)}, wrapper)
    assert decompress(pack(data), "test") == data
    assert decompress(data, "test") == data
    with pytest.raises(ParamsError, match="test"):
        decompress(pack(data)[:-12], "test")


def test_a_compressed_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("posexfer_core.files.pickles.MOST_UNPACKED", 2**16)
    with pytest.raises(ParamsError, match=r"more than 73,848 bytes"):
        decompress(zlib.compress(bytes(2**20)), "test")


def test_a_payload_is_named_and_not_run(wrapper, tmp_path):
    proof = tmp_path / "ran"

    class Payload:
        def __reduce__(self):
            return os.system, (f"touch {proof}",)

    data = dump({"a": np.ones(2), "b": Payload()}, wrapper)
    with pytest.raises(ParamsError, match=r"system.*not opened"):
        unpickle(data, "test")
    assert not proof.exists()


def test_cut_and_forged_arrays_are_a_sentence(wrapper):
    data = dump({"a": np.arange(1000.0)}, wrapper)
    with pytest.raises(ParamsError, match="test is damaged or no pickle of arrays"):
        unpickle(data[:2000], "test")
    huge = data.replace(b"M\xe8\x03\x85", b"J\xff\xff\xff\x7f\x85")
    assert huge != data
    with pytest.raises(ParamsError, match="test is damaged or no pickle of arrays"):
        unpickle(huge, "test")


def test_files_of_old_joblib_say_what_to_do():
    with pytest.raises(ParamsError, match=r"before 0\.10.*save its arrays as \.npz"):
        unpickle(b"\x80\x02cjoblib.numpy_pickle\nNDArrayWrapper\n.", "test")


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6.0).reshape(2, 3).T,
        torch.arange(3),
        torch.full((2,), 1.5, dtype=torch.bfloat16),
        torch.nn.Parameter(torch.ones(2)),
        torch.zeros(0, 3),
        torch.tensor(2.0),
        torch.ones(1).expand(3),
        torch.tensor([True, False]),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_tensors_in_pickles_become_arrays(tensor: torch.Tensor, protocol: int):
    read = unpickle(pickle.dumps({"tensor": tensor}, protocol), "test")["tensor"]
    assert isinstance(read, np.ndarray)
    assert read.tolist() == tensor.tolist()


def test_tensors_outside_their_storage_are_refused():
    data = pickle.dumps(torch.arange(6.0), 2).replace(b"K\x06\x85", b"K\x07\x85")
    with pytest.raises(ParamsError, match="a tensor that reaches beyond its 6 numbers"):
        unpickle(data, "test")
