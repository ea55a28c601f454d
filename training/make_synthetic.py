"""Make pairs of images of synthetic people, with the body parameters of both.

Pair number i of a seed is the same whoever makes it: in one go or in parts, with one process or
many, in shards of any size. What is there already is kept, so that a run that was cut off goes on.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from posexfer_core.body.model import BodyModel
from posexfer_core.errors import ConfigError
from posexfer_core.files.images import save_image

from .console import run_command
from .data.shards import ShardDataset, ShardError, read_header, write_shard
from .processes import in_order
from .synthetic import clothed_pairs
from .synthetic.environment import panoramas
from .synthetic.pairs import GENERATOR, IMAGE_SIZE, make_pair

SHARD_SIZE = 256
CHUNK = 8
SHEET_PAIRS, SHEET_COLUMNS = 30, 5


def main(arguments: list[str] | None = None) -> int:
    """Make what is missing, then draw a contact sheet if one is wanted."""
    parser = argparse.ArgumentParser(prog="python -m training.make_synthetic", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--count", type=int, required=True, help="pairs to make")
    parser.add_argument("--seed", type=int, required=True, help="decides every pair")
    parser.add_argument(
        "--start",
        type=int,
        default=0,
        help="number of the first pair, a multiple of the shard size (default 0): machines that "
        "share a job take different ones",
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    parser.add_argument(
        "--shard-size", type=int, default=SHARD_SIZE, help=f"pairs a file (default {SHARD_SIZE})"
    )
    parser.add_argument(
        "--people",
        choices=("plain", "clothed"),
        default="plain",
        help="clothed: skirts, dresses, coats and long hair too, light from all around, and a mask "
        "of every person (default: plain)",
    )
    parser.add_argument(
        "--scale", type=int, default=1, help="clothed people: times 256x176 pixels (default 1)"
    )
    parser.add_argument(
        "--panoramas",
        type=Path,
        help="clothed people: folder of .exr or .exr.js panoramas that light them too, such as "
        "hdri/ of the npm package @pmndrs/assets; needs the package OpenEXR",
    )
    parser.add_argument("--preview", type=Path, help="PNG for a contact sheet of the first pairs")
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    clothed = ClothedPairs(scale=chosen.scale, panoramas=chosen.panoramas)
    make_shards(
        chosen.out,
        maker=clothed if chosen.people == "clothed" else PlainPairs(),
        count=chosen.count,
        seed=chosen.seed,
        start=chosen.start,
        workers=chosen.workers,
        shard_size=chosen.shard_size,
    )
    if chosen.preview:
        save_image(contact_sheet(ShardDataset(chosen.out)), chosen.preview)


@dataclass(frozen=True)
class PlainPairs:
    """Makes pairs of `synthetic.pairs`."""

    def about(self) -> dict[str, object]:
        """Say in a shard's header what is made."""
        return {"generator": GENERATOR, "picture_size": list(IMAGE_SIZE)}

    def row(self, seed: int, index: int) -> dict[str, np.ndarray]:
        """Make one pair."""
        return make_pair(seed, index, _body())


@dataclass(frozen=True, kw_only=True)
class ClothedPairs:
    """Makes pairs of `synthetic.clothed_pairs`."""

    scale: int = 1
    panoramas: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a scale that makes no sense."""
        if self.scale < 1:
            raise ConfigError(f"scale={self.scale} must be at least 1.")

    def about(self) -> dict[str, object]:
        """Say in a shard's header what is made."""
        folder = self.panoramas
        return {
            "generator": clothed_pairs.GENERATOR,
            "picture_size": [side * self.scale for side in IMAGE_SIZE],
            "panoramas": [] if folder is None else [path.name for path in panoramas(folder)],
            "coverage": True,
        }

    def row(self, seed: int, index: int) -> dict[str, np.ndarray]:
        """Make one pair."""
        made = clothed_pairs.make_clothed_pair(
            seed, index, _body(), scale=self.scale, panoramas=self.panoramas
        )
        return made.row


