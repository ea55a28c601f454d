"""Checked access to the numbers in a file, with errors that name the key."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from ..conventions import BETA_COUNT
from ..errors import ParamsError
from ..geometry.rotations import matrix_to_axis_angle, rotation_6d_to_matrix

MOST_NUMBERS = 20_000_000
"""Numbers of one name that are still read."""
DEEPEST = 8
NOT_A_ROTATION = 0.1
"""How far `R R^T` may be from the identity in any entry."""


class Fields:
    """The named values of one dict of a file."""

    def __init__(self, values: Any, name: str) -> None:
        """Wrap a dict.

        Args:
            values: the dict.
            name: what errors call it, such as "000.pkl: smpl[0]".
        """
        if not isinstance(values, Mapping):
            raise ParamsError(f"{name} is a {type(values).__name__}, expected named values.")
        self.values = values
        self.name = name

    def __contains__(self, key: str) -> bool:
        return key in self.values and self.values[key] is not None

    def first(self, *keys: str) -> str:
        """Find the first key that is there."""
        for key in keys:
            if key in self:
                return key
        raise ParamsError(
            f"{self.name} lacks {' or '.join(keys)}; it has "
            f"{', '.join(as_text(key)[:40] for key in list(self.values)[:20]) or 'nothing'}."
        )

    def part(self, key: str) -> "Fields":
        """Go into a dict."""
        return Fields(self.values[self.first(key)], f"{self.name}: {key}")

    def raw(self, key: str) -> Any:
        """Give a value as it is."""
        return self.values[self.first(key)]

    def array(self, *keys: str) -> np.ndarray:
        """Give the first key that is there as an array of float64."""
        key = self.first(*keys)
        return as_array(self.values[key], f"{self.name}: {key}")

    def rows(self, *keys: str, width: int, count: int | None = None) -> np.ndarray:
        """Give numbers as rows of a width; a single row is repeated `count` times."""
        return as_rows(self.array(*keys), width, count, f"{self.name}: {self.first(*keys)}")

    def rotations(
        self, *keys: str, joints: Sequence[int], count: int | None = None
    ) -> Float[np.ndarray, "frames joints 3"]:
        """Give rotations of any of these numbers of joints, see `as_axis_angles`."""
        name = f"{self.name}: {self.first(*keys)}"
        return as_axis_angles(self.array(*keys), joints, name, count=count)

    def number(self, *keys: str) -> float:
        """Give one number; the first of several."""
        array = self.array(*keys)
        if array.size < 1:
            raise ParamsError(f"{self.name}: {self.first(*keys)} is empty, expected a number.")
        return float(array.flat[0])

    def betas(self, *keys: str, count: int) -> Float[np.ndarray, "frames 10"]:
        """Give shape numbers, cut or padded to ten, one row a frame; zeros when not there."""
        found = [key for key in keys if key in self]
        if not found:
            return np.zeros((count, BETA_COUNT))
        array = self.array(*found)
        width = array.shape[-1] if array.ndim else 0
        if not width:
            return np.zeros((count, BETA_COUNT))
        rows = as_rows(array, width, count, f"{self.name}: {found[0]}")[:, :BETA_COUNT]
        padded = np.zeros((len(rows), BETA_COUNT))
        padded[:, : rows.shape[1]] = rows
        return padded


def keys_of(content: Any) -> set[str]:
    """Give the keys of a dict, none of anything else."""
    return {key for key in content if isinstance(key, str)} if isinstance(content, dict) else set()


def as_text(value: Any) -> str:
    """Give a text, a number or an array of one of them as text; nothing for anything else."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode("latin1")
    return str(value) if isinstance(value, (str, int, float, np.generic)) else ""


def as_array(value: Any, name: str) -> np.ndarray:
    """Turn numbers, nested lists of them or arrays into an array of float64."""
    if not isinstance(value, np.ndarray):
        _count(value, name)
        try:
            value = np.asarray(value)
        except (ValueError, OverflowError) as failure:
            raise ParamsError(
                f"{name} is no array of numbers: rows of several lengths."
            ) from failure
    if value.size > MOST_NUMBERS:
        raise ParamsError(
            f"{name} holds {value.size:,} numbers; at most {MOST_NUMBERS:,} are read."
        )
    if value.dtype.kind not in "fiub":
        raise ParamsError(f"{name} holds {value.dtype}, expected numbers.")
    return value.astype(np.float64)


