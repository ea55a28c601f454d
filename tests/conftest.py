"""Fixtures that many tests share."""

import os
from pathlib import Path

import pytest
import torch

from posexfer_core.body.model import BodyModel


@pytest.fixture
def generator() -> torch.Generator:
    """A seeded source of random numbers, fresh for every test."""
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def body() -> BodyModel:
    """The bundled body."""
    return BodyModel.bundled()


@pytest.fixture(scope="session")
def skier() -> Path:
    """The folder that POSEXFER_SKIER names: keypoints of one photo in two formats."""
    folder = os.environ.get("POSEXFER_SKIER")
    if folder is None:
        pytest.skip(
            "set POSEXFER_SKIER to a folder with skier_coco_wholebody.json (image 785 of COCO's "
            "val2017, as COCO-WholeBody annotates it) and skier_pose_keypoint.json (POSE_KEYPOINT)"
        )
    return Path(folder)
