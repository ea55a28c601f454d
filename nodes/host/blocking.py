"""Outputs without a value."""

from typing import Any

from comfy_execution.graph_utils import ExecutionBlocker


def or_blocked(value: Any, reason: str) -> Any:
    """Return a value, or for None a blocker that stops the nodes connected and says why."""
    return ExecutionBlocker(reason) if value is None else value
