"""Progress on one line of a terminal; silent where there is none."""

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_line(doing: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Show on standard error how much is done, and wipe the line at the end.

    Args:
        doing: what is done, such as "fitting".
        total: how many there are.
        unit: of what, in the plural.

    Returns:
        A function that counts some more as done.
    """
    done, shown = 0, total > 1 and sys.stderr.isatty()

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if shown:
            sys.stderr.write(f"\r{doing}: {done} of {total} {unit}\033[K")
            sys.stderr.flush()

    advance(0)
    try:
        yield advance
    finally:
        if shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
