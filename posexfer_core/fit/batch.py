"""Values of a batch of bodies: dataclasses of arrays that share their first axis."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy import ndarray

Kind = TypeVar("Kind", bound="Batch")


class Batch:
    """Base of dataclasses whose fields are arrays with a row for each body, or such dataclasses."""

    def take(self: Kind, index: ndarray) -> Kind:
        """Copy some of the rows, by indices or a mask."""
        return type(self)(
            *(part.take(index) if isinstance(part, Batch) else part[index] for part in _parts(self))
        )

    def put(self: Kind, index: ndarray, other: Kind) -> None:
        """Overwrite some of the rows by those of `other`."""
        for mine, theirs in zip(_parts(self), _parts(other), strict=True):
            if isinstance(mine, Batch):
                mine.put(index, theirs)
            else:
                mine[index] = theirs


def stack(batches: Sequence[Kind]) -> Kind:
    """Join batches of one class, in order."""
    columns = zip(*map(_parts, batches), strict=True)
    return type(batches[0])(
        *(stack(each) if isinstance(each[0], Batch) else np.concatenate(each) for each in columns)
    )


def _parts(batch: Any) -> list[Any]:
    return [getattr(batch, field.name) for field in fields(batch)]
