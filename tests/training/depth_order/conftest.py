"""One frozen twin of every subset: the first of the benchmark."""

from pathlib import Path

import numpy as np
import pytest
import torch

from training.depth_order.files import TwinRow
from training.depth_order.overlaps import SUBSETS

FROZEN = Path(__file__).with_name("twins.npz")


@pytest.fixture(scope="session")
def twins() -> list[TwinRow]:
    """Read them; they are in the order of `SUBSETS`."""
    with np.load(FROZEN) as arrays:
        tensors = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    return [
        TwinRow(
            number=number,
            subset=subset,
            arrays={name: values[number] for name, values in tensors.items()},
        )
        for number, subset in enumerate(SUBSETS)
    ]
