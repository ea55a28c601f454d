"""Make everything that a run is trained on: `python -m training.preprocess --config RUN.toml`.

First the samples of every [[source]] under [data]: each file is checked, bodies are read or fitted,
pairs are cut. Then the conditions and latents of a network's run. What is there already stays, so
that a run that was cut off goes on; what cannot be used is left out, and listed.
"""

import argparse
import csv
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from posexfer_core.errors import ConfigError
from posexfer_core.files.atomic import make_folder, write_whole

from .config import PairTraining, TrainConfig
from .console import command_parser, print_line, run_command
from .data.body_files import Bodies, make_body_files, read_body_files
from .data.data_config import DataConfig, SourceConfig
from .data.deepfashion import read_deepfashion
from .data.encoders import EncoderFiles
from .data.market1501 import read_market
from .data.mixture import write_mixture
from .data.photo_bodies import BodyRules
from .data.photo_folders import read_people, read_videos
from .data.photo_shards import make_photo_shards, usable_pairs
from .data.photos import Collection, DataError, LeftOut
from .data.prepared import prepare
from .data.shards import ShardDataset
from .make_synthetic import ClothedPairs, PlainPairs, make_shards
from .processes import ALL, Part
from .tasks.network_files import configure

SHOWN = 5
"""Things left out that are printed; the others are in the list."""


