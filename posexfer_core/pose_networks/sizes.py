"""Sizes of a network, read from the header of its weights or from the TOML of its training."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

from ..errors import ConfigError

Kind = TypeVar("Kind", bound="Sizes")


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What the sizes of every network have in common."""

    of: ClassVar[str]
    """What network they are of, for error messages."""

    @classmethod
    def from_dict(cls: type[Kind], sizes: Mapping[str, Any]) -> Kind:
        """Read sizes as JSON or TOML hold them.

        Raises:
            ConfigError: a name is unknown, or a size makes no network.
        """
        known = {entry.name for entry in fields(cls)}
        if unknown := sorted(sizes.keys() - known):
            raise ConfigError(f"Unknown sizes {unknown} of a {cls.of}; known: {sorted(known)}.")
        values: dict[str, Any] = {
            name: tuple(size) if isinstance(size, list) else size for name, size in sizes.items()
        }
        return cls(**values)
