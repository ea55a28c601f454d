"""Train the arms, one after another: `python -m training.arms --pairs PAIRS --out FOLDER`.

What is trained already is kept, and a run that was cut off goes on; a larger `--steps` goes on from
the same checkpoints. Score them by `python -m training.depth_order --arms FOLDER`.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

from posexfer_core.errors import ConfigError

from ..accelerator import start_accelerator
from ..console import command_parser, print_line, run_command
from ..data.shards import ShardDataset
from ..run_config import RunConfig
from ..trainer import train
from .catalogue import ARMS, MAIN
from .pairs import SmallPairs, prepare_small
from .task import ArmRun, ArmTask


def main(arguments: list[str] | None = None) -> int:
    """Train what is missing."""
    parser = command_parser(
        __doc__,
        "training.arms",
        epilog="\n".join(f"{name:22s} {arm.told}" for name, arm in ARMS.items()),
    )
    parser.add_argument("--pairs", type=Path, required=True, help="shards of clothed people")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--arms", nargs="+", default=list(MAIN), help="default: the main ones")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="default: 0")
    parser.add_argument("--steps", type=int, default=6_000, help="optimiser steps (default 6000)")
    parser.add_argument("--batch", type=int, default=16, help="pairs a step (default 16)")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate (default 0.001)")
    parser.add_argument(
        "--held-out", type=int, default=256, help="last pairs, never trained on (default 256)"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare the pairs")
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    if unknown := [name for name in chosen.arms if name not in ARMS]:
        raise ConfigError(f"There are no arms {unknown}; there are {list(ARMS)}. Choose of these.")
    data = ShardDataset(chosen.pairs)
    if not 0 <= chosen.held_out < len(data):
        raise ConfigError(
            f"{chosen.pairs} holds {len(data)} pairs, of which {chosen.held_out} are held out. "
            "Make more by `python -m training.make_synthetic --people clothed`."
        )
    prepare_small(data, chosen.out / "small", workers=chosen.workers)
    pairs = SmallPairs(data, chosen.out / "small")
    for seed in chosen.seeds:
        for name in chosen.arms:
            _train(ArmRun(chosen.out, name, seed), pairs, chosen)


def _train(run: ArmRun, pairs: SmallPairs, chosen: argparse.Namespace) -> None:
    settings = {"steps": chosen.steps, "batch": chosen.batch, "rate": chosen.rate}
    done = run.output / "done.json"
    if done.exists() and json.loads(done.read_text()) == settings:
        print_line(f"{run.arm}, seed {run.seed}: trained already")
        return
    config = RunConfig(
        data=chosen.pairs,
        output=run.output,
        seed=run.seed,
        steps=chosen.steps,
        batch_size=chosen.batch,
        learning_rate=chosen.rate,
        warmup_steps=min(100, chosen.steps // 10),
        decay_steps=chosen.steps // 3,
        ema_decay=0.995,
        save_every=max(1, min(500, chosen.steps // 4)),
        sample_every=chosen.steps,
        precision="no",
    )
    accelerator = start_accelerator(config)
    torch.manual_seed(run.seed)
    task = ArmTask(pairs, ARMS[run.arm], chosen.held_out)
    parameters = sum(p.numel() for p in task.model.parameters())
    print_line(f"{run.arm}, seed {run.seed}: {parameters:,} parameters, {chosen.steps} steps")
    train(accelerator, task, config, {"arm": run.arm, "batch": chosen.batch, "pairs": len(task)})
    done.write_text(json.dumps(settings))


if __name__ == "__main__":
    sys.exit(main())
