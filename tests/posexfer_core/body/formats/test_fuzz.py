from pathlib import Path

import pytest

from tests.benchmarks.fuzz_formats import MOST_SECONDS, fuzz
from tests.posexfer_core.body.formats.samples import SAMPLES

MUTATIONS = 300


@pytest.mark.parametrize("name", SAMPLES)
def test_spoilt_files_are_read_or_end_in_our_own_errors(tmp_path: Path, name: str):
    of_this_format = sum(SAMPLES[name][0] == other for other, _ in SAMPLES.values())
    tally = fuzz(name, -(-MUTATIONS // of_this_format), tmp_path)
    assert tally.errors
    assert tally.slowest < MOST_SECONDS
