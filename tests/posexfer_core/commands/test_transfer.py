import weakref
from pathlib import Path

import pytest
import torch

from posexfer_core.body.motion import join_frames
from posexfer_core.body.params import HumanParams
from posexfer_core.cli import main
from posexfer_core.conventions import DEMO
from posexfer_core.transfer import staging


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
    assert main(["transfer", *source, *target]) == 0
    assert len(drawn) == 2
