"""What long work calls between its steps, to show that it goes on or to stop it."""

from collections.abc import Callable

Progress = Callable[[], object]
"""Whatever it raises ends the work."""


def nothing() -> None:
    """Show nothing, stop nothing."""
