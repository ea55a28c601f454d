from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from posexfer_core.fit.batch import Batch, stack


@dataclass
class Inner(Batch):
    values: ndarray


@dataclass
class Outer(Batch):
    inner: Inner
    weight: ndarray


def outer(*numbers):
    return Outer(Inner(np.array([[n, -n] for n in numbers])), np.array(numbers))


def test_rows_are_copied_by_indices_or_a_mask():
    batch = outer(1.0, 2.0, 3.0)
    for index in (np.array([2, 0]), np.array([True, False, True])):
        picked = batch.take(index)
        np.testing.assert_array_equal(picked.weight, np.arange(1.0, 4.0)[index])
        np.testing.assert_array_equal(picked.inner.values[:, 1], -picked.weight)
    picked.weight[:] = 0.0
    assert batch.weight.all()


def test_rows_are_overwritten_all_the_way_down():
    batch = outer(1.0, 2.0, 3.0)
    batch.put(np.array([True, False, True]), outer(7.0, 9.0))
    assert batch.weight.tolist() == [7.0, 2.0, 9.0]
    assert batch.inner.values.tolist() == [[7.0, -7.0], [2.0, -2.0], [9.0, -9.0]]


def test_stacked_batches_keep_their_order():
    both = stack([outer(3.0), outer(1.0, 2.0)])
    assert both.weight.tolist() == [3.0, 1.0, 2.0]
    assert both.inner.values[:, 0].tolist() == [3.0, 1.0, 2.0]
