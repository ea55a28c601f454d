"""Pairs of images of one person, kept as safetensors files of a few hundred pairs each.

A shard holds the images as bytes and the parameters of the bare body; every map is computed
from those again, exactly. Its header says how it was made.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from posexfer_core.body.params import HumanParams
from posexfer_core.conventions import BETA_COUNT, JOINT_COUNT
from posexfer_core.errors import PoseXferError
from posexfer_core.files.atomic import replacing

FORMAT = "posexfer.pairs"
VERSION = 1
ENTRIES: dict[str, tuple[torch.dtype, tuple[int, ...]]] = {
    "source": (torch.uint8, (-1, -1, 3)),
    "target": (torch.uint8, (-1, -1, 3)),
    "source_pose": (torch.float32, (JOINT_COUNT, 3)),
    "target_pose": (torch.float32, (JOINT_COUNT, 3)),
    "betas": (torch.float32, (BETA_COUNT,)),
    "source_transl": (torch.float32, (3,)),
    "target_transl": (torch.float32, (3,)),
    "intrinsics": (torch.float32, (3, 3)),
    "index": (torch.int64, ()),
}
"""What a shard holds for every pair; -1 is the height or the width of the images."""
COVERAGE: dict[str, tuple[torch.dtype, tuple[int, ...]]] = {
    "source_coverage": (torch.uint8, (-1, -1)),
    "target_coverage": (torch.uint8, (-1, -1)),
}
"""What shards with masks hold besides: the share of each pixel that is person, times 255; zeros all
over where it is not known."""
OWN_TARGET: dict[str, tuple[torch.dtype, tuple[int, ...]]] = {
    "target_betas": (torch.float32, (BETA_COUNT,)),
    "target_intrinsics": (torch.float32, (3, 3)),
}
"""What shards of photos hold besides: the target's own shape and camera, as they were estimated."""


class ShardError(PoseXferError):
    """A folder holds no shards, or a shard is damaged or was made by something else."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """One person in two poses before one background."""

    source_image: Float[Tensor, "3 height width"]
    """The person shown, in [-1, 1]."""
    target_image: Float[Tensor, "3 height width"]
    """The same person in the pose wanted, in [-1, 1]."""
    source: HumanParams
    """The bare body of the source image, one frame and one person."""
    target: HumanParams
    """The bare body of the target image, one frame and one person."""
    index: int
    """Which pair of its seed this is; unique among the shards of one folder."""


class ShardDataset:
    """Reads the pairs of a folder of shards in the order of their names."""

    def __init__(self, folder: Path) -> None:
        """Check every shard's header.

        Raises:
            ShardError: the folder is missing or empty, or a shard cannot be used.
        """
        self.folder = folder
        if not folder.is_dir():
            raise ShardError(
                f"{folder} is not a folder. Make pairs with "
                f"`python -m training.make_synthetic --out {folder} --count 2560 --seed 1`."
            )
        self.paths = [
            *sorted(folder.glob("shard-*.safetensors")),
            *sorted(folder.glob("*/shard-*.safetensors")),
        ]
        """Every shard: of the folder, then of each source's folder in it."""
        if not self.paths:
            raise ShardError(
                f"{folder} holds no shard-*.safetensors. Make pairs with "
                f"`python -m training.make_synthetic --out {folder} --count 2560 --seed 1`."
            )
        self._files: dict[int, Any] = {}
        self.headers = [read_header(path) for path in self.paths]
        """What every shard's header says of how it was made."""
        self.starts = [0]
        """Number of pairs before each shard, then the number of all pairs."""
        for header in self.headers:
            self.starts.append(self.starts[-1] + header["pairs"])

    def __len__(self) -> int:
        """Count the pairs."""
        return self.starts[-1]

    def __getstate__(self) -> dict[str, Any]:
        """Leave open files behind, so that another process opens its own."""
        return {**self.__dict__, "_files": {}}

    def locate(self, index: int) -> tuple[int, int]:
        """Find the shard of a pair and its row in there."""
        if not 0 <= index < len(self):
            raise IndexError(f"There is no pair {index}: {self.folder} holds {len(self)}.")
        shard = bisect_right(self.starts, index) - 1
        return shard, index - self.starts[shard]

    def source_bytes(self, index: int) -> UInt8[Tensor, "height width 3"]:
        """Read one source image as it is stored."""
        return self._read(index, "source")

    def target_bytes(self, index: int) -> UInt8[Tensor, "height width 3"]:
        """Read one target image as it is stored."""
        return self._read(index, "target")

    def coverage(self, index: int, role: str) -> UInt8[Tensor, "height width"]:
        """Read how much of each pixel of the "source" or the "target" is person, times 255.

        Raises:
            ShardError: the shards hold people without masks.
        """
        if not self.headers[self.locate(index)[0]].get("coverage"):
            raise ShardError(
                f"{self.folder} holds no masks. Make its pairs with "
                "`python -m training.make_synthetic --people clothed`."
            )
        return self._read(index, f"{role}_coverage")

    def pair(self, index: int) -> Pair:
        """Read one pair."""
        source, target = self.source_bytes(index), self.target_bytes(index)
        header = self.headers[self.locate(index)[0]]
        own = "target_" if header.get("own_target") else ""
        bodies = [
            HumanParams.single(
                pose=self._read(index, f"{role}_pose"),
                betas=self._read(index, f"{own}betas"),
                transl=self._read(index, f"{role}_transl"),
                intrinsics=self._read(index, f"{own}intrinsics"),
                image_size=(image.shape[0], image.shape[1]),
                beta_space=header["beta_space"],
            )
            for role, image, own in (("source", source, ""), ("target", target, own))
        ]
        return Pair(
            source_image=image_of(source),
            target_image=image_of(target),
            source=bodies[0],
            target=bodies[1],
            index=int(self._read(index, "index")),
        )

    def _read(self, index: int, name: str) -> Tensor:
        shard, row = self.locate(index)
        if shard not in self._files:
            self._files[shard] = safe_open(self.paths[shard], framework="pt")
        # a slice keeps the whole file mapped, and would take it along to another process
        return self._files[shard].get_slice(name)[row].clone()


