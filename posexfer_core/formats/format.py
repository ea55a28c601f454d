"""A kind of file: how it is recognised, and what reads its people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from ..body.params import HumanParams
from ..files.fields import keys_of
from .track import Source


@runtime_checkable
class Person(Protocol):
    """One person of a file: a `Track`, or one that a body is fitted to."""

    @property
    def notes(self) -> list[str]:
        """What the reader had to assume."""
        ...

    def params(self, frame: int | None, name: str) -> HumanParams:
        """Make our own parameters of one frame, or of all; `name` is the file's, for errors."""
        ...


@dataclass(frozen=True, kw_only=True)
class Format:
    """A kind of file: how it is recognised and how it is read."""

    name: str
    """What `format=` takes."""
    title: str
    """The tool that writes it."""
    matches: Callable[[Any], bool]
    """Whether a file's content has the keys of this format."""
    read: Callable[[Source], Sequence[Person]]
    """The persons of a file, in the file's order."""
    told_by: tuple[str, ...] = ()
    """The keys that tell it, where `matches` is not `Keys`; for advice."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that tell it; of several spellings the first."""
        if isinstance(self.matches, Keys):
            return (*self.matches.needed, *self.matches.one_of[:1])
        return self.told_by


@dataclass(frozen=True)
class Keys:
    """Matches dicts that have all of some keys, and one of others where those are given."""

    needed: tuple[str, ...]
    one_of: tuple[str, ...] = ()

    def __call__(self, content: Any) -> bool:
        """Whether a file's content has them."""
        keys = keys_of(content)
        return keys.issuperset(self.needed) and (
            not self.one_of or not keys.isdisjoint(self.one_of)
        )


def has(*needed: str, one_of: Sequence[str] = ()) -> Keys:
    """Match dicts that have all of some keys, and one of others where those are given."""
    return Keys(needed, tuple(one_of))


def first_value(content: Any) -> Any:
    """Give what a dict holds first, as the first person of a dict keyed by person."""
    return next(iter(content.values()), None) if isinstance(content, dict) else None