def _count(value: Any, name: str) -> None:
    """Refuse nests of lists that numpy would take long over."""
    level, total = [value], 0
    for _ in range(DEEPEST):
        total += len(level)
        level = [item for part in level if isinstance(part, (list, tuple)) for item in part]
        if total + len(level) > MOST_NUMBERS:
            raise ParamsError(f"{name} holds more than {MOST_NUMBERS:,} numbers in lists.")
    if any(isinstance(part, (list, tuple)) for part in level):
        raise ParamsError(f"{name} is a list nested more than {DEEPEST} times.")


def as_rows(array: np.ndarray, width: int, count: int | None, name: str) -> np.ndarray:
    """Lay numbers out as rows; one row stands for every frame."""
    if array.size == 0 or array.size % width:
        raise ParamsError(f"{name} has shape {array.shape}, expected rows of {width} numbers.")
    rows = array.reshape(-1, width)
    if count is None or len(rows) == count:
        return rows
    if len(rows) != 1:
        raise ParamsError(f"{name} has {len(rows)} rows of {width}, expected {count}.")
    return np.repeat(rows, count, axis=0)


def as_axis_angles(
    array: np.ndarray, joints: Sequence[int], name: str, *, count: int | None = None
) -> Float[np.ndarray, "frames joints 3"]:
    """Read rotations of any of these numbers of joints, as matrices or axis-angles.

    Args:
        array: `(..., joints, 3, 3)`, `(..., joints, 3)` or `(..., joints * 3)`.
        joints: counts that are possible.
        name: for errors.
        count: frames, where known.
    """
    shape = array.shape
    for joint_count in joints:
        as_matrices = shape[-3:] == (joint_count, 3, 3) or shape[-1:] == (joint_count * 9,)
        as_vectors = shape[-2:] == (joint_count, 3) or shape[-1:] == (joint_count * 3,)
        if joint_count == 1:  # the joint's own axis is often left out
            as_matrices = as_matrices or (shape[-2:] == (3, 3) and _may_be_matrices(array))
        if not (as_matrices or as_vectors) or array.size == 0:
            continue
        size = joint_count * (9 if as_matrices else 3)
        if count is not None and array.size != count * size:
            continue
        if as_matrices:
            return _from_matrices(array.reshape(-1, joint_count, 3, 3), name)
        return array.reshape(-1, joint_count, 3)
    raise ParamsError(
        f"{name} has shape {array.shape}, expected rotations of "
        f"{' or '.join(map(str, joints))} joint(s), as axis-angle or as 3x3 matrices"
        + ("." if count is None else f", for {count} frame(s).")
    )


def _may_be_matrices(array: np.ndarray) -> bool:
    """Tell one 3x3 matrix from the axis-angles of three frames, which have the same shape."""
    return array.ndim > 2 or bool(np.abs(array @ array.T - np.eye(3)).max() < NOT_A_ROTATION)


def _from_matrices(matrices: np.ndarray, name: str) -> np.ndarray:
    """Turn rotation matrices into axis-angles."""
    product = matrices @ np.swapaxes(matrices, -1, -2)
    error = np.abs(product - np.eye(3)).max(initial=0.0)
    if not error < NOT_A_ROTATION or (np.linalg.det(matrices) < 0).any():
        raise ParamsError(
            f"{name} holds 3x3 matrices that are no rotations (R R^T is off by {error:.2g})."
        )
    left, _, right = np.linalg.svd(matrices)
    return matrix_to_axis_angle(torch.from_numpy(left @ right)).numpy()


def six_numbers_to_axis_angles(
    array: np.ndarray, joints: int, name: str
) -> Float[np.ndarray, "frames joints 3"]:
    """Read 6D rotations as HMR2 and TRAM keep them: rows of a (3, 2) matrix, `x0 y0 x1 y1 ...`."""
    rows = as_rows(array, joints * 6, None, name).reshape(-1, joints, 3, 2)
    columns = np.concatenate([rows[..., 0], rows[..., 1]], axis=-1)
    return matrix_to_axis_angle(rotation_6d_to_matrix(torch.from_numpy(columns))).numpy()
