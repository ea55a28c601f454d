from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data.deepfashion import read_deepfashion, renamed
from training.data.market1501 import read_market
from training.data.pair_lists import read_annotations, read_pairs
from training.data.photos import DataError

HEADER = "name:keypoints_y:keypoints_x\n"
FRONT = "fashionWOMENJackets_Coatsid0000008001_1front.jpg"
SIDE = "fashionWOMENJackets_Coatsid0000008001_2side.jpg"


@pytest.fixture
def root(tmp_path) -> Path:
    """One person's two pictures in their own folders, one of three that the lists name."""
    folder = tmp_path / "img_highres/WOMEN/Jackets_Coats/id_00000080"
    folder.mkdir(parents=True)
    for name in ("01_1_front.jpg", "01_2_side.jpg"):
        Image.new("RGB", (75, 110)).save(folder / name)
    pairs = f"from,to\n{FRONT},{SIDE}\n{SIDE},{FRONT}\n{FRONT},fashionMENDenimid01_3back.jpg\n"
    (tmp_path / "fasion-resize-pairs-test.csv").write_text(pairs)
    rows = f"{FRONT}:{[7] * 18}:{[3] * 17 + [-1]}\n{SIDE}:[1, 2]:[3, 4]\n"
    (tmp_path / "fasion-resize-annotation-test.csv").write_text(HEADER + rows)
    return tmp_path


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (
            "img_highres/MEN/Denim/id_00000080/01_1_front.jpg",
            "fashionMENDenimid0000008001_1front.jpg",
        ),
        (
            "img_highres/WOMEN/Jackets_Coats/id_00000080/01_7_additional.jpg",
            "fashionWOMENJackets_Coatsid0000008001_7additional.jpg",
        ),
        ("train_highres/fashionMENDenimid0000008001_1front.jpg",) * 2,
    ],
)
def test_pictures_are_named_as_the_lists_name_them(path, name):
    assert renamed(Path(path)) == Path(name).name


def test_pictures_in_their_own_folders_are_found_by_the_lists(root):
    found = read_deepfashion(root, "test")
    assert found.whole and len(found.pairs) == 3
    assert found.photos[FRONT].path.name == "01_1_front.jpg"
    points = found.photos[FRONT].points
    assert points is not None
    np.testing.assert_allclose(points[0], [3.5 / 176, 7.5 / 256, 1.0])
    assert points[17].tolist() == [0.0, 0.0, 0.0]  # -1 is missing
    assert found.photos[SIDE].points is None
    assert {one.name: one.reason for one in found.left_out} == {
        SIDE: "its row of keypoints cannot be read",
        "fashionMENDenimid01_3back.jpg": "the lists name it, and there is no such picture",
    }
    assert "3 pairs" in found.notes[0] and "8,570" in found.notes[0]


def test_lists_may_be_spelt_as_they_are_or_as_they_should_be(root):
    for path in root.glob("fasion*"):
        path.rename(path.with_name(path.name.replace("fasion", "fashion")))
    assert len(read_deepfashion(root, "test").pairs) == 3
    with pytest.raises(DataError) as missing:
        read_deepfashion(root, "train")
    lines = str(missing.value).splitlines()
    assert len(lines) == 3 and "fasion-resize-pairs-train.csv" in lines[0]


def test_the_protocols_count_is_confirmed(root):
    lines = ["from,to", *[f"{FRONT},{SIDE}"] * 8570]
    (root / "fasion-resize-pairs-test.csv").write_text("\n".join(lines))
    assert "as in the protocol" in read_deepfashion(root, "test").notes[0]


def test_lists_of_other_columns_are_refused(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("source;target\na;b\n")
    with pytest.raises(DataError, match="Expected from,to"):
        read_pairs(path)
    with pytest.raises(DataError, match="name:keypoints_y:keypoints_x"):
        read_annotations(path, (256, 176))


def test_market_pairs_identities_and_leaves_out_junk(tmp_path):
    folder = tmp_path / "bounding_box_train"
    folder.mkdir()
    names = ["0002_c1s1_1_01.jpg", "0002_c1s1_2_01.jpg", "0007_c1s1_1_01.jpg", "-1_c1s1_1_01.jpg"]
    for name in names:
        Image.new("RGB", (64, 128)).save(folder / name)
    (tmp_path / "market-annotation-train.csv").write_text(HEADER)
    found = read_market(tmp_path, "train", per_photo=4, seed=0)
    assert found.pairs == [(names[1], names[0]), (names[0], names[1])]
    assert set(found.photos) == set(names[:3])
    (tmp_path / "market-pairs-train.csv").write_text(f"from,to\n{names[0]},{names[1]}\n")
    assert read_market(tmp_path, "train", per_photo=4, seed=0).pairs == [(names[0], names[1])]
