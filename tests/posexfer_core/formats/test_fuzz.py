from pathlib import Path

import pytest

from tests.benchmarks.fuzz_formats import fuzz
from tests.benchmarks.fuzz_kinds import KINDS

MUTATIONS = 100


@pytest.mark.parametrize("name", KINDS)
def test_spoilt_files_are_read_or_end_in_our_own_errors(tmp_path: Path, name: str):
    tally = fuzz(name, MUTATIONS, tmp_path)
    assert tally.errors
