"""Spoil files of every kind at random and read them: `python -m tests.benchmarks.fuzz_formats`.

Every reading must end within a second of processor time and within a gigabyte, in what it reads or
in one of our own errors. Three ways of spoiling: bytes of the file; bytes inside an archive, which
is then closed again with right checksums; and values, which are then written as a sound pickle.
"""

import argparse
import io
import logging
import pickle
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from posexfer_core.errors import PoseXferError
from tests.peak_memory import peak_bytes

from .fuzz_kinds import KINDS, Kind, kind

MOST_SECONDS = 1.0
MOST_BYTES = 2**30
ODD_VALUES: tuple[Any, ...] = (
    None,
    -1,
    1e308,
    float("nan"),
    "text",
    b"\xff",
    [],
    {},
    [[]],
    np.zeros(0),
    np.zeros((2, 0, 3)),
    np.full((5, 3), np.inf),
    np.ones((1, 72), np.int8),
    np.array(["a"]),
    np.ones((4, 4), complex),
    [[1.0], [1.0, 2.0]],
)


@dataclass
class Tally:
    """What became of the spoilt files."""

    read: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    slowest_of: str = ""

    @property
    def total(self) -> int:
        return self.read + self.errors.total()


def fuzz(name: str, count: int, folder: Path, seed: int = 0, tally: Tally | None = None) -> Tally:
    """Read `count` spoilt files of one kind; anything but our errors is raised."""
    tally = tally or Tally()
    sound = kind(name)
    for beside, data in sound.beside.items():
        (folder / beside).write_bytes(data)
    path = folder / sound.name
    chance = random.Random(f"{name} {seed}")
    for _ in range(count):
        path.write_bytes(spoil(sound, chance))
        start = time.process_time()
        try:
            sound.read(path)
            tally.read += 1
        except PoseXferError as error:
            tally.errors[type(error).__name__] += 1
        spent = time.process_time() - start
        if spent > tally.slowest:
            tally.slowest, tally.slowest_of = spent, name
    return tally


def spoil(sound: Kind, chance: random.Random) -> bytes:
    """Spoil a file in one of the three ways."""
    way = chance.randrange(3)
    if way == 1 and sound.data.startswith(b"PK"):
        return spoil_member(sound.data, chance)
    if sound.content is None or (way == 0 and sound.data):
        return spoil_bytes(sound.data, chance)
    try:
        return pickle.dumps(spoil_values(sound.content, chance))
    except RecursionError:
        return b""


def spoil_bytes(data: bytes, chance: random.Random) -> bytes:
    """Change, cut out or double a few bytes, or cut the file short."""
    spoilt = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(spoilt)) if spoilt else 0
        match chance.randrange(5):
            case 0:
                spoilt[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                spoilt[at : at + 4] = chance.choice((b"\xff\xff\xff\x7f", b"\0\0\0\0", b"9999"))
            case 2:
                del spoilt[at : at + chance.choice((1, 4, 64))]
            case 3:
                spoilt[at:at] = spoilt[at : at + chance.choice((1, 8, 200))]
            case 4:
                del spoilt[at : len(spoilt) if chance.random() < 0.3 else at + 1]
    return bytes(spoilt)


def spoil_member(data: bytes, chance: random.Random) -> bytes:
    """Spoil one file inside an archive."""
    spoilt = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(spoilt, "w") as new:
        chosen = chance.choice(old.namelist())
        for member in old.namelist():
            inside = old.read(member)
            new.writestr(member, spoil_bytes(inside, chance) if member == chosen else inside)
    return spoilt.getvalue()


def spoil_values(value: Any, chance: random.Random) -> Any:
    """Change, drop or reshape something somewhere in the content."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        changed = dict(value)
        if chance.random() < 0.15:
            del changed[key]
        else:
            changed[key] = spoil_values(value[key], chance)
        return changed
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        if chance.random() < 0.2:
            return value[:at] + value[at + 1 :]
        return [*value[:at], spoil_values(value[at], chance), *value[at + 1 :]]
    if isinstance(value, np.ndarray) and value.size and chance.random() < 0.7:
        return _spoil_array(value, chance)
    return chance.choice(ODD_VALUES)


def _spoil_array(value: np.ndarray, chance: random.Random) -> np.ndarray:
    match chance.randrange(6):
        case 0:
            return value.ravel()[: chance.randrange(value.size + 1)]
        case 1:
            return value.reshape(-1)
        case 2:
            return value[None]
        case 3:
            return np.concatenate([np.atleast_1d(value)] * 2)
        case 4:
            spoilt = np.array(value, dtype=float) if value.dtype.kind in "fiub" else value.copy()
            if spoilt.dtype.kind == "f":
                spoilt.flat[chance.randrange(spoilt.size)] = chance.choice(
                    (np.nan, np.inf, -1e30, 1e30, 0.0, -5.0)
                )
            return spoilt
    kinds = ("f2", "i8", "u1", "?", "U8") if value.dtype.kind in "fiub" else ("U1",)
    with np.errstate(all="ignore"):
        return value.astype(chance.choice(kinds))


def main() -> None:
    """Spoil many files and tell what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="files in all")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    tally, each, before = Tally(), -(-options.count // len(KINDS)), 0
    for name in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            kind(name).read(_sound(name, Path(folder)))  # what is imported late is not a leak
            before = before or peak_bytes()
            fuzz(name, each, Path(folder), options.seed, tally)
    grown = peak_bytes() - before
    sys.stdout.write(
        f"{tally.total} spoilt files of {len(KINDS)} kinds: {tally.read} still read, "
        f"{dict(tally.errors)}; nothing else raised\n"
        f"slowest {tally.slowest:.3f} s ({tally.slowest_of}); memory grew by {grown / 1e6:.0f} MB\n"
    )
    if tally.slowest > MOST_SECONDS or grown > MOST_BYTES:
        raise SystemExit(1)


def _sound(name: str, folder: Path) -> Path:
    """Put the sound file, or its content as a pickle, on disk."""
    sound = kind(name)
    for beside, data in sound.beside.items():
        (folder / beside).write_bytes(data)
    path = folder / sound.name
    path.write_bytes(sound.data or pickle.dumps(sound.content))
    return path


if __name__ == "__main__":
    main()
