import numpy as np
import torch

from posexfer_core.body.model import JOINT_NAMES
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from training.synthetic.floor import FLOOR_STANCES
from training.synthetic.poses import Build, pose_in_stance

DRAWS = 30


def heights(body, stance: str) -> dict[str, np.ndarray]:
    """Draw a stance; how high each joint is above the pelvis, metres."""
    rng, build = np.random.default_rng(0), Build.bundled()
    poses = np.stack([pose_in_stance(rng, build, FLOOR_STANCES[stance]) for _ in range(DRAWS)])
    rotations = axis_angle_to_matrix(torch.from_numpy(poses).float())
    joints = body(rotations, torch.zeros(DRAWS, 10), torch.zeros(DRAWS, 3)).joints.numpy()
    rise = joints[..., 1] - joints[:, :1, 1]
    return dict(zip(JOINT_NAMES, rise.T, strict=True))


def test_who_sits_on_the_floor_has_feet_as_low_as_the_pelvis(body):
    for stance in ("legs ahead", "legs apart", "cross-legged"):
        high = heights(body, stance)
        assert np.abs(high["l_ankle"]).max() < 0.3
        assert (high["head"] > 0.35).all()


def test_who_lies_has_the_head_as_low_as_the_pelvis(body):
    for stance in ("on the back", "on the belly", "on the side"):
        high = heights(body, stance)
        assert np.abs(high["head"]).mean() < 0.3
        assert np.abs(high["l_ankle"]).mean() < 0.3


def test_hands_are_on_the_floor_where_they_prop(body):
    high = heights(body, "plank")
    below = high["l_wrist"] < high["l_shoulder"] - 0.25
    assert below.mean() > 0.7
