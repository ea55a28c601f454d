"""A few made-up pairs, for what trains on them."""

import math
from pathlib import Path

import pytest
import torch

from posexfer_core.body.model import BodyModel
from tests.training.miniature import make_flawed_deepfashion
from training.data.shards import write_shard

HEIGHT, WIDTH = 64, 48
SHARDS, PAIRS = 2, 3


@pytest.fixture(scope="session")
def deepfashion(
    tmp_path_factory: pytest.TempPathFactory, body: BodyModel
) -> tuple[Path, list[list[str]]]:
    """DeepFashion in miniature, with flaws, and the names of each person's two pictures."""
    root = tmp_path_factory.mktemp("deepfashion")
    return root, make_flawed_deepfashion(root, body)


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of three pairs: upright bodies before noise, 64x48 pixels."""
    folder = tmp_path_factory.mktemp("shards")
    generator = torch.Generator().manual_seed(5)
    for number in range(SHARDS):
        pose = torch.zeros(PAIRS, 24, 3)
        pose[:, 0, 0] = math.pi
        images = torch.randint(
            256, (2, PAIRS, HEIGHT, WIDTH, 3), generator=generator, dtype=torch.uint8
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
                "betas": torch.randn(PAIRS, 10, generator=generator),
                "source_transl": torch.tensor([0.0, 0.1, 3.0]).expand(PAIRS, 3).clone(),
                "target_transl": torch.tensor([0.0, 0.1, 3.2]).expand(PAIRS, 3).clone(),
                "intrinsics": intrinsics.expand(PAIRS, 3, 3).clone(),
                "index": torch.arange(PAIRS) + number * PAIRS,
            },
            {"beta_space": "posexfer", "seed": 0},
        )
    return folder
