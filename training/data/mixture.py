"""Several sources of pairs, each in the share of training that its weight asks for."""

import json
from pathlib import Path

import numpy as np

from posexfer_core.errors import ConfigError
from posexfer_core.files.atomic import write_whole

from .shards import ShardDataset

NAME = "mixture.json"


def write_mixture(folder: Path, weights: dict[str, float]) -> None:
    """Keep the weight of each folder of shards beside them."""
    write_whole(folder / NAME, json.dumps(weights, indent=1).encode())


class Mixture:
    """The pairs of one epoch: every pair at least once, those of scarce sources more often.

    Worked number: 100 pairs of weight 3 and 10 of weight 1 make an epoch of 133: the 100 once and
    the 10 three times, 33 in all.
    """

    def __init__(self, data: ShardDataset) -> None:
        """Lay out an epoch; without weights it is every pair once, in order.

        Raises:
            ConfigError: the weights are of other folders than the shards.
        """
        path = data.folder / NAME
        if not path.is_file():
            self.pairs = np.arange(len(data))
            return
        weights = json.loads(path.read_text())
        groups: dict[str, list[int]] = {}
        for number, shard in enumerate(data.paths):
            groups.setdefault(shard.parent.name, []).extend(
                range(data.starts[number], data.starts[number + 1])
            )
        if groups.keys() != weights.keys():
            raise ConfigError(
                f"{path} has weights of {', '.join(weights)}, and the shards are of "
                f"{', '.join(groups)}.\n"
                "Expected one weight for each folder of shards.\n"
                "Run `python -m training.preprocess` again, or remove folders that are not meant."
            )
        total = sum(weights.values())
        shares = {name: weights[name] / total for name in groups}
        length = max(len(rows) / shares[name] for name, rows in groups.items())
        counts = {name: round(length * shares[name]) for name in groups}
        self.pairs = np.concatenate(
            [np.resize(rows, counts[name]) for name, rows in groups.items()]
        )

    def __len__(self) -> int:
        """Count the pairs of an epoch."""
        return len(self.pairs)

    def of(self, places: list[int]) -> list[int]:
        """Return the pairs at places of an epoch."""
        return self.pairs[places].tolist()
