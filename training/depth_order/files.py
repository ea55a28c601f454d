"""Files of twins: a few of one subset each, made in any order and by any number of processes."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.errors import PoseXferError
from posexfer_core.files.atomic import replacing

from ..data.shards import image_of
from ..processes import in_order
from .overlaps import SUBSETS, Group, Overlaps, pairs_of_groups
from .twins import LEAST_PX, Twin, make_twin

FORMAT, VERSION = "posexfer.twins", 1
A_FILE = 10
"""Twins of a subset in a file."""
SUBSET_NUMBERS = 10_000
"""Numbers that are kept for each subset."""
TEST_SEED = 910_001
"""Of the benchmark. Training takes small seeds, evaluation of pairs 900,001."""


class TwinsError(PoseXferError):
    """A folder holds no twins, or others than were asked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinRow:
    """One stored twin."""

    number: int
    """`SUBSET_NUMBERS` times its subset's, and which of it: however many there are of others."""
    subset: str
    arrays: Mapping[str, Tensor]

    @cached_property
    def images(self) -> dict[str, Float[Tensor, "3 height width"]]:
        """Source and the two truths, in [-1, 1]: "source", "a", "b"."""
        return {name: image_of(self.arrays[name]) for name in ("source", "a", "b")}

    def coverage(self, name: str) -> Float[Tensor, "1 height width"]:
        """Share of the person in each pixel of an image."""
        return self.arrays[f"{name}_coverage"][None].float() / 255.0

    def params(self, name: str) -> HumanParams:
        """Give the bare body of an image."""
        height, width = self.arrays["source"].shape[:2]
        return HumanParams.single(
            pose=self.arrays[f"{name}_pose"],
            betas=self.arrays["betas"],
            transl=self.arrays["source_transl" if name == "source" else "target_transl"],
            intrinsics=self.arrays["intrinsics"],
            image_size=(height, width),
            beta_space=the_body().beta_space,
        )

    @property
    def overlaps(self) -> Overlaps:
        """Where the order differs."""
        fronts = [self.arrays[f"front_{name}"].long() for name in ("a", "b")]
        return Overlaps(fronts[0], fronts[1], self.arrays["changed"] > 0)

    @property
    def pairs(self) -> dict[tuple[Group, Group], Tensor]:
        """Split the overlaps by the parts that meet."""
        return pairs_of_groups(self.overlaps, LEAST_PX)


@cache
def the_body() -> BodyModel:
    """Give the body that all twins have, built once."""
    return BodyModel.bundled()


def row_of(twin: Twin) -> dict[str, Tensor]:
    """Carry a twin to arrays."""
    arrays: dict[str, Any] = {
        "betas": twin.source.betas[0, 0],
        "intrinsics": twin.source.intrinsics[0],
        "source_transl": twin.source.transl[0, 0],
        "target_transl": twin.pose_a.transl[0, 0],
        "changed": twin.overlaps.changed.to(torch.uint8),
        "front_a": twin.overlaps.front_a.to(torch.uint8),
        "front_b": twin.overlaps.front_b.to(torch.uint8),
        "attempts": torch.tensor(twin.attempts),
    }
    bodies = (twin.source, twin.pose_a, twin.pose_b)
    for name, params, shown in zip(("source", "a", "b"), bodies, twin.portraits, strict=True):
        arrays[name] = torch.from_numpy(np.ascontiguousarray(shown.image))
        arrays[f"{name}_coverage"] = torch.from_numpy(np.ascontiguousarray(shown.coverage))
        arrays[f"{name}_pose"] = params.pose[0, 0].float()
    return arrays


def make_twins(
    folder: Path, *, each: int, seed: int = TEST_SEED, workers: int = 1
) -> "list[TwinRow]":
    """Make so many twins of every subset, as far as they are not there yet, and read them.

    Raises:
        TwinsError: the folder holds twins of another seed or version.
    """
    folder.mkdir(parents=True, exist_ok=True)
    work = []
    for subset in SUBSETS:
        for first in range(0, each, A_FILE):
            path = folder / f"twins-{SUBSETS.index(subset)}-{first:04d}.safetensors"
            numbers = range(first, min(first + A_FILE, each))
            if not path.exists() or len(_read(path, seed)[1]) < len(numbers):
                work.append((path, seed, subset, numbers))
    made = in_order(_make_file, work, workers=workers)
    list(tqdm(made, total=len(work), desc="making twins", disable=not work))
    return list(read_twins(folder, each=each, seed=seed))


def read_twins(
    folder: Path, *, each: int | None = None, seed: int | None = None
) -> Iterator[TwinRow]:
    """Read the twins of a folder, subset by subset.

    Args:
        folder: of `make_twins`.
        each: so many of every subset; all by default.
        seed: that they must be of; any by default.

    Raises:
        TwinsError: there are none, or of another seed or version.
    """
    paths = sorted(folder.glob("twins-*.safetensors"))
    if not paths:
        raise TwinsError(
            f"{folder} holds no twins-*.safetensors. Make twins with "
            f"`python -m training.depth_order --twins {folder} --each 60`."
        )
    counts: Counter[str] = Counter()
    for path in paths:
        subset, rows = _read(path, seed)
        for arrays in rows:
            if each is not None and counts[subset] >= each:
                break
            number = SUBSET_NUMBERS * SUBSETS.index(subset) + counts[subset]
            counts[subset] += 1
            yield TwinRow(number=number, subset=subset, arrays=arrays)


def _make_file(work: tuple[Path, int, str, range]) -> None:
    path, seed, subset, numbers = work
    rows = [row_of(make_twin(seed, subset, number, the_body())) for number in numbers]
    about = {"format": FORMAT, "version": VERSION, "seed": seed, "subset": subset}
    tensors = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
    with replacing(path) as partial:
        save_file(tensors, partial, metadata={"header": json.dumps(about)})


def _read(path: Path, seed: int | None) -> tuple[str, list[dict[str, Tensor]]]:
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("header", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise TwinsError(
            f"{path} cannot be read ({error}). Expected a file of twins. Remove it and run again."
        ) from error
    wanted = {
        "format": FORMAT,
        "version": VERSION,
        "seed": about.get("seed", seed) if seed is None else seed,
    }
    if {name: about.get(name) for name in wanted} != wanted:
        raise TwinsError(
            f"{path} says {about}. Expected {wanted}. Choose another folder, or remove this one."
        )
    count = len(tensors["betas"])
    rows = [{name: values[row] for name, values in tensors.items()} for row in range(count)]
    return about["subset"], rows
