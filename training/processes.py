"""Work that is done item by item, in this process or in several; files that are made once."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None

Item = TypeVar("Item")
Result = TypeVar("Result")


class Part(NamedTuple):
    """Which share of the work this machine does: part `number` of `of`, from 0."""

    number: int = 0
    of: int = 1

    def has(self, item: int) -> bool:
        """Tell whether an item of work is this part's."""
        return item % self.of == self.number

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Read `2/4`, the second part of four; raises `ValueError` where it is none."""
        number, _, count = text.partition("/")
        part = cls(int(number) - 1, int(count))
        if not 0 <= part.number < part.of:
            raise ValueError(f"there is no part {text}")
        return part


ALL = Part()
"""Work that is not shared."""


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], *, workers: int, chunk: int = 1
) -> Iterator[Result]:
    """Do `work` on every item and give the results in the order of the items.

    Args:
        work: a function that can be sent to another process.
        items: can be sent as well.
        workers: processes, of one thread each; one is this process, as it is.
        chunk: items sent at once.
    """
    if workers <= 1:
        yield from map(work, items)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, torch.set_num_threads, (1,)) as pool:
        yield from pool.map(work, items, chunksize=chunk)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process of this machine in; the others wait, and find its work done.

    The system lets the next one in when a process ends, however it ends. On Windows, which has no
    such locks, nobody waits: what is written there must appear whole.
    """
    with (folder / ".lock").open("w") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
