"""Train an autoencoder, a network, a regressor or a lifter, as the TOML says.

`accelerate launch -m training.train --config RUN.toml`.
"""

import argparse
import logging
import sys
import tomllib
from pathlib import Path

from posexfer_core.errors import PoseXferError

from .config import AutoencoderTraining, LiftTraining, RegressTraining, TrainConfig
from .data.poses import load_poses
from .data.shards import ShardDataset
from .tasks.autoencoder import AutoencoderTask
from .tasks.lift import LiftTask
from .tasks.network import NetworkTask
from .tasks.regress import RegressTask
from .trainer import train

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
        if isinstance(config.task, LiftTraining):
            poses = load_poses(config.run.data)
            task = LiftTask(poses, config.task, config.network)
            recipe["poses"] = len(poses)
        else:
            data = ShardDataset(config.run.data)
            recipe["pairs"] = len(data)
            if isinstance(config.task, AutoencoderTraining):
                task = AutoencoderTask(data, config.task)
            elif isinstance(config.task, RegressTraining):
                task = RegressTask(data, config.task, config.network)
            else:
                task = NetworkTask(data, config.task, config.network)
        bundle = train(task, config.run, recipe)
    except PoseXferError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logger.info("Wrote %s.", bundle)
    return 0


if __name__ == "__main__":
    sys.exit(main())
