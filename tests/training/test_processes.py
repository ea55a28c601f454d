"""Locks between processes; runs that share a batch, or are killed, are in test_many_processes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from training.processes import in_order, one_at_a_time

HOLD = """
import sys, time
from pathlib import Path
from training.processes import one_at_a_time
with one_at_a_time(Path(sys.argv[1])):
    Path(sys.argv[1], "in").touch()
    time.sleep(60)
"""


def test_results_come_in_the_order_of_the_items():
    assert list(in_order(str, [3, 1, 2], workers=1)) == ["3", "1", "2"]


@pytest.mark.slow
def test_the_next_is_let_in_when_a_process_is_killed(tmp_path: Path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)])
    try:
        while not (tmp_path / "in").exists():
            assert holder.poll() is None
            time.sleep(0.05)
    finally:
        holder.kill()
        holder.wait()
    with one_at_a_time(tmp_path):
        assert (tmp_path / ".lock").exists()
