"""Outputs that do not exist: whoever is connected to one is told why."""

from typing import Any

from comfy_execution.graph_utils import ExecutionBlocker


def or_blocked(value: Any, reason: str) -> Any:
    """Pass a value on, or stop what depends on it and say why."""
    return ExecutionBlocker(reason) if value is None else value
