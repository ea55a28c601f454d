"""The command `posexfer`: one sub-command per file of `commands`."""

import argparse
import os
import sys
from collections.abc import Sequence

from .commands import convert, demo, estimate, info, render, transfer
from .errors import PoseXferError, ThreeLinesError

COMMANDS = (transfer, estimate, render, convert, info, demo)
USER_ERROR = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors that the user can mend become a sentence or three on stderr.

    Returns:
        0, or 2 for a user's error (argparse exits with 2 itself).
    """
    options = build_parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except PoseXferError as error:
        lined = any(isinstance(one, ThreeLinesError) for one in (error, error.__cause__))
        lines = str(error).splitlines() if lined else [str(error)]
        message = "\n".join(" ".join(line.split()) for line in lines)
        sys.stderr.write(f"posexfer {options.command}: {message}\n")
        return USER_ERROR
    except KeyboardInterrupt:
        sys.stderr.write(f"posexfer {options.command}: stopped; nothing was left half-written.\n")
        return INTERRUPTED
    except BrokenPipeError:  # `| head` has read enough; buffered output must go nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Describe every command and option."""
    parser = argparse.ArgumentParser(
        prog="posexfer",
        description="Draw the person of one image in the pose of a 3D body.",
        epilog="Each command explains itself: posexfer transfer --help",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        described = commands.add_parser(
            command.__name__.rpartition(".")[2], help=command.HELP, description=command.HELP
        )
        command.add_options(described)
        described.set_defaults(run=command.run)
    return parser