def image_of(stored: UInt8[Tensor, "height width c"]) -> Float[Tensor, "c height width"]:
    """Carry bytes to [-1, 1], channels first: 0 is -1, 255 is 1."""
    return rearrange(stored.float() / 127.5 - 1.0, "height width rgb -> rgb height width")


def read_header(path: Path) -> dict[str, Any]:
    """Read what a shard says of itself, and check that it holds what it should.

    Returns:
        `format`, `version`, `pairs`, `beta_space`, and whatever its maker wrote.

    Raises:
        ShardError: the file is no shard, or damaged, or of another version.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("header", "{}"))
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ShardError(
            f"{path} is not a readable shard ({error}). It may be cut short: remove it and run "
            "the command that made it again, which makes only what is missing."
        ) from error
    if (header.get("format"), header.get("version")) != (FORMAT, VERSION):
        raise ShardError(
            f"{path} has format={header.get('format')!r}, version={header.get('version')!r} in "
            f"its header, expected {FORMAT!r}, {VERSION}. Remove it and make the shards again."
        )
    if missing := ENTRIES.keys() - shapes.keys():
        raise ShardError(f"{path} lacks {sorted(missing)}. Remove it and make it again.")
    counts = {name: shape[0] for name, shape in shapes.items() if name in ENTRIES}
    if set(counts.values()) != {header.get("pairs")}:
        raise ShardError(
            f"{path} says it holds {header.get('pairs')} pairs but its arrays hold {counts}. "
            "Remove it and make it again."
        )
    return header


def write_shard(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write one shard, whole or not at all.

    Args:
        path: `shard-000000.safetensors` and so on.
        tensors: those of `ENTRIES`, and of `COVERAGE` and `OWN_TARGET` or not, one row a pair.
        about: what the header should say besides the format; at least `beta_space`.

    Raises:
        OutputError: the folder cannot be written to.
    """
    entries = dict(ENTRIES)
    for optional in (COVERAGE, OWN_TARGET):
        entries |= optional if optional.keys() & tensors.keys() else {}
    assert tensors.keys() == entries.keys()
    pairs = len(tensors["index"])
    for name, (dtype, shape) in entries.items():
        found = tensors[name]
        fits = all(want in (-1, have) for want, have in zip(shape, found.shape[1:], strict=True))
        assert fits and found.dtype == dtype and len(found) == pairs, name
    header = {**about, "format": FORMAT, "version": VERSION, "pairs": pairs}
    header |= {"coverage": True} if COVERAGE.keys() <= tensors.keys() else {}
    header |= {"own_target": True} if OWN_TARGET.keys() <= tensors.keys() else {}
    with replacing(path) as partial:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(dict(tensors), partial, metadata={"header": json.dumps(header)})
