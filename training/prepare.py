"""Compute the conditions of a run's pairs before it starts: `python -m training.prepare`.

The trainer does the same when it finds them missing, in one process; this uses several.
"""

import argparse
import sys
from pathlib import Path

from posexfer_core.errors import ConfigError

from .config import PairTraining, TrainConfig
from .console import run_command
from .data.prepared import prepare
from .data.shards import ShardDataset
from .tasks.network import configure


def main(arguments: list[str] | None = None) -> int:
    """Prepare the data of the run that a TOML describes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--config", type=Path, required=True, help="TOML with a [network] or [prior_head] section"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes")
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen.config, chosen.workers))


def _run(path: Path, workers: int) -> None:
    config = TrainConfig.from_toml(path)
    if not isinstance(config.task, PairTraining):
        raise ConfigError(f"{path} has no [network] or [prior_head] section: nothing to prepare.")
    prepare(
        ShardDataset(config.run.data),
        config.task.autoencoder,
        config.task.prepared,
        configure(config.model),
        jitter=config.task.source_jitter,
        workers=workers,
    )


if __name__ == "__main__":
    sys.exit(main())
