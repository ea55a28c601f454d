import numpy as np
import pytest

from posexfer_core.fit.video.banded_solver import Banded


def _random(frames: int, unknowns: int) -> tuple[Banded, np.ndarray]:
    rng = np.random.default_rng(frames)
    root = rng.normal(size=(frames, unknowns, unknowns))
    banded = Banded(
        diagonal=root @ root.swapaxes(1, 2) + 20.0 * np.eye(unknowns),
        next=rng.normal(size=(max(frames - 1, 0), unknowns)),
        second=rng.normal(size=(max(frames - 2, 0), unknowns)),
    )
    dense = np.zeros((frames, unknowns, frames, unknowns))
    for t in range(frames):
        dense[t, :, t] = banded.diagonal[t]
        for step, blocks in ((1, banded.next), (2, banded.second)):
            if t + step < frames:
                dense[t, :, t + step] = dense[t + step, :, t] = np.diag(blocks[t])
    return banded, dense.reshape(frames * unknowns, -1)


@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_the_solution_is_that_of_the_whole_matrix(frames):
    banded, dense = _random(frames, 4)
    right = np.random.default_rng(1).normal(size=(frames, 4))
    whole = np.linalg.solve(dense, right.ravel()).reshape(frames, 4)
    np.testing.assert_allclose(banded.solve(right), whole, atol=1e-10)
