"""What the commands of `training` have in common."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from posexfer_core.errors import PoseXferError


def command_parser(
    description: str | None, module: str, *, epilog: str | None = None
) -> argparse.ArgumentParser:
    """Describe a command by its docstring, as it is written.

    Args:
        description: the docstring.
        module: what `python -m` takes.
        epilog: what comes after the options.
    """
    return argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=epilog,
    )


def scoring_parser(
    description: str | None, module: str, weights: Path, *, count: int, counted: str
) -> argparse.ArgumentParser:
    """Describe the options of every command that scores weights.

    Args:
        description: the command's docstring.
        module: what `python -m` takes.
        weights: scored where no others are named.
        count: of what is scored, where not given.
        counted: what is, for the help.
    """
    parser = command_parser(description, module)
    parser.add_argument(
        "--weights",
        type=Path,
        default=weights,
        help="a .safetensors file (default: bundled)",
    )
    parser.add_argument("--count", type=int, default=count, help=f"{counted} (default {count})")
    parser.add_argument(
        "--record", action="store_true", help="write the scores into the header of the weights"
    )
    return parser


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
