"""Train an autoencoder, a network, its prior head, a regressor or a lifter, by a TOML.

`python -m training.train --config RUN.toml`.
"""

import argparse
import logging
import sys
import tomllib
from pathlib import Path

from accelerate.utils import set_seed

from .accelerator import start_accelerator
from .config import (
    AutoencoderTraining,
    LifterTraining,
    PriorHeadTraining,
    RegressorTraining,
    TrainConfig,
)
from .console import run_command
from .data.poses import load_poses
from .data.shards import ShardDataset
from .task import Task
from .tasks.autoencoder import AutoencoderTask
from .tasks.lifter import LifterTask
from .tasks.network import NetworkTask
from .tasks.prior_head import PriorHeadTask
from .tasks.regressor import RegressorTask
from .trainer import train

logger = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run the TOML that is named, going on from its newest checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a TOML as in training/configs")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return run_command(lambda: _run(chosen.config))


def _run(path: Path) -> None:
    config = TrainConfig.from_toml(path)
    partly = isinstance(config.task, PriorHeadTraining)
    accelerator = start_accelerator(config.run, trained_partly=partly)
    set_seed(config.run.seed)
    task, counts = _task(config)
    recipe: dict[str, object] = {"config": tomllib.loads(path.read_text()), **counts}
    bundle = train(accelerator, task, config.run, recipe)
    if accelerator.is_main_process:
        logger.info("Wrote %s.", bundle)


def _task(config: TrainConfig) -> tuple[Task, dict[str, int]]:
    """Load what the run is trained on, and count it."""
    run, settings, changes = config.run, config.task, config.model
    if isinstance(settings, LifterTraining):
        poses = load_poses(run.data)
        return LifterTask(poses, settings, changes), {"poses": len(poses)}
    data = ShardDataset(run.data)
    match settings:
        case AutoencoderTraining():
            task = AutoencoderTask(data, settings, changes)
        case RegressorTraining():
            task = RegressorTask(data, settings, changes)
        case PriorHeadTraining():
            task = PriorHeadTask(data, settings, changes, held_out=run.held_out)
        case _:
            task = NetworkTask(data, settings, changes, config.base, held_out=run.held_out)
    return task, {"pairs": len(data)}


if __name__ == "__main__":
    sys.exit(main())
