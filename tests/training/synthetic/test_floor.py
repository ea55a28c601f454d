from dataclasses import replace

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


def test_hands_of_many_who_sit_are_on_their_legs(body):
    """As far from the bones as skin and wrist are thick, or on the way there, arm stretched."""
    build, sat = Build.bundled(), replace(FLOOR_STANCES["knees up"], on_legs=1.0)
    near = []
    for stance in (sat, replace(sat, on_legs=0.0)):
        rng = np.random.default_rng(0)
        poses = np.stack([pose_in_stance(rng, build, stance) for _ in range(DRAWS)])
        rotations = axis_angle_to_matrix(torch.from_numpy(poses).float())
        joints = body(rotations, torch.zeros(DRAWS, 10), torch.zeros(DRAWS, 3)).joints.numpy()
        hips, knees, ankles, wrists = (
            joints[:, [JOINT_NAMES.index(f"{side}_{part}") for side in "lr"]]
            for part in ("hip", "knee", "ankle", "wrist")
        )
        steps = np.linspace(0.0, 1.0, 20)[:, None, None, None]
        legs = np.concatenate([hips + steps * (knees - hips), knees + steps * (ankles - knees)])
        apart = np.linalg.norm(legs[:, :, None] - wrists[:, :, None], axis=-1).min((0, 3))
        near.append((apart < 0.16).mean())
    assert near[0] > near[1] + 0.3
