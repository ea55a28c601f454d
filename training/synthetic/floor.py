"""Poses on the floor, on all fours, lying, leaping: for training on keypoints, without images."""

from dataclasses import replace

import numpy as np

from .limbs import Array
from .poses import Build, draw_stance, pose_in_stance
from .stances import STANCES, STRAIGHT, Leg, Stance, both

FLOOR_SHARE = 0.3
"""Share of `draw_any_pose` that is one of `FLOOR_STANCES`."""

_AHEAD = Leg(
    ankle=(0.08, -0.08, 0.96), spread=(0.08, 0.04, 0.03), knee=(0.15, 1.0, 0.2), toes_deg=-50.0
)
_APART = Leg(
    ankle=(0.5, -0.08, 0.78), spread=(0.12, 0.04, 0.08), knee=(0.4, 1.0, 0.3), toes_deg=-50.0
)
_KNEE_UP = Leg(ankle=(0.1, -0.12, 0.5), spread=(0.08, 0.04, 0.1), knee=(0.2, 1.0, 0.3))
_CROSSED = Leg(
    ankle=(-0.08, -0.1, 0.33), spread=(0.05, 0.03, 0.05), knee=(1.0, 0.3, 0.5), toes_deg=30.0
)
_FOLDED = Leg(
    ankle=(0.05, -0.2, 0.05), spread=(0.04, 0.05, 0.05), knee=(0.2, 0.0, 1.0), toes_deg=75
)
_KNEELING = Leg(
    ankle=(0.05, -0.5, -0.45), spread=(0.05, 0.04, 0.05), knee=(0.15, 0.0, 1.0), toes_deg=70.0
)
_STRETCHED = Leg(
    ankle=(0.06, -0.4, 0.83), spread=(0.1, 0.1, 0.06), knee=(0.15, 1.0, 0.4), toes_deg=-25.0
)
_SEATED = Leg(ankle=(0.12, -0.5, 0.42), spread=(0.1, 0.05, 0.08), knee=(0.25, 0.8, 1.0))
_CRAWLING = Leg(
    ankle=(0.05, -0.5, -0.46), spread=(0.05, 0.04, 0.08), knee=(0.1, -0.3, 1.0), toes_deg=75.0
)
_BEHIND = Leg(ankle=(0.08, -0.68, -0.6), spread=(0.08, 0.12, 0.12), toes_deg=50.0)
_DOWNWARD = Leg(ankle=(0.12, -0.9, -0.2), spread=(0.06, 0.05, 0.12), toes_deg=20.0)
_PLANK = Leg(ankle=(0.08, -0.25, -0.94), spread=(0.06, 0.08, 0.03), toes_deg=60.0)
_LYING = Leg(
    ankle=(0.12, 0.0, 0.97), spread=(0.08, 0.05, 0.02), knee=(0.2, 1.0, 0.0), toes_deg=-55.0
)
_LYING_KNEE_UP = Leg(ankle=(0.1, 0.0, 0.5), spread=(0.08, 0.06, 0.12), knee=(0.1, 1.0, 0.2))
_LYING_RAISED = Leg(
    ankle=(0.05, 0.6, 0.7), spread=(0.1, 0.2, 0.1), knee=(0.1, 1.0, -0.3), toes_deg=-60.0
)
_PRONE = Leg(ankle=(0.12, 0.0, -0.97), spread=(0.08, 0.05, 0.02), toes_deg=75.0)
_CROUCHING = Leg(ankle=(0.1, -0.75, 0.2), spread=(0.1, 0.12, 0.15), knee=(0.4, 0.1, 1.0))
_LEAPING = Leg(
    ankle=(0.15, -0.7, -0.05), spread=(0.15, 0.15, 0.2), knee=(0.3, 0.1, 1.0), toes_deg=40.0
)

