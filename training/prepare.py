"""Compute the conditions of a run's pairs before it starts: `python -m training.prepare`.

The trainer does the same when it finds them missing, in one process; this uses several.
"""

import argparse
import sys
from pathlib import Path

from posexfer_core.errors import PoseXferError

from .config import NetworkTraining, TrainConfig
from .data.prepared import prepare
from .data.shards import ShardDataset
from .tasks.network import configure


def main(arguments: list[str] | None = None) -> int:
    """Prepare the data of the run that a TOML describes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="TOML with a [network] section")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    chosen = parser.parse_args(arguments)
    try:
        config = TrainConfig.from_toml(chosen.config)
        if not isinstance(config.task, NetworkTraining):
            sys.stderr.write(f"{chosen.config} has no [network] section: nothing to prepare.\n")
            return 2
        prepare(
            ShardDataset(config.run.data),
            config.task.autoencoder,
            config.task.prepared,
            configure(config.network),
            jitter=config.task.source_jitter,
            workers=chosen.workers,
        )
    except PoseXferError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
