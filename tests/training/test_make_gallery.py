"""The gallery's parts, of few people."""

from pathlib import Path

import pytest
from PIL import Image

from posexfer_core.body.params import HumanParams
from posexfer_core.conventions import DEMO
from training import make_gallery


@pytest.mark.slow
@pytest.mark.weights
def test_every_image_of_the_page_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_gallery, "PHOTO_POSES", ("striding",))
    monkeypatch.setattr(make_gallery, "SUBSETS", ("no overlap",))
    monkeypatch.setattr(make_gallery, "SHOWN", 1)
    monkeypatch.setattr(make_gallery, "MOTION_SIDE", 128)
    assert make_gallery.main(["--out", str(tmp_path), "--people", "2"]) == 0
    page = Path("docs/gallery.md").read_text()
    for path in sorted(tmp_path.iterdir()):
        assert f"gallery/{path.name}" in page
    assert len(list(tmp_path.iterdir())) == page.count("](gallery/")
    with Image.open(tmp_path / "motion.webp") as motion:
        assert getattr(motion, "n_frames", 1) == len(HumanParams.load(DEMO / "motion.npz").pose)
