"""A progress counter on one line of a terminal; silent where there is none."""

import sys


class Counter:
    """Count what is done, on standard error; `close` wipes the line."""

    def __init__(self, doing: str, total: int, unit: str) -> None:
        """Start at none.

        Args:
            doing: what is done, such as "fitting".
            total: how many there are.
            unit: of what, in the plural.
        """
        self._doing, self._total, self._unit = doing, total, unit
        self._done = 0
        self._shown = total > 1 and sys.stderr.isatty()
        self.advance(0)

    def advance(self, count: int = 1) -> None:
        """Count some more as done."""
        self._done += count
        if self._shown:
            line = f"{self._doing}: {self._done} of {self._total} {self._unit}"
            sys.stderr.write(f"\r{line}\033[K")
            sys.stderr.flush()

    def close(self) -> None:
        """Wipe the line."""
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
