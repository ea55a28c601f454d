import pytest
import torch
from PIL import Image

from posexfer_core.errors import OutputError
from posexfer_core.files.animations import save_animation
from posexfer_core.files.images import to_pil


@pytest.mark.parametrize("name", ["film.gif", "film.webp"])
def test_frames_come_back_in_their_order_and_at_their_rate(tmp_path, name):
    frames = [torch.full((1, 3, 24, 16), level) for level in (-1.0, 0.0, 1.0)]
    save_animation(map(to_pil, frames), tmp_path / name, 20.0)
    with Image.open(tmp_path / name) as film:
        greys, lasting = [], []
        for number in range(getattr(film, "n_frames", 1)):
            film.seek(number)
            film.load()
            greys.append(film.convert("L").getpixel((8, 12)))
            lasting.append(film.info["duration"])
    assert greys == pytest.approx([0, 128, 255], abs=3) and set(lasting) == {50}


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"\.gif, \.webp"):
        save_animation(iter([]), tmp_path / "film.mp4", 25.0)
