import bz2
import collections
import gzip
import io
import lzma
import os
import pathlib
import pickle
import struct
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posexfer_core.errors import BodyFileError, ParamsError
from posexfer_core.files.array_pickles import unpickle
from posexfer_core.files.containers import read_container
from posexfer_core.files.npz import parse_npy, parse_npz
from posexfer_core.files.pickles import read_bytes


class Payload:
    """Runs a command when it is unpickled in the usual way."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.fixture
def chumpy(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Pretend that chumpy is there, so that pickles which name it can be written."""
    module = types.ModuleType("chumpy.ch")
    for name in ("Ch", "Select"):
        setattr(module, name, type(name, (), {"__module__": "chumpy.ch"}))
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    return module


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_come_back_equal(protocol: int):
    written = {
        "plain": np.arange(12.0).reshape(3, 4),
        "fortran": np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
        "big endian": np.array([1.5, -2.0], ">f4"),
        "words": np.array(["left", "right"]),
        "flags": np.array([True, False]),
        "nothing": np.zeros((0, 3)),
        np.int64(7): [np.float32(0.5), "text", None, (1, 2)],
    }
    read = unpickle(pickle.dumps(written, protocol), "test")
    assert read.keys() == written.keys()
    for key in ("plain", "fortran", "big endian", "words", "flags", "nothing"):
        np.testing.assert_array_equal(read[key], written[key])
        assert read[key].dtype == written[key].dtype
    assert read[7] == written[7]
    read["plain"][0] = 5.0  # a copy, free to be changed


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_dicts_with_defaults_and_paths_become_plain(protocol: int):
    written: dict[str, Any] = collections.defaultdict(dict)
    written["a"]["b"] = np.arange(2)
    written["kinds"] = {frozenset({1}): collections.defaultdict(list, {"c": [1]})}
    written["path"] = pathlib.PurePosixPath("frames/000.jpg")
    read = unpickle(pickle.dumps(written, protocol), "test")
    np.testing.assert_array_equal(read["a"]["b"], [0, 1])
    assert read["kinds"] == {frozenset({1}): {"c": [1]}}
    assert read["path"] == "frames/000.jpg"
    assert type(read) is dict


def test_arrays_of_objects_become_lists():
    ragged = np.array([{"a": np.ones(2)}, None], dtype=object)
    single = np.array({"key": 1}, dtype=object)
    read = unpickle(pickle.dumps([ragged, single, collections.OrderedDict(b=2)]), "test")
    np.testing.assert_array_equal(read[0][0]["a"], np.ones(2))
    assert read[0][1] is None
    assert read[1:] == [{"key": 1}, {"b": 2}]


def test_arrays_written_by_python_2_are_read():
    number = struct.pack("<dd", 1.0, -2.5)
    data = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R"
        b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x10" + number + b"tb."
    )
    np.testing.assert_array_equal(unpickle(data, "test"), [1.0, -2.5])


@pytest.mark.parametrize("layout", ["csc", "csr", "coo"])
@pytest.mark.parametrize("kind", ["matrix", "array"])
def test_sparse_matrices_become_dense(layout: str, kind: str):
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, -3.0]])
    written = getattr(sparse, f"{layout}_{kind}")(dense)
    np.testing.assert_array_equal(unpickle(pickle.dumps(written), "test"), dense)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_chumpy_constants_are_read_without_chumpy(chumpy, protocol: int):
    constant, chosen = chumpy.Ch(), chumpy.Select()
    constant.x = np.arange(6.0)
    chosen.__dict__.update(a=constant, idxs=np.array([1, 3]), preferred_shape=(2, 1))
    data = pickle.dumps({"shapedirs": constant, "part": chosen}, protocol)
    del sys.modules["chumpy.ch"], sys.modules["chumpy"]
    read = unpickle(data, "test")
    np.testing.assert_array_equal(read["shapedirs"], np.arange(6.0))
    np.testing.assert_array_equal(read["part"], [[1.0], [3.0]])


def test_chumpy_expressions_are_named(chumpy):
    expression = chumpy.Ch()
    expression.left = np.ones(2)
    with pytest.raises(ParamsError, match=r"chumpy\.Ch that is no constant, but left"):
        unpickle(pickle.dumps(expression), "test")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_payload_is_named_and_not_run(tmp_path: Path, protocol: int):
    proof, path = tmp_path / "ran", tmp_path / "body.pkl"
    path.write_bytes(pickle.dumps({"v_template": Payload(f"touch {proof}")}, protocol))
    with pytest.raises(ParamsError, match=r"body\.pkl .*system.*not opened"):
        read_container(path)
    assert not proof.exists()


@pytest.mark.parametrize("name", ["builtins\neval", "numpy\nload", "chumpy_evil\nCh", "os\nsystem"])
def test_names_outside_the_list_are_refused(name: str):
    data = b"\x80\x02c" + name.encode() + b"\nX\x01\x00\x00\x001\x85R."
    with pytest.raises(ParamsError, match=name.replace("\n", ".")):
        unpickle(data, "test")


def test_forged_dtypes_are_refused():
    fields = np.zeros(2, [("a", "f4"), ("b", "O")])
    with pytest.raises(ParamsError, match="elements of kind"):
        unpickle(pickle.dumps(fields), "test")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"v 0 0 0\nf 1 1 1\n", id="not a pickle"),
        pytest.param(pickle.dumps(np.arange(100.0))[:-40], id="truncated"),
        pytest.param(b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f.", id="frame beyond memory"),
        pytest.param(b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.", id="bytes beyond memory"),
        pytest.param(b"\x80\x02" + b"]" * 5000 + b"a" * 4999 + b".", id="too deep"),
        pytest.param(b"\x80\x02]q\x00h\x00a.", id="a list in itself"),
        pytest.param(
            b"\x80\x02cnumpy\ndtype\n(U\x02f8U\x08numpy.ndx\x86Rb.", id="state for nothing"
        ),
    ],
)
def test_damaged_pickles_are_a_sentence(data: bytes):
    with pytest.raises(ParamsError, match="test is damaged or no pickle of arrays"):
        unpickle(data, "test")


