from dataclasses import replace

import numpy as np
import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.errors import OutputError
from posexfer_core.export.bvh import save_bvh, zxy_angles
from posexfer_core.formats.read import read_params
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from posexfer_core.geometry.so3 import exp_map
from tests.posexfer_core.body.sample_params import random_params


def about(axis: int, angle: float) -> np.ndarray:
    """Turn about one of the axes, radians."""
    return exp_map(angle * np.eye(3)[axis])


def test_exported_motions_come_back_to_a_ten_thousandth_radian(tmp_path, body: BodyModel):
    params = random_params(4)
    save_bvh(replace(params, frame_rate=24.0), body, tmp_path / "a.bvh")
    found = read_params(tmp_path / "a.bvh", body=body)
    torch.testing.assert_close(
        found.rotations[:, :, 1:], params.rotations[:, :, 1:], atol=2e-5, rtol=0
    )
    y_up = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    torch.testing.assert_close(
        found.rotations[:, :, 0], y_up @ params.rotations[:, :, 0], atol=2e-5, rtol=0
    )
    assert found.frame_rate == pytest.approx(24.0, rel=1e-4)


def test_angles_are_those_of_the_channels_even_at_a_right_angle():
    random = np.random.default_rng(0)
    turns = axis_angle_to_matrix(torch.from_numpy(random.normal(0, 2, (50, 3)))).numpy()
    right = about(2, 0.7) @ about(0, np.pi / 2)
    for rotation in (*turns, right):
        z, x, y = zxy_angles(rotation)
        again = about(2, z) @ about(0, x) @ about(1, y)
        np.testing.assert_allclose(again, rotation, atol=1e-7)
    np.testing.assert_allclose(zxy_angles(about(0, 1.0)), [0, 1, 0])


def test_a_folder_that_is_not_there_gets_a_sentence(tmp_path, body: BodyModel):
    with pytest.raises(OutputError, match="cannot be written"):
        save_bvh(random_params(), body, tmp_path / "none" / "a.bvh")
