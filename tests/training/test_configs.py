from contextlib import suppress
from pathlib import Path

import pytest

from posexfer_core.errors import CheckpointError
from training.config import TrainConfig

CONFIGS = sorted((Path(__file__).parents[2] / "training" / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_configs_that_ship_are_read(path):
    with suppress(CheckpointError):  # of a base that is not here
        TrainConfig.from_toml(path)
