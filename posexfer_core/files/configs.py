"""Frozen config dataclasses from the tables of a JSON header or a TOML file, read strictly."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from ..errors import ConfigError

Config = TypeVar("Config")


def read_config(kind: type[Config], table: object, *, name: str | None = None) -> Config:
    """Build a config from a table; tables in it are configs, lists tuples, strings may be paths.

    Args:
        kind: a dataclass.
        table: as JSON or TOML give it.
        name: of the table, for error messages; the dataclass's when left out.

    Raises:
        ConfigError: an entry is unknown or missing, or a value cannot be.
    """
    name = name or kind.__name__
    if not isinstance(table, Mapping):
        raise ConfigError(f"{name} must be a table of settings, got {table!r}.")
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(table.keys() - known):
        raise ConfigError(f"{name} has no {unknown}; there are {sorted(known)}.")
    hints = get_type_hints(kind)
    values = {entry: _read_value(hints[entry], value) for entry, value in table.items()}
    try:
        return kind(**values)
    except TypeError as error:  # a missing or mistyped value
        raise ConfigError(f"{name} does not hold together: {error}") from error


def merge_tables(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change some entries of a table, and of the tables in it."""
    merged = dict(base)
    for name, value in changes.items():
        below = merged.get(name)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            value = merge_tables(below, value)
        merged[name] = value
    return merged


def _read_value(kind: Any, value: Any) -> Any:
    if is_dataclass(kind):
        return value if isinstance(value, kind) else read_config(kind, value)  # type: ignore[arg-type]
    if kind in (Path, Path | None) and isinstance(value, str):
        return Path(value)
    return tuple(value) if isinstance(value, list) else value
