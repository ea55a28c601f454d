import numpy as np
import pytest

from posexfer_core.errors import ConfigError
from posexfer_core.geometry.so3 import exp_map
from training.data.poses import load_poses
from training.make_poses import draw_poses, main


@pytest.mark.slow
def test_poses_are_written_and_the_same_for_everyone(tmp_path):
    path = tmp_path / "new" / "poses.safetensors"
    assert main(["--out", str(path), "--count", "300", "--seed", "4", "--workers", "2"]) == 0
    poses = load_poses(path)
    assert poses.shape == (300, 24, 3)
    np.testing.assert_allclose(poses[:20], draw_poses(20, 4), atol=1e-6)


def test_most_stand_before_the_camera_and_some_lie():
    up = exp_map(draw_poses(100, 1)[:, 0])[:, :, 1]
    upright = up[:, 1] < -0.8
    assert 0.6 < upright.mean() < 0.95
    assert (np.abs(up[~upright, 1]) < 0.5).any()


@pytest.mark.parametrize("content", [None, b"", b"no poses"])
def test_a_file_without_poses_says_how_to_make_one(tmp_path, content):
    path = tmp_path / "poses.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"training\.make_poses"):
        load_poses(path)


def test_no_poses_are_refused(tmp_path, capsys):
    arguments = ["--out", str(tmp_path / "poses.safetensors"), "--count", "0", "--seed", "1"]
    assert main(arguments) == 2
    assert "at least 1" in capsys.readouterr().err
