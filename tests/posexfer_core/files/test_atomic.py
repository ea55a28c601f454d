import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from posexfer_core.errors import OutputError
from posexfer_core.files.atomic import check_target, replacing, write_whole


def test_what_the_block_makes_takes_the_place_of_the_file(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyError), replacing(path) as partial:
        partial.write_text("half")
        raise KeyError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_replaces_a_folder(tmp_path: Path):
    path = tmp_path / "step"
    path.mkdir()
    (path / "old").touch()
    with replacing(path) as partial:
        partial.mkdir()
        (partial / "new").touch()
    assert [entry.name for entry in path.iterdir()] == ["new"]
    with pytest.raises(KeyError), replacing(path) as partial:
        partial.mkdir()
        raise KeyError
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path):
    (tmp_path / "plain").touch()
    write_whole(tmp_path / "whole", b"x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "whole")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("check", [check_target, lambda path: write_whole(path, b"x")])
def test_places_that_cannot_be_written_get_a_sentence(tmp_path: Path, check):
    with pytest.raises(OutputError, match=r"there is no folder .*none; make it"):
        check(tmp_path / "none" / "a.txt")
    with pytest.raises(OutputError, match="it is a folder"):
        check(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="no folder"):
        check(tmp_path / "file" / "a.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="may write anywhere")
def test_a_folder_that_is_closed_gets_a_sentence(tmp_path: Path):
    tmp_path.chmod(0o500)
    try:
        for check in (check_target, lambda path: write_whole(path, b"x")):
            with pytest.raises(OutputError, match=r"cannot be written: .*[Pp]ermission"):
                check(tmp_path / "a.txt")
    finally:
        tmp_path.chmod(0o700)


def test_a_long_name_is_written_and_a_longer_one_refused(tmp_path: Path):
    write_whole(tmp_path / ("a" * 250), b"x")
    with pytest.raises(OutputError, match="cannot be written"):
        write_whole(tmp_path / ("a" * 300), b"x")


def test_a_target_is_checked_without_leaving_anything(tmp_path: Path):
    check_target(tmp_path / "out.npz")
    assert not list(tmp_path.iterdir())


def test_writers_of_one_file_at_the_same_time_leave_one_of_theirs(tmp_path: Path):
    contents = [bytes([number]) * 100_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_whole(tmp_path / "a", content), contents))
    assert (tmp_path / "a").read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
