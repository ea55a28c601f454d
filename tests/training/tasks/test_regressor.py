from pathlib import Path

import pytest
import torch

from posexfer_core.pose_networks.regressor_network import BodyRegressor, RegressorOutput
from training.config import RegressorTraining
from training.data.people import RestJoints
from training.data.shards import ShardDataset
from training.sample_random import SampleRandom
from training.tasks.regressor import RegressorLoss, RegressorTask, map_cross_entropy


@pytest.fixture
def rng() -> SampleRandom:
    return SampleRandom.seeded(0, range(4))


@pytest.fixture
def task(shards: Path) -> RegressorTask:
    sizes = {"height": 64, "width": 48, "channels": [8, 8, 16], "blocks": [1, 1, 1], "hidden": 16}
    return RegressorTask(ShardDataset(shards), RegressorTraining(), sizes)


class Oracle(BodyRegressor):
    """Says what is true."""

    def __init__(self, like: BodyRegressor, batch: dict[str, torch.Tensor]) -> None:
        super().__init__(like.config)
        self.batch = batch

    def forward(self, image: torch.Tensor) -> RegressorOutput:
        batch = self.batch
        return RegressorOutput(
            rotations=batch["rotations"],
            betas=batch["betas"],
            camera=torch.cat([batch["pixels"][:, 0], batch["log_scale"][:, None]], -1),
            joints_ndc=batch["pixels"],
            maps=torch.zeros(len(image), 24, 8, 6),
            joints=batch["joints"] - batch["joints"][:, :1],
        )


def test_the_truth_costs_nothing(task, body, rng):
    batch = task.batch([0, 3, 5, 7], rng)
    oracle = Oracle(task.model.network, batch)
    losses = RegressorLoss(oracle, RestJoints(body), RegressorTraining())(batch, rng)
    for name in ("rotation", "joint_m", "place_m", "pixel", "camera", "beta"):
        assert float(losses[name]) < 5e-3, name


def test_every_part_of_the_network_learns(task, rng):
    batch = task.batch([0, 3, 5, 7], rng)
    task.model(batch, rng)["loss"].backward()
    still = [name for name, p in task.model.named_parameters() if not p.grad.any()]
    assert all("first" in name or "norm" in name for name in still)  # behind zeroed convolutions


def test_a_map_with_all_its_share_on_the_joint_is_no_surprise():
    maps = torch.full((1, 1, 4, 2), -30.0)
    maps[0, 0, 1, 0] = 0.0
    at = torch.tensor([[[-0.5, -0.25]]])  # centre of row 1, column 0
    assert float(map_cross_entropy(maps, at)) == pytest.approx(0.0)
    between = torch.tensor([[[0.0, -0.25]]])
    assert float(map_cross_entropy(maps, between)) == pytest.approx(15.0)


def test_half_of_the_images_are_augmented_and_steps_repeat(task):
    first, second = (task.batch([0, 1, 2, 3], SampleRandom.seeded(2, range(4))) for _ in range(2))
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
