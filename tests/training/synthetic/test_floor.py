from dataclasses import replace

import numpy as np
import torch

from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from training.synthetic.floor import FLOOR_STANCES
from training.synthetic.poses import Build, pose_in_stance
from training.synthetic.stances import STANCES, Stance

DRAWS = 15


def places(body, stance: Stance) -> dict[str, np.ndarray]:
    """Draw a stance; where each joint is from the pelvis, metres."""
    rng, build = np.random.default_rng(0), Build.bundled()
    poses = np.stack([pose_in_stance(rng, build, stance) for _ in range(DRAWS)])
    rotations = axis_angle_to_matrix(torch.from_numpy(poses).float())
    joints = body(rotations, torch.zeros(DRAWS, 10), torch.zeros(DRAWS, 3)).joints.numpy()
    return dict(zip(JOINT_NAMES, (joints - joints[:, :1]).swapaxes(0, 1), strict=True))


def heights(body, stance: str) -> dict[str, np.ndarray]:
    """Draw a stance; how high each joint is above the pelvis, metres."""
    return {name: place[:, 1] for name, place in places(body, FLOOR_STANCES[stance]).items()}


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
    sat, near = FLOOR_STANCES["knees up"], []
    for share in (1.0, 0.0):
        at = places(body, replace(sat, on_legs=share))
        hips, knees, ankles, wrists = (
            np.stack([at[f"{side}_{part}"] for side in "lr"], 1)
            for part in ("hip", "knee", "ankle", "wrist")
        )
        steps = np.linspace(0.0, 1.0, 20)[:, None, None, None]
        legs = np.concatenate([hips + steps * (knees - hips), knees + steps * (ankles - knees)])
        apart = np.linalg.norm(legs[:, :, None] - wrists[:, :, None], axis=-1).min((0, 3))
        near.append((apart < 0.16).mean())
    assert near[0] > near[1] + 0.3


def test_arms_that_reach_are_straight_and_alike(body):
    at = places(body, replace(STANCES["stand"], reaching=1.0))
    span = np.stack(
        [np.linalg.norm(at[f"{side}_wrist"] - at[f"{side}_shoulder"], axis=1) for side in "lr"]
    )
    whole = sum(
        np.linalg.norm(at[f"l_{end}"] - at[f"l_{start}"], axis=1)
        for start, end in (("shoulder", "elbow"), ("elbow", "wrist"))
    )
    assert ((span / whole).min(0) > 0.9).mean() > 0.8
    assert (np.abs(at["l_wrist"] - at["r_wrist"])[:, 1] < 0.15).mean() > 0.8


def test_a_trunk_bends_as_far_as_it_is_told(body):
    """Half of it in the hips, half along the spine, which turns the chest by all of it."""
    for axis, way in ((0, "forward"), (2, "sideways")):
        bend = np.zeros(3)
        bend[axis] = 60.0
        leaning = []
        for told in (bend, np.zeros(3)):
            at = places(body, replace(STANCES["stand"], bend_deg=tuple(told)))
            neck = at["neck"]
            aside = neck[:, 2] if way == "forward" else -neck[:, 0]
            leaning.append(np.degrees(np.arctan2(aside, neck[:, 1])).mean())
        assert 30.0 < leaning[0] - leaning[1] < 60.0, way
