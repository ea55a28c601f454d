"""Fixtures that many tests share."""

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
