"""Stand-ins for arrays while a pickle is read, and their conversion to plain data."""

import pickle
import re
from typing import Any, Literal

import numpy as np

MOST_UNPACKED = 2**28
"""Bytes that any small file may grow to: what is compressed, sparse or repeated in it."""


class RefusedName(pickle.UnpicklingError):
    """A pickle names something that is no array."""


def short(value: Any) -> str:
    """Name a value in an error without printing nests, whose text may grow exponentially."""
    return repr(value)[:60] if isinstance(value, (str, bytes, float)) else type(value).__name__


class StandIn:
    """Inert object that keeps its pickled state."""

    state: Any = None

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state


class ReadyStandIn(StandIn):
    """Holds an array that was read in full already."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array


class ChumpyStandIn(StandIn):
    """Stands for any object of chumpy, the library SMPL's first files were written with."""


class SparseStandIn(StandIn):
    """Stands for a matrix of scipy.sparse."""


class ArrayStandIn(StandIn):
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


class Plain:
    """Converts stand-ins to arrays; shared objects stay shared."""

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
            case ArrayStandIn():
                return self._array(value)
            case ReadyStandIn():
                return value.array
            case SparseStandIn():
                return self._dense(value)
            case ChumpyStandIn():
                return self._chumpy(value)
        raise ValueError("a dtype where data should be")

    def _array(self, array: ArrayStandIn) -> Any:
        """Make the array; one of objects becomes its only object or a list."""
        if array.state is None:
            return np.zeros(0)
        _, shape, dtype, fortran, data = array.state
        if not dtype.real().hasobject:
            return numbers(data, dtype.real(), shape, "F" if fortran else "C")
        entries = [self.of(entry) for entry in data]
        return entries[0] if shape == () else entries

    def _dense(self, sparse: SparseStandIn) -> np.ndarray:
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

    def _chumpy(self, standing: ChumpyStandIn) -> np.ndarray:
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
