"""Fixtures that many tests share; the process that hands tests to the workers imports no torch."""

import gc
import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import torch

    from posexfer_core.body.model import BodyModel

PACKAGES = (
    "beartype",
    "diffusers.models.unets",
    "diffusers.pipelines.pipeline_utils",
    "einops",
    "numba",
    "PIL.Image",
    "scipy.optimize",
    "scipy.spatial",
    "torch._dynamo",
)
"""What the core imports, and what takes long."""

gc.disable()  # a quarter of a worker's start; what imports leave behind stays anyway

if "PYTEST_XDIST_WORKER" in os.environ:
    # While a module of ours is imported under jaxtyping's hook, Python overlooks the bytecode of
    # the packages that it imports first, and compiles 2,000 files. A worker needs them all anyway.
    for package in PACKAGES:
        importlib.import_module(package)


def pytest_collection_finish() -> None:
    """Look for garbage again, among what the tests themselves make, and not that often."""
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


@pytest.fixture
def generator() -> "torch.Generator":
    """A seeded source of random numbers, fresh for every test."""
    import torch

    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def body() -> "BodyModel":
    """The bundled body."""
    from posexfer_core.body.model import BodyModel

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
