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
    the 10 three times, 33 in all. Pairs that are held out come once, after the epoch.
    """

    def __init__(self, data: ShardDataset, held_out: int = 0) -> None:
        """Lay out an epoch; without weights it is every pair once, in order.

        Args:
            data: the shards.
            held_out: how many of the last pairs are not trained on.

        Raises:
            ConfigError: the weights are of other folders than the shards, or every pair of one is
                held out.
        """
        path, trained = data.folder / NAME, max(0, len(data) - held_out)
        if not path.is_file():
            self.pairs = np.arange(len(data))
            return
        weights = json.loads(path.read_text())
        groups: dict[str, list[int]] = {}
        for number, shard in enumerate(data.paths):
            groups.setdefault(shard.parent.name, []).extend(
                range(min(data.starts[number], trained), min(data.starts[number + 1], trained))
            )
        if groups.keys() != weights.keys():
            raise ConfigError(
                f"{path} has weights of {', '.join(weights)}, and the shards are of "
                f"{', '.join(groups)}.\n"
                "Expected one weight for each folder of shards.\n"
                "Run `python -m training.preprocess` again, or remove folders that are not meant."
            )
        if empty := [name for name, rows in groups.items() if not rows]:
            raise ConfigError(
                f"[run] held_out is {held_out}, the last of {len(data)} pairs, and leaves none of "
                f"{', '.join(empty)}.\n"
                "Expected some of every [[source]] that are left to train on.\n"
                "Lower held_out, or take the source out."
            )
        total = sum(weights.values())
        shares = {name: weights[name] / total for name in groups}
        length = max(len(rows) / shares[name] for name, rows in groups.items())
        counts = {name: round(length * shares[name]) for name in groups}
        epoch = [np.resize(rows, counts[name]) for name, rows in groups.items()]
        self.pairs = np.concatenate([*epoch, np.arange(trained, len(data))])

    def __len__(self) -> int:
        """Count the pairs of an epoch and those held out."""
        return len(self.pairs)

    def of(self, places: list[int]) -> list[int]:
        """Return the pairs at places of an epoch."""
        return self.pairs[places].tolist()
