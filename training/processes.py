"""Work that is done item by item, in this process or in several."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


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
