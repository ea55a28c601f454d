"""Fixtures of the tests of formats."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from posexfer_core.formats.read import read_params


@pytest.fixture
def recognised(caplog: pytest.LogCaptureFixture) -> Callable[[Path], str]:
    """Tell the name of the format that a file is read as."""

    def name_of(path: Path) -> str:
        caplog.clear()
        with caplog.at_level(logging.INFO):
            read_params(path)
        said = next(one.getMessage() for one in caplog.records if "is read as" in one.msg)
        return said.partition("is read as ")[2].split()[0].rstrip(".")

    return name_of
