from pathlib import Path

import pytest

from tests.benchmarks.fuzz_formats import fuzz
from tests.benchmarks.fuzz_kinds import KINDS


@pytest.mark.parametrize("count", [5, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", KINDS)
def test_spoilt_files_are_read_or_end_in_our_own_errors(tmp_path: Path, name: str, count: int):
    tally = fuzz(name, count, tmp_path)
    assert tally.errors
