"""What the commands of `training` have in common."""

import sys
from collections.abc import Callable

from posexfer_core.errors import PoseXferError


def run_command(work: Callable[[], object]) -> int:
    """Run a command and return its exit code; one of our errors is a line on stderr and 2."""
    try:
        work()
    except PoseXferError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def print_line(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
