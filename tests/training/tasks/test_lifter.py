import numpy as np
import pytest
import torch
from torch import nn

from posexfer_core.pose_networks.pose_lifting_network import LiftedKeypoints
from training.config import LifterTraining
from training.sample_random import SampleRandom
from training.tasks.lifter import LifterLoss, LifterTask


@pytest.fixture
def rng() -> SampleRandom:
    return SampleRandom.seeded(0, range(4))


@pytest.fixture
def task() -> LifterTask:
    poses = 0.2 * np.random.default_rng(0).normal(size=(8, 24, 3))
    return LifterTask(poses, LifterTraining(), {"hidden": 16, "blocks": 1})


class Says(nn.Module):
    """Says one thing, whatever it sees."""

    def __init__(self, places: torch.Tensor, spread: float) -> None:
        super().__init__()
        self.found = LiftedKeypoints(places, torch.full(places.shape[:2], spread))

    def forward(self, sight: torch.Tensor) -> LiftedKeypoints:
        return self.found


def test_the_best_spread_is_a_third_of_the_distance(task, rng):
    batch = task.batch([0, 1, 2, 3], rng)
    off = batch["places"] + torch.tensor([0.3, 0.0, 0.0])
    losses = [
        float(LifterLoss(Says(off, spread))(batch, rng)["loss"])  # type: ignore[arg-type]
        for spread in (0.09, 0.1, 0.11)
    ]
    assert losses[1] < min(losses[0], losses[2])


def test_steps_repeat_and_every_part_learns(task, rng):
    first, second = (task.batch([0, 1, 2, 3], SampleRandom.seeded(2, range(4))) for _ in range(2))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())
    task.model(first, rng)["loss"].backward()
    assert all(parameter.grad.any() for parameter in task.model.parameters())
