import json
import weakref
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

from posexfer_core.body.model import BodyModel
from posexfer_core.body.motion import join_frames
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.cli import main
from posexfer_core.conventions import DEMO
from posexfer_core.render.openpose import keypoints18
from posexfer_core.transfer import staging
from posexfer_core.warp import posed_rows


@pytest.mark.parametrize("out", ["frames", "film.webp"])
def test_one_frame_is_gone_before_the_next_is_drawn(tmp_path: Path, monkeypatch, out: str):
    """Frames of a large photo are hundreds of megabytes each."""
    poses = [HumanParams.load(DEMO / f"{name}.npz") for name in ("walking", "from_behind")]
    join_frames(poses).save(tmp_path / "motion.npz")
    pose, drawn = staging.pose_source, list[weakref.ref[torch.Tensor]]()

    def watched(*given, **options):
        assert [frame() for frame in drawn] == [None] * len(drawn)
        warped = pose(*given, **options)
        drawn.append(weakref.ref(warped.image))
        return warped

    monkeypatch.setattr(staging, "pose_source", watched)
    source = [str(DEMO / "source.png"), "--source-params", str(DEMO / "source.npz")]
    target = ["--target", str(tmp_path / "motion.npz"), "--frames", "--out", str(tmp_path / out)]
    assert main(["transfer", *source, *target, "--method", "network", "--steps", "1"]) == 0
    assert len(drawn) == 2


class WholePhotos(TorchDispatchMode):
    """Counts the float images of a size, of three colours or more, that live at once."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size, self.most = size, 0
        self.made = list[weakref.ref[torch.Tensor]]()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        self.made += [
            weakref.ref(one)
            for one in (out if isinstance(out, tuple | list) else [out])
            if isinstance(one, torch.Tensor)
            and one.is_floating_point()
            and set(self.size) <= set(one.shape)
            and one.numel() >= 3 * self.size[0] * self.size[1]
        ]
        alive = [one for made in self.made if (one := made()) is not None]
        self.most = max(self.most, len({one.untyped_storage().data_ptr() for one in alive}))
        return out


@pytest.mark.parametrize("also", [0, 1])
def test_a_large_photo_is_held_once_in_floats(tmp_path: Path, monkeypatch, also: int):
    """Of 24 megapixels it takes 288 MB; so does each of the other photos."""
    monkeypatch.setattr(posed_rows, "BAND_PIXELS", 1 << 12)
    monkeypatch.setattr(posed_rows, "WHOLE_PIXELS", 0)
    photo, person = tmp_path / "photo.png", DEMO / "source.npz"
    with Image.open(DEMO / "source.png") as small:
        width, height = 4 * small.width, 4 * small.height
        small.convert("RGB").resize((width, height)).save(photo)
    source = HumanParams.load(person)
    view = BodyView.of(source, BodyModel.bundled()).reframed((0.0, 0.0), 4.0, (height, width))
    mask = tmp_path / "mask.png"
    Image.fromarray(view.visibility.mask[0].numpy()).save(mask)
    points = keypoints18(view)[0, :, :2].tolist()
    people = [{"pose_keypoints_2d": [value for x, y in points for value in (x, y, 1.0)]}]
    keypoints = tmp_path / "keypoints.json"
    keypoints.write_text(json.dumps({"people": people}))
    options = ["--source-params", str(person), "--mask", str(mask), "--paste-back", "--frames"]
    options += ["--also", str(photo), str(keypoints), str(mask)] * also
    poses = [HumanParams.load(DEMO / f"{name}.npz") for name in ("walking", "from_behind")]
    join_frames(poses).save(tmp_path / "motion.npz")
    options += ["--target", str(tmp_path / "motion.npz"), "--out", str(tmp_path / "frames")]
    with WholePhotos((height, width)) as photos:
        assert main(["transfer", str(photo), *options]) == 0
    assert photos.most == 1 + also
