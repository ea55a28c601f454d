"""Shards of pairs of photos: what `make_synthetic` writes of synthetic people, of real ones."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.files.images import load_mask

from ..processes import Part, in_order
from .body_files import Bodies
from .data_config import DataConfig
from .photo_samples import RandomView, Shot, cut_person, cut_whole, flipped, row_of, unpacked
from .photos import Collection, LeftOut
from .self_pairs import self_pair
from .shards import ShardError, read_header, write_shard

GENERATOR = "photos 1"
"""Version of how samples are cut; raised where they are cut otherwise."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """What one row of a shard is made of."""

    number: int
    """Of all samples of the source."""
    paths: tuple[Path, Path]
    """Of source and target."""
    params: tuple[HumanParams, HumanParams]
    """Likewise. Where source and target are one photo, the first is the pose to warp it to."""
    masks: tuple[Path | None, Path | None]


def usable_pairs(
    collection: Collection, bodies: Bodies
) -> tuple[list[tuple[str, str]], list[LeftOut]]:
    """Part the pairs whose two photos have bodies from the others."""
    pairs, left_out = [], []
    for source, target in collection.pairs:
        lacking = [one for one in dict.fromkeys((source, target)) if one not in bodies.params]
        if lacking:
            left_out.append(LeftOut(f"{source} > {target}", f"left out: {', '.join(lacking)}"))
        else:
            pairs.append((source, target))
    return pairs, left_out


def make_photo_shards(
    collection: Collection,
    bodies: Bodies,
    folder: Path,
    config: DataConfig,
    *,
    dataset: str,
    workers: int,
    part: Part,
) -> int:
    """Make the shards that are not there yet, and remove those that are too many.

    Args:
        collection: of the photos and pairs.
        bodies: of the photos.
        folder: made if missing.
        config: how samples are cut.
        dataset: name and split, for the header.
        workers: processes.
        part: which of the shards.

    Returns:
        How many samples all parts make.
    """
    samples = _samples(collection, bodies, config)
    work = []
    for shard, first in enumerate(range(0, len(samples), config.shard_size)):
        rows = samples[first : first + config.shard_size]
        path = folder / f"shard-{shard:06d}.safetensors"
        digest = _digest(rows, collection.whole, config)
        if part.has(shard) and not _is_made(path, digest):
            work.append((path, rows, collection.whole, config, dataset, digest))
    shards = -(-len(samples) // config.shard_size)
    for path in folder.glob("shard-*.safetensors"):
        if int(path.stem.partition("-")[2]) >= shards:
            path.unlink()
    count = sum(len(rows) for _, rows, *_ in work)
    with tqdm(total=count, desc="samples", unit="pair", disable=not count) as bar:
        for done in in_order(_make, work, workers=min(workers, len(work))):
            bar.update(done)
    return len(samples)


def _samples(collection: Collection, bodies: Bodies, config: DataConfig) -> list[Sample]:
    """Order all samples; the pose that a photo alone is warped to is another photo's."""
    pairs, _ = usable_pairs(collection, bodies)
    names = list(bodies.params)
    samples: list[Sample] = []
    for source, target in pairs:
        for _ in range(config.copies):
            number = len(samples)
            first = bodies.params[source]
            if source == target:
                first = bodies.params[_other(names, target, config.seed, number)]
            samples.append(
                Sample(
                    number=number,
                    paths=(collection.photos[source].path, collection.photos[target].path),
                    params=(first, bodies.params[target]),
                    masks=(bodies.masks.get(source), bodies.masks.get(target)),
                )
            )
    return samples


def _other(names: Sequence[str], name: str, seed: int, number: int) -> str:
    """Choose another photo; the photo itself where no other can be used."""
    at = int(np.random.default_rng([seed, number, 2]).integers(max(1, len(names) - 1)))
    return names[at] if names[at] != name else names[-1]


def _digest(rows: Sequence[Sample], whole: bool, config: DataConfig) -> str:
    """Tell apart other samples, other files of them and other ways to cut them."""
    told = [GENERATOR, config.size, config.crop, config.flip, config.seed, whole]
    found = sha256(json.dumps(told).encode())
    for row in rows:
        files = [path for path in (*row.paths, *row.masks) if path is not None]
        told = [(str(path), path.stat().st_mtime_ns) for path in files]
        found.update(json.dumps([row.number, *told]).encode())
        for params in row.params:
            for tensor in (params.pose, params.betas, params.transl, params.intrinsics):
                found.update(tensor.numpy().tobytes())
    return found.hexdigest()


def _is_made(path: Path, digest: str) -> bool:
    try:
        return read_header(path).get("digest") == digest
    except ShardError:
        return False


@torch.no_grad()
def _make(work: tuple[Path, list[Sample], bool, DataConfig, str, str]) -> int:
    """Write one shard and return how many samples it has."""
    path, samples, whole, config, dataset, digest = work
    made = [make_row(sample, whole, config) for sample in samples]
    tensors = {
        name: torch.from_numpy(np.stack([row[name] for row in made])).contiguous()
        for name in made[0]
    }
    about = {
        "generator": GENERATOR,
        "dataset": dataset,
        "beta_space": "posexfer",
        "picture_size": list(config.size),
        "digest": digest,
    }
    write_shard(path, tensors, about)
    return len(samples)


def make_row(sample: Sample, whole: bool, config: DataConfig) -> dict[str, np.ndarray]:
    """Cut one sample.

    Args:
        sample: which photos.
        whole: resize pictures whole instead of cutting around the person.
        config: size, crop and flip.
    """
    rng = np.random.default_rng([config.seed, sample.number])
    view = RandomView.draw(rng, crop=config.crop, flip=config.flip)
    shots = [
        Shot(
            image=unpacked(path),
            params=params,
            mask=None if mask is None else load_mask(mask)[None, None],
        )
        for path, params, mask in zip(sample.paths, sample.params, sample.masks, strict=True)
    ]
    if sample.paths[0] == sample.paths[1]:
        source, target = self_pair(shots[1], shots[0].params, _body(), config.size, view)
    elif whole:
        source, target = (cut_whole(shot, config.size, view) for shot in shots)
    else:
        source, target = (cut_person(shot, config.size, view, _body()) for shot in shots)
    if view.mirrored:
        source, target = flipped(source), flipped(target)
    return row_of(source, target, sample.number)


@cache
def _body() -> BodyModel:
    """Build the body once in each process."""
    return BodyModel.bundled()
