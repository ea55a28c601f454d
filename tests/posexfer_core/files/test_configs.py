from dataclasses import dataclass, field
from pathlib import Path

import pytest

from posexfer_core.errors import ConfigError
from posexfer_core.files.configs import merge_tables, read_config


@dataclass(frozen=True, kw_only=True)
class Inner:
    sizes: tuple[int, ...] = (1,)


@dataclass(frozen=True, kw_only=True)
class Outer:
    count: int
    place: Path | None = None
    inner: Inner = field(default_factory=Inner)


def test_tables_in_tables_lists_and_paths_are_read():
    found = read_config(Outer, {"count": 3, "place": "a/b", "inner": {"sizes": [2, 3]}})
    assert found == Outer(count=3, place=Path("a/b"), inner=Inner(sizes=(2, 3)))
    assert read_config(Outer, {"count": 3, "inner": Inner()}) == Outer(count=3)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([], "run must be a table"),
        ({"count": 1, "colour": 2}, r"run has no \['colour'\]; there are"),
        ({}, "run does not hold together.*count"),
        ({"count": 1, "inner": {"size": 2}}, "Inner has no"),
        ({"count": 1, "inner": 2}, "Inner must be a table"),
    ],
)
def test_what_does_not_fit_is_named(table, words):
    with pytest.raises(ConfigError, match=words):
        read_config(Outer, table, name="run")


def test_changes_go_into_the_tables_of_a_table():
    base = {"a": 1, "b": {"c": 2, "d": 3}}
    assert merge_tables(base, {"b": {"c": 4}, "e": 5}) == {"a": 1, "b": {"c": 4, "d": 3}, "e": 5}
    assert base == {"a": 1, "b": {"c": 2, "d": 3}}
