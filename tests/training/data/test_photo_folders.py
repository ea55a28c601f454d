import pytest
from PIL import Image

from training.data.photo_folders import read_people, read_videos
from training.data.photos import DataError


def pictures(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (20, 30)).save(folder / name)


def test_pictures_of_one_folder_are_one_persons_with_what_lies_beside_them(tmp_path):
    pictures(tmp_path / "anna", "1.jpg", "2.png", "2_mask.png", "3.jpg")
    pictures(tmp_path / "ben", "1.jpg", "2.jpg")
    (tmp_path / "anna" / "1.npz").touch()
    (tmp_path / "anna" / "2_keypoints.json").touch()
    found = read_people(tmp_path, per_photo=8, seed=0)
    assert len(found.photos) == 5 and len(found.pairs) == 6 + 2
    assert all(source.split("/")[0] == target.split("/")[0] for source, target in found.pairs)
    assert found.photos["anna/1.jpg"].params == tmp_path / "anna" / "1.npz"
    assert found.photos["anna/2.png"].keypoints == tmp_path / "anna" / "2_keypoints.json"
    assert found.photos["anna/2.png"].mask == tmp_path / "anna" / "2_mask.png"


def test_sources_of_a_target_are_limited_and_drawn_by_the_seed(tmp_path):
    pictures(tmp_path, *(f"{number}.jpg" for number in range(6)))
    found, again, other = (read_people(tmp_path, per_photo=2, seed=s).pairs for s in (0, 0, 1))
    assert len(found) == 12 and len(set(found)) == 12
    assert found == again != other


def test_each_picture_may_be_its_own_target(tmp_path):
    pictures(tmp_path, "1.jpg")
    with pytest.raises(DataError, match='pairs = "self"'):
        read_people(tmp_path, per_photo=2, seed=0)
    with pytest.raises(DataError, match="two or more"):
        read_people(tmp_path, per_photo=2, seed=0, alone=True)
    pictures(tmp_path / "other", "2.jpg")
    found = read_people(tmp_path, per_photo=2, seed=0, alone=True)
    assert found.pairs == [("1.jpg", "1.jpg"), ("other/2.jpg", "other/2.jpg")]
    with pytest.raises(DataError, match="is no folder"):
        read_people(tmp_path / "nothing", per_photo=2, seed=0)


def test_frames_of_a_video_are_paired_some_frames_apart(tmp_path):
    pictures(tmp_path / "walk", *(f"f{number}.jpg" for number in range(12)))
    (tmp_path / "walk.npz").touch()
    found = read_videos(tmp_path, per_photo=3, seed=0, gap=4)
    names = list(found.photos)
    assert names[2] == "walk/f2.jpg" and found.photos["walk/f10.jpg"].frame == 10
    apart = {abs(names.index(source) - names.index(target)) for source, target in found.pairs}
    assert min(apart) >= 4 and len(found.pairs) == 12 * 3
