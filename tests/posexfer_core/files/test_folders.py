import pytest

from posexfer_core.errors import ImageError
from posexfer_core.files.folders import numbered_files


def test_numbers_in_names_give_the_order(tmp_path):
    for name in ("f10.png", "f9.PNG", "g1.png", "f9.txt"):
        (tmp_path / name).touch()
    (tmp_path / "f0.png").mkdir()
    found = numbered_files(tmp_path, (".png",), "images", error=ImageError)
    assert [path.name for path in found] == ["f9.PNG", "f10.png", "g1.png"]


def test_a_folder_without_such_files_gets_a_sentence(tmp_path):
    with pytest.raises(ImageError, match=r"has no images that end in \.png, \.jpg"):
        numbered_files(tmp_path, (".png", ".jpg"), "images", error=ImageError)


def test_a_folder_that_is_not_there_gets_a_sentence(tmp_path):
    with pytest.raises(ImageError, match="cannot be read: No such file"):
        numbered_files(tmp_path / "none", (".png",), "images", error=ImageError)