def main(arguments: list[str] | None = None) -> int:
    """Preprocess the data of the run that a TOML describes."""
    parser = command_parser(__doc__, "training.preprocess")
    parser.add_argument(
        "--config", type=Path, required=True, help="TOML of a run, as in training/configs"
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    parser.add_argument(
        "--part",
        type=Part.parse,
        default=ALL,
        metavar="I/N",
        help="do the I-th of N parts, for machines that share a folder; run once more when all "
        "parts are done with bodies (default: 1/1)",
    )
    parser.add_argument(
        "--split",
        choices=("train", "test"),
        help="of the data sets, instead of the TOML's; with --out, to make test pairs",
    )
    parser.add_argument(
        "--out", type=Path, help="folder of the samples instead of the TOML's; no conditions then"
    )
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    config = TrainConfig.from_toml(chosen.config)
    if chosen.split and not chosen.out:
        raise ConfigError("--split makes pairs of another split: give their folder by --out.")
    if config.data is None and not isinstance(config.task, PairTraining):
        raise ConfigError(
            f"{chosen.config} has no [[source]], and no [network] or [prior_head] section: nothing "
            "to prepare."
        )
    folder = chosen.out or config.run.data
    if config.data is not None:
        plan = config.data
        if chosen.split:
            sources = tuple(replace(one, split=chosen.split) for one in plan.sources)
            plan = replace(plan, sources=sources, crop=0.0, flip=0.0, copies=1)
        make_samples(plan, folder, workers=chosen.workers, part=chosen.part)
    if isinstance(config.task, PairTraining) and not chosen.out:
        network = configure(config.model, config.base, config.task.start)
        prepare(
            ShardDataset(folder),
            EncoderFiles.of_run(config.task, config.base, network),
            config.task.prepared,
            network,
            jitter=config.task.source_jitter,
            workers=chosen.workers,
            part=chosen.part,
        )


def make_samples(plan: DataConfig, folder: Path, *, workers: int, part: Part) -> None:
    """Make the shards of every source, each in its own folder, and their weights.

    Raises:
        DataError: a source is not as it should be, or nothing of it can be used.
    """
    make_folder(folder)
    for source in plan.sources:
        below = folder / source.folder
        if source.kind == "synthetic":
            _make_synthetic(source, plan, below, workers, part)
            continue
        collection = _open(source, plan)
        for note in collection.notes:
            print_line(note)
        rules = BodyRules(
            detector=plan.detector,
            most_fit_error=plan.most_fit_error,
            least_overlap=plan.least_overlap,
        )
        make_body_files(collection, below, rules, workers=workers, part=part)
        bodies = read_body_files(collection, below, rules)
        _report(source, collection, bodies, below)
        make_photo_shards(
            collection,
            bodies,
            below,
            plan,
            dataset=f"{source.kind} {source.split}",
            workers=workers,
            part=part,
        )
    write_mixture(folder, {source.folder: source.weight for source in plan.sources})


def _open(source: SourceConfig, plan: DataConfig) -> Collection:
    """List the photos and pairs of a source."""
    assert source.root is not None
    choice = {"per_photo": source.per_photo, "seed": plan.seed}
    alone = source.pairs == "self"
    match source.kind:
        case "deepfashion":
            found = read_deepfashion(source.root, source.split, source.bodies)
        case "market":
            found = read_market(source.root, source.split, bodies=source.bodies, **choice)
        case "video":
            return read_videos(source.root, gap=source.gap, alone=alone, **choice)
        case _:
            return read_people(source.root, alone=alone, **choice)
    pairs = [(name, name) for name in found.photos] if alone else found.pairs
    return replace(found, pairs=pairs)


def _make_synthetic(
    source: SourceConfig, plan: DataConfig, folder: Path, workers: int, part: Part
) -> None:
    """Make synthetic people of the samples' size."""
    scale = plan.height // 256
    if plan.size != (256 * scale, 176 * scale) or (scale > 1 and source.people == "plain"):
        raise ConfigError(
            f"[[source]] synthetic makes images of 256x176 or a multiple (clothed people), and "
            f"[data] asks for {plan.height}x{plan.width}."
        )
    maker = PlainPairs() if source.people == "plain" else ClothedPairs(scale=scale)
    step = source.count if part.of == 1 else plan.shard_size
    for number, start in enumerate(range(0, source.count, step)):
        if part.has(number):
            make_shards(
                folder,
                maker=maker,
                count=min(step, source.count - start),
                seed=source.seed,
                start=start,
                workers=workers,
                shard_size=plan.shard_size,
            )


def _report(source: SourceConfig, collection: Collection, bodies: Bodies, folder: Path) -> None:
    """Print and keep what is used and what is left out.

    Raises:
        DataError: nothing is used.
    """
    pairs, without = usable_pairs(collection, bodies)
    photos = [*collection.left_out, *bodies.left_out]
    summary = {
        "photos": len(bodies.params),
        "photos_left_out": len(photos),
        "pairs": len(pairs),
        "pairs_left_out": len(without),
        "bodies_from": bodies.origins,
        "fit_error": _spread(bodies.fit_errors),
        "mask_overlap": _spread(bodies.overlaps),
        "notes": bodies.notes,
    }
    write_whole(folder / "report.json", json.dumps(summary, indent=1).encode())
    table = io.StringIO(newline="")
    csv.writer(table).writerows([LeftOut._fields, *photos, *without])
    write_whole(folder / "left_out.csv", table.getvalue().encode())
    print_line(
        f"{source.folder}: {len(bodies.params)} photos and {len(pairs)} pairs are used; "
        f"{len(photos)} photos and {len(without)} pairs are left out ({folder / 'left_out.csv'})"
    )
    for name, values in (("fit error", bodies.fit_errors), ("mask overlap", bodies.overlaps)):
        if values:
            print_line(f"  {name}: median {np.median(values):.1%} of {len(values)} photos")
    for reason, count in Counter(one.reason for one in photos).most_common(SHOWN):
        print_line(f"  left out: {count} x {reason}")
    for words, count in list(bodies.notes.items())[:SHOWN]:
        print_line(f"  note: {count} x {words}")
    if not pairs:
        raise DataError(
            f"Nothing of {source.root} can be used: {len(photos)} photos are left out.\n"
            "Expected photos that open, with body parameters, keypoints or a detector.\n"
            f"Read {folder / 'left_out.csv'}; mend what it names and run the command again."
        )


def _spread(values: Sequence[float]) -> dict[str, float]:
    """Summarise a measure of all photos."""
    if not values:
        return {}
    quantiles = np.quantile(values, [0.5, 0.9, 0.99])
    return {
        "photos": len(values),
        **{name: float(q) for name, q in zip(("p50", "p90", "p99"), quantiles, strict=True)},
    }


if __name__ == "__main__":
    sys.exit(main())