FLOOR_STANCES = {
    "legs ahead": both(_AHEAD, weight=1.0, pelvis_deg=(-10.0, 0.0, 0.0), lean_deg=15.0),
    "legs apart": both(_APART, weight=1.0, pelvis_deg=(-5.0, 0.0, 0.0), lean_deg=20.0),
    "knees up": both(_KNEE_UP, weight=1.0, pelvis_deg=(-15.0, 0.0, 0.0), lean_deg=18.0),
    "one knee up": Stance(
        weight=1.0, left=_AHEAD, right=_KNEE_UP, pelvis_deg=(-12.0, 0.0, 0.0), lean_deg=15.0
    ),
    "cross-legged": both(_CROSSED, weight=1.0, pelvis_deg=(-8.0, 0.0, 0.0), lean_deg=12.0),
    "on the heels": both(_FOLDED, weight=0.7, lean_deg=10.0),
    "on both knees": both(_KNEELING, weight=0.7, lean_deg=8.0),
    "chair, legs stretched": both(
        _STRETCHED, weight=1.0, pelvis_deg=(-12.0, 0.0, 0.0), lean_deg=8.0
    ),
    "chair, leaning": both(_SEATED, weight=1.0, pelvis_deg=(20.0, 0.0, 0.0), lean_deg=25.0),
    "all fours": both(_CRAWLING, weight=1.0, pelvis_deg=(80.0, 0.0, 0.0), lying=True, propped=0.8),
    "hands and feet": Stance(
        weight=1.0,
        left=Leg(ankle=(0.08, -0.6, 0.25), spread=(0.08, 0.12, 0.15), knee=(0.3, 0.1, 1.0)),
        right=_BEHIND,
        pelvis_deg=(75.0, 0.0, 0.0),
        lean_deg=12.0,
        lying=True,
        propped=0.7,
    ),
    "hips high": both(
        _DOWNWARD, weight=0.5, pelvis_deg=(110.0, 0.0, 0.0), lean_deg=10.0, lying=True, propped=0.9
    ),
    "plank": both(_PLANK, weight=0.5, pelvis_deg=(80.0, 0.0, 0.0), lying=True, propped=0.9),
    "on the back": both(_LYING, weight=0.8, pelvis_deg=(-85.0, 0.0, 0.0), lean_deg=2.0, lying=True),
    "on the back, knees up": both(
        _LYING_KNEE_UP, weight=0.8, pelvis_deg=(-80.0, 0.0, 0.0), lean_deg=8.0, lying=True
    ),
    "on the back, leg raised": Stance(
        weight=0.8,
        left=_LYING_RAISED,
        right=_LYING_KNEE_UP,
        pelvis_deg=(-65.0, 0.0, 0.0),
        lean_deg=15.0,
        lying=True,
    ),
    "on the belly": both(
        _PRONE, weight=0.6, pelvis_deg=(85.0, 0.0, 0.0), lean_deg=-10.0, lying=True, propped=0.4
    ),
    "on the side": Stance(
        weight=0.6,
        left=Leg(ankle=(0.85, 0.05, 0.15), spread=(0.08, 0.08, 0.1), knee=(0.0, 0.0, 1.0)),
        right=Leg(ankle=(-0.85, -0.05, 0.15), spread=(0.1, 0.08, 0.12), knee=(0.0, 0.0, 1.0)),
        pelvis_deg=(0.0, 0.0, 80.0),
        lying=True,
    ),
    "step up": Stance(
        weight=1.0,
        left=Leg(ankle=(0.05, -0.6, 0.38), spread=(0.06, 0.12, 0.1), knee=(0.2, 0.3, 1.0)),
        right=STRAIGHT,
        pelvis_deg=(6.0, 0.0, 0.0),
        lean_deg=10.0,
    ),
    "crouch": Stance(
        weight=1.2,
        left=_CROUCHING,
        right=Leg(ankle=(0.1, -0.75, -0.15), spread=(0.1, 0.12, 0.15), knee=(0.4, 0.1, 1.0)),
        pelvis_deg=(30.0, 0.0, 0.0),
        lean_deg=20.0,
    ),
    "leap": both(_LEAPING, weight=0.6),
}
"""Lower halves; every one is mirrored half the time."""


ON_LEGS, REACHING = 0.25, 0.15
"""Shares of `draw_any_pose` in which hands go to the legs, if they can, and are stretched out."""
BENT, BEND_DEG = 0.35, ((14.0, 0.0, 0.0), (26.0, 18.0, 15.0))
"""Share in which the trunk bends more than the stance does; mean and standard deviation."""


def draw_any_pose(rng: np.random.Generator, build: Build) -> Array:
    """Draw a pose as `poses.draw_pose` does, of all kinds that people who exercise take too."""
    stance = draw_stance(rng, FLOOR_STANCES if rng.random() < FLOOR_SHARE else STANCES)
    stance = replace(stance, on_legs=ON_LEGS, reaching=REACHING)
    if rng.random() < BENT:
        stance = replace(stance, bend_deg=tuple(rng.normal(*BEND_DEG)))
    return pose_in_stance(rng, build, stance)
