"""Test pairs: a folder of samples, or synthetic people of a seed range that no training uses."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..data.shards import ShardDataset
from ..make_synthetic import ClothedPairs, PlainPairs, make_shards

TEST_SEED = 900_001


@contextmanager
def unseen_pairs(
    folder: Path | None, count: int, *, clothed: bool = False
) -> Iterator[ShardDataset]:
    """Open a folder of samples; make synthetic people where it has none, or in a temporary one.

    Args:
        folder: of the samples.
        count: synthetic pairs to make.
        clothed: make clothed people, who have masks.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = folder or Path(temporary)
        ready = [*folder.glob("*/shard-*.safetensors")]
        synthetic = [*folder.glob("shard-*.safetensors")]
        if not ready and (not synthetic or _is_ours(folder)):
            maker = ClothedPairs() if clothed else PlainPairs()
            make_shards(folder, maker=maker, count=count, seed=TEST_SEED, workers=2)
        yield ShardDataset(folder)


def _is_ours(folder: Path) -> bool:
    return ShardDataset(folder).headers[0].get("seed") == TEST_SEED
