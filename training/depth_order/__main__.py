"""Score who is in front: `python -m training.depth_order --twins FOLDER --each 60 --arms RUNS`.

Twins that are not there yet are made. Arms draw at a quarter of the size, and everything beside
them is judged there, too; without arms, everything is judged at the full 256x176. Outputs of other
systems: write what they need by --export, draw `0000_a.png` and `0000_b.png` for every twin, and
name their folder by --images.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from posexfer_core.errors import ConfigError

from ..arms.catalogue import ARMS
from ..arms.pairs import DRAWN
from ..arms.task import ArmRun
from ..console import command_parser, print_line, run_command
from . import methods, painters
from .export import export_inputs
from .files import TEST_SEED, TwinRow, make_twins
from .measures import Method, score_twin
from .report import Scored, as_json, markdown, source_threshold, summary, told_by_source
from .twins import LEAST_PX

TRUTH = "truth"
SMALL_LEAST_PX = 80
"""Pixels of the truths that an overlap must have to be judged at a quarter of the size: 5 there."""
FLAT = {
    "copy of the source": painters.copy_source,
    "one colour, true outline": painters.one_colour,
    "a colour per part, true parts": painters.colour_per_part,
    TRUTH: painters.truth,
}


def main(arguments: list[str] | None = None) -> int:
    """Make twins, draw, judge, and print the table."""
    parser = command_parser(__doc__, "training.depth_order")
    parser.add_argument("--twins", type=Path, required=True, help="folder of twins")
    parser.add_argument("--each", type=int, default=60, help="twins of each subset (default 60)")
    parser.add_argument("--seed", type=int, default=TEST_SEED, help="of the twins")
    parser.add_argument("--workers", type=int, default=1, help="processes that make twins")
    parser.add_argument("--arms", type=Path, help="folder of `python -m training.arms`")
    parser.add_argument("--arm-seed", type=int, default=0, help="seed of the arms (default 0)")
    parser.add_argument("--warp", action="store_true", help="score the warp")
    parser.add_argument("--weights", type=Path, nargs="*", default=[], help="weights to score")
    parser.add_argument("--steps", type=int, default=20, help="sampling steps of weights")
    parser.add_argument("--images", nargs="*", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--export", type=Path, help="folder for what other systems need")
    parser.add_argument("--perceptual", action="store_true", help="perceptual distances, too")
    parser.add_argument("--json", type=Path, help="file for every score")
    parser.add_argument("--markdown", type=Path, help="file for the table")
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    rows = make_twins(chosen.twins, each=chosen.each, seed=chosen.seed, workers=chosen.workers)
    if chosen.export is not None:
        export_inputs(rows, chosen.export)
    drawing = dict(_methods(chosen, rows))
    least_px = SMALL_LEAST_PX if chosen.arms is not None else LEAST_PX
    scored = {name: Scored(name=name, scores=[]) for name in drawing}
    for row in tqdm(rows, desc="twins", disable=None):
        for name, draw in drawing.items():
            score = score_twin(row, draw(row), perceptual=chosen.perceptual, least_px=least_px)
            scored[name].scores.append(score)
    threshold, told = source_threshold(scored[TRUTH]), told_by_source(scored[TRUTH])
    reference = next((name for name in drawing if name not in FLAT), TRUTH)
    entries = {
        name: summary(method, scored[reference], threshold, told) for name, method in scored.items()
    }
    table = markdown(entries, reference)
    print_line(table)
    judge = "abstains" if threshold is None else f"judges from a contrast of {threshold} on"
    print_line(f"{len(rows)} twins; the judge by the source's colours {judge}.")
    if chosen.markdown is not None:
        chosen.markdown.write_text(table)
    if chosen.json is not None:
        found = as_json(list(scored.values()), entries) | {"threshold": threshold}
        chosen.json.write_text(json.dumps(found, indent=1))


def _methods(chosen: argparse.Namespace, rows: list[TwinRow]) -> Iterator[tuple[str, Method]]:
    factor = DRAWN if chosen.arms is not None else 1
    for name, make in FLAT.items():
        yield name, make(factor)
    if chosen.arms is not None:
        yield from _arms(chosen, rows)
    yield "points carry colours, untrained", methods.carried(factor)
    if chosen.warp:
        yield "the warp", methods.warp(factor)
    for weights in chosen.weights:
        for warped in (True, False):
            name = f"{weights.stem}, {'with' if warped else 'without'} the warp"
            yield name, methods.bundle(weights, factor, steps=chosen.steps, warped=warped)
    for given in chosen.images:
        name, _, folder = given.partition("=")
        if not folder:
            raise ConfigError(
                f"--images has {given!r}. Expected NAME=FOLDER. Name what drew the images."
            )
        yield name, methods.folder_of_images(Path(folder), factor)


def _arms(chosen: argparse.Namespace, rows: list[TwinRow]) -> Iterator[tuple[str, Method]]:
    runs = [ArmRun(chosen.arms, name, chosen.arm_seed) for name in ARMS]
    trained = {run.arm: run for run in runs if run.bundle.exists()}
    if not trained:
        raise ConfigError(
            f"{chosen.arms} holds no trained arm of seed {chosen.arm_seed}.\n"
            "Expected folders such as points-0 with a bundle.safetensors.\n"
            "Train them by `python -m training.arms`."
        )
    for name, run in trained.items():
        yield ARMS[name].told, methods.arm(run)
    if "points" in trained:
        other = methods.depth_of_another(rows)
        yield "… z zeroed", methods.arm(trained["points"], methods.no_depth)
        yield "… z of another", methods.arm(trained["points"], other)


if __name__ == "__main__":
    sys.exit(main())
