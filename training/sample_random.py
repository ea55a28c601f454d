"""Random numbers that belong to samples, not to processes: any split of a batch draws the same."""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

BLOCK = 64
"""Smaller draws are cut from rows of this many numbers: one call a sample instead of many."""


def sample_order(count: int, seed: int, places: Iterable[int]) -> list[int]:
    """Choose which of `count` samples stand at places of a run's stream.

    Each epoch, `count` places long, is a permutation of its own.
    """
    return [int(_permutation(count, seed, place // count)[place % count]) for place in places]


@lru_cache(maxsize=2)
def _permutation(count: int, seed: int, epoch: int) -> Int[Tensor, " count"]:
    generator = torch.Generator().manual_seed(seed * 7_919 + epoch)
    return torch.randperm(count, generator=generator)


class SampleRandom:
    """One generator for every sample of a batch; the first axis of what is drawn is the batch."""

    def __init__(self, generators: Sequence[torch.Generator]) -> None:
        self.generators = list(generators)
        """For what is drawn sample by sample: crops, flips, textures."""
        self._left: dict[Callable[..., Tensor], Tensor] = {}

    @classmethod
    def seeded(cls, seed: int, places: Iterable[int]) -> "SampleRandom":
        """Seed every sample by its place in the run's endless stream of samples.

        Step `s` of batches of `b` has the places `s b` to `s b + b - 1`, on whichever process.
        """
        mixed = (np.random.SeedSequence((seed, place)).generate_state(1)[0] for place in places)
        return cls([torch.Generator().manual_seed(int(state)) for state in mixed])

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.generators)

    def take(self, rows: Bool[Tensor, " batch"]) -> "SampleRandom":
        """Pick some samples; what is drawn for them goes on from the same generators."""
        chosen = rows.nonzero()[:, 0].tolist()
        return SampleRandom([self.generators[row] for row in chosen])

    def uniform(self, *shape: int) -> Tensor:
        """Draw from [0, 1): (batch, *shape)."""
        return self._draw(torch.rand, shape)

    def normal(self, *shape: int) -> Tensor:
        """Draw from the standard normal distribution: (batch, *shape)."""
        return self._draw(torch.randn, shape)

    def integers(self, high: int, *shape: int) -> Tensor:
        """Draw whole numbers from 0 to `high` - 1: (batch, *shape)."""
        return (self.uniform(*shape).double() * high).long()

    def _draw(self, kind: Callable[..., Tensor], shape: Sequence[int]) -> Tensor:
        count = math.prod(shape)
        left = self._left.get(kind, torch.empty(len(self), 0))
        if left.shape[1] < count:
            wanted = max(count - left.shape[1], BLOCK)
            fresh = [kind(wanted, generator=generator) for generator in self.generators]
            left = torch.cat([left, torch.stack(fresh)], 1) if fresh else torch.empty(0, count)
        self._left[kind] = left[:, count:]
        return left[:, :count].reshape(len(self), *shape)