def make_shards(
    folder: Path,
    *,
    maker: PlainPairs | ClothedPairs = PlainPairs(),
    count: int,
    seed: int,
    start: int = 0,
    workers: int = 1,
    shard_size: int = SHARD_SIZE,
) -> None:
    """Make pairs `start` to `start + count` of a seed, as far as they are not there yet.

    Args:
        folder: made if missing. Shard k holds pairs `k * shard_size` and on.
        maker: of the people.
        count: pairs; the last shard may be short.
        seed: decides every pair.
        start: number of the first pair, a multiple of `shard_size`.
        workers: processes.
        shard_size: pairs a file.

    Raises:
        ConfigError: a number makes no sense.
        ShardError: the folder holds pairs of another seed, shard size or generator.
        OutputError: the folder cannot be written to.
    """
    if count < 1 or seed < 0 or workers < 1 or shard_size < 1:
        raise ConfigError(
            f"count={count}, workers={workers} and shard size={shard_size} must be at least 1, "
            f"seed={seed} at least 0."
        )
    if start < 0 or start % shard_size:
        raise ConfigError(
            f"start={start} must be a multiple of the shard size, {shard_size}: shards are named "
            "by their first pair."
        )
    missing: list[tuple[Path, range]] = []
    for first in range(start, start + count, shard_size):
        pairs = range(first, min(first + shard_size, start + count))
        path = folder / f"shard-{first // shard_size:06d}.safetensors"
        if not _is_made(path, _about(maker, seed, pairs, shard_size)):
            missing.append((path, pairs))
    wanted = [index for _, pairs in missing for index in pairs]
    rows = in_order(partial(maker.row, seed), wanted, workers=workers, chunk=CHUNK)
    with tqdm(total=len(wanted), desc="making pairs", unit="pair", disable=not wanted) as bar:
        for path, pairs in missing:
            made = []
            for _ in pairs:
                made.append(next(rows))
                bar.update()
            tensors = {
                name: torch.from_numpy(np.stack([row[name] for row in made])) for name in made[0]
            }
            write_shard(path, tensors, _about(maker, seed, pairs, shard_size))


def contact_sheet(data: ShardDataset) -> torch.Tensor:
    """Show the first pairs, source beside target; (1, 3, height, width) in [-1, 1]."""
    count = min(SHEET_PAIRS, len(data))
    cells = []
    for index in range(count):
        pair = data.pair(index)
        gap = torch.ones(3, pair.source_image.shape[1], 6)
        cells.append(torch.cat([pair.source_image, pair.target_image, gap], -1))
    columns = min(SHEET_COLUMNS, count)
    cells += [torch.ones_like(cells[0])] * (-count % columns)
    rows = [torch.cat(cells[at : at + columns], -1) for at in range(0, len(cells), columns)]
    return torch.cat(rows, -2)[None]


def _about(
    maker: PlainPairs | ClothedPairs, seed: int, pairs: range, shard_size: int
) -> dict[str, object]:
    """Say in a shard's header how it was made."""
    return {
        **maker.about(),
        "seed": seed,
        "first": pairs.start,
        "pairs": len(pairs),
        "shard_size": shard_size,
        "beta_space": "posexfer",
    }


def _is_made(path: Path, about: dict[str, object]) -> bool:
    """Tell whether a shard is there and whole; a short or a damaged one is made again."""
    if not path.exists():
        return False
    try:
        header = read_header(path)
    except ShardError:
        return False
    for name in ("generator", "seed", "first", "shard_size", "picture_size", "panoramas"):
        if header.get(name) != about.get(name):
            raise ShardError(
                f"{path} holds other pairs: {name}={header.get(name)!r}, expected "
                f"{about.get(name)!r}. Choose another folder, or remove this one."
            )
    return header["pairs"] == about["pairs"]


@cache
def _body() -> BodyModel:
    """Build the body once in each process."""
    return BodyModel.bundled()


if __name__ == "__main__":
    sys.exit(main())
