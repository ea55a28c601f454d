"""A few made-up pairs, for what trains on them."""

import math
from pathlib import Path

import pytest
import torch

from posexfer_core.body.model import BodyModel
from tests.training.miniature import make_flawed_deepfashion
from training.data.shards import write_shard
from training.make_poses import main as make_poses

HEIGHT, WIDTH = 64, 48


@pytest.fixture(scope="session")
def deepfashion(
    tmp_path_factory: pytest.TempPathFactory, body: BodyModel
) -> tuple[Path, list[list[str]]]:
    """DeepFashion in miniature, with flaws, and the names of each person's two pictures."""
    root = tmp_path_factory.mktemp("deepfashion")
    return root, make_flawed_deepfashion(root, body)


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of three pairs."""
    return write_shards(tmp_path_factory.mktemp("shards"), (3, 3))


@pytest.fixture(scope="session")
def few_shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shard of two pairs and one of one, for what takes long for each pair."""
    return write_shards(tmp_path_factory.mktemp("few"), (2, 1))


@pytest.fixture(scope="session")
def poses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nineteen poses, for lifters."""
    path = tmp_path_factory.mktemp("poses") / "poses.safetensors"
    assert make_poses(["--out", str(path), "--count", "19", "--seed", "1", "--workers", "1"]) == 0
    return path


def write_shards(folder: Path, counts: tuple[int, ...]) -> Path:
    """Write a shard for each count of pairs: upright bodies before noise, 64x48 pixels."""
    generator = torch.Generator().manual_seed(5)
    for number, pairs in enumerate(counts):
        pose = torch.zeros(pairs, 24, 3)
        pose[:, 0, 0] = math.pi
        images = torch.randint(
            256, (2, pairs, HEIGHT, WIDTH, 3), generator=generator, dtype=torch.uint8
        )
        focal = 1.5 * HEIGHT
        intrinsics = torch.tensor([[focal, 0, WIDTH / 2], [0, focal, HEIGHT / 2], [0, 0, 1]])
        write_shard(
            folder / f"shard-{number:06d}.safetensors",
            {
                "source": images[0],
                "target": images[1],
                "source_pose": pose,
                "target_pose": pose + 0.1 * torch.randn(pose.shape, generator=generator),
                "betas": torch.randn(pairs, 10, generator=generator),
                "source_transl": torch.tensor([0.0, 0.1, 3.0]).expand(pairs, 3).clone(),
                "target_transl": torch.tensor([0.0, 0.1, 3.2]).expand(pairs, 3).clone(),
                "intrinsics": intrinsics.expand(pairs, 3, 3).clone(),
                "index": torch.arange(pairs) + sum(counts[:number]),
            },
            {"beta_space": "posexfer", "seed": 0},
        )
    return folder