def test_a_memo_slot_beyond_memory_costs_nothing():
    assert unpickle(b"\x80\x02]r\xff\xff\xff\xff.", "test") == []


def test_arrays_that_promise_more_than_they_hold_are_refused():
    data = pickle.dumps(np.zeros(4), 2).replace(b"K\x04\x85", b"J\xff\xff\xff\x7f\x85")
    with pytest.raises(ParamsError, match="reshape"):
        unpickle(data, "test")


def test_sparse_matrices_beyond_memory_are_refused():
    sparse = pytest.importorskip("scipy.sparse")
    huge = sparse.csc_matrix((10**6, 10**6))
    with pytest.raises(ParamsError, match="a sparse matrix of 1000000 x 1000000"):
        unpickle(pickle.dumps(huge), "test")


def test_nested_sharing_does_not_grow():
    nested: list = []
    for _ in range(60):
        nested = [nested, nested]
    read = unpickle(pickle.dumps(nested), "test")
    assert read[0] is read[1]


def test_the_caller_chooses_the_error(tmp_path: Path):
    with pytest.raises(BodyFileError, match="not there"):
        read_bytes(tmp_path / "missing.pkl", error=BodyFileError)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    return file.getvalue()


def test_npz_files_come_back_equal(tmp_path: Path):
    path = tmp_path / "body.npz"
    fortran = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    objects = np.array({"joint": np.arange(3)}, dtype=object)
    np.savez_compressed(path, fortran=fortran, name="smpl", empty=np.zeros((0, 3)), objects=objects)
    read = read_container(path)
    np.testing.assert_array_equal(read["fortran"], fortran)
    assert str(read["name"]) == "smpl"
    assert read["empty"].shape == (0, 3)
    np.testing.assert_array_equal(read["objects"]["joint"], np.arange(3))


def test_a_payload_in_an_npz_is_named_and_not_run(tmp_path: Path):
    proof, path = tmp_path / "ran", tmp_path / "body.npz"
    np.savez(path, v_template=np.array([Payload(f"touch {proof}")], dtype=object))
    with pytest.raises(ParamsError, match=r"body\.npz: v_template\.npy .*system.*not opened"):
        read_container(path)
    assert not proof.exists()


@pytest.mark.parametrize("kept", [0, 3, 60, 400])
def test_truncated_npz_files_are_a_sentence(tmp_path: Path, kept: int):
    path = tmp_path / "body.npz"
    np.savez(path, v_template=np.zeros(100))
    with pytest.raises(ParamsError, match=r"body\.npz is damaged or no \.npz file"):
        parse_npz(path.read_bytes()[:kept], path.name)


@pytest.mark.parametrize(
    "shape", ["(1000000000000,)", "(-1,)", "(2.0,)", "5", "(1000000, 1000000, 1000000)"]
)
def test_headers_that_promise_too_much_are_refused(shape: str):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".encode()
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)
    with pytest.raises(ParamsError, match="test is damaged or no numpy array"):
        parse_npy(data, "test")


@pytest.mark.parametrize(
    "data",
    [
        npy(np.zeros(3))[:-8],
        npy(np.zeros(3)) + b"more",
        b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"{}",
        b"\x93NUMPY\x01\x00" + struct.pack("<H", 4) + b"nope",
        b"\x93NUMPY\x01",
        npy(np.zeros(1, [("a", "f4")])),
        b"text",
    ],
)
def test_damaged_npy_arrays_are_a_sentence(data: bytes):
    with pytest.raises(ParamsError, match="test is damaged or no numpy array"):
        parse_npy(data, "test")


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("posexfer_core.files.pickles.MOST_UNPACKED", 2**20)
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("v_template.npy", bytes(2**21))
    with pytest.raises(ParamsError, match="would unpack to 2,097,152 bytes"):
        read_container(path)


def test_a_file_beyond_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("posexfer_core.files.pickles.MOST_BYTES", 10)
    path = tmp_path / "large.pkl"
    path.write_bytes(bytes(11))
    with pytest.raises(ParamsError, match=r"has 11 bytes\.\nExpected .* at most 10\."):
        read_container(path)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_files_of_any_kind_may_be_packed(tmp_path: Path, pack):
    (tmp_path / "a.json.gz").write_bytes(pack(b'{"poses": [1.0, 2.0]}'))
    assert read_container(tmp_path / "a.json.gz") == {"poses": [1.0, 2.0]}


def test_the_only_file_of_an_archive_is_read_and_no_archive_in_it(tmp_path: Path):
    for name, inside in (("a.zip", b"[1, 2]"), ("b.zip", b"")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("b", inside or (tmp_path / "a.zip").read_bytes())
    assert read_container(tmp_path / "a.zip") == [1, 2]
    with pytest.raises(ParamsError, match="no numpy array"):
        read_container(tmp_path / "b.zip")


@pytest.mark.parametrize("magic", [b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"])
def test_packings_that_are_not_read_are_named(tmp_path: Path, magic):
    (tmp_path / "a.pkl").write_bytes(magic + b"0" * 40)
    with pytest.raises(ParamsError, match="Unpack it first"):
        read_container(tmp_path / "a.pkl")
