from pathlib import Path

import pytest

from tests.benchmarks.fuzz_formats import MOST_SECONDS, fuzz
from tests.posexfer_core.body.formats.variants import ALL

MUTATIONS = 300


@pytest.mark.parametrize("name", ALL)
def test_spoilt_files_are_read_or_end_in_our_own_errors(tmp_path: Path, name: str):
    of_this_format = sum(ALL[name][0] == other for other, _ in ALL.values())
    tally = fuzz(name, -(-MUTATIONS // of_this_format), tmp_path)
    assert tally.errors
    assert tally.slowest < MOST_SECONDS
