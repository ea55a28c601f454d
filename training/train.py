"""Train an autoencoder, a network, a regressor or a lifter, as the TOML says.

`accelerate launch -m training.train --config RUN.toml`.
"""

import argparse
import logging
import sys
import tomllib
from pathlib import Path

from posexfer_core.errors import PoseXferError

from .config import AutoencoderTraining, LiftTraining, NetworkTraining, RegressTraining, TrainConfig
from .data.poses import load_poses
from .data.shards import ShardDataset
from .tasks.autoencoder import AutoencoderTask
from .tasks.lift import LiftTask
from .tasks.network import NetworkTask
from .tasks.regress import RegressTask
from .trainer import Task, train

logger = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run the TOML that is named, going on from its newest checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a TOML as in training/configs")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        config = TrainConfig.from_toml(chosen.config)
        recipe: dict[str, object] = {"config": tomllib.loads(chosen.config.read_text())}
        task, counts = _task(config)
        bundle = train(task, config.run, recipe | counts)
    except PoseXferError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logger.info("Wrote %s.", bundle)
    return 0


def _task(config: TrainConfig) -> tuple[Task, dict[str, int]]:
    """Load what the run learns from; say how much that is, too."""
    run, settings, changes = config.run, config.task, config.network
    if isinstance(settings, LiftTraining):
        poses = load_poses(run.data)
        return LiftTask(poses, settings, changes), {"poses": len(poses)}
    data = ShardDataset(run.data)
    match settings:
        case AutoencoderTraining():
            task = AutoencoderTask(data, settings)
        case RegressTraining():
            task = RegressTask(data, settings, changes)
        case NetworkTraining():
            task = NetworkTask(data, settings, changes)
    return task, {"pairs": len(data)}


if __name__ == "__main__":
    sys.exit(main())
