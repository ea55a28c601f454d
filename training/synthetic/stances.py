"""Stances of the legs and places of the hands that random poses are mixed from."""

from dataclasses import dataclass
from typing import Any

Vector = tuple[float, float, float]
ARM_LENGTH_M = 0.51
"""Shoulder to wrist of the body that the places of hands are written for."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """Where a foot goes: outward, up and forward of the hip, in leg lengths."""

    ankle: Vector
    spread: Vector = (0.03, 0.01, 0.04)
    knee: Vector = (0.12, 0.0, 1.0)
    """Direction in which the knee points: outward, up, forward."""
    toes_deg: float = 0.0
    """How far the toes point down from flat on the floor."""


@dataclass(frozen=True, kw_only=True)
class Stance:
    """The lower half of a pose and how the upper half leans on it."""

    weight: float
    left: Leg
    right: Leg
    pelvis_deg: Vector = (0.0, 0.0, 0.0)
    lean_deg: float = 4.0
    """How far the spine bends forward."""
    lying: bool = False
    """Whether the trunk is far from upright, so that no hand hangs beside it."""
    propped: float = 0.0
    """Share of poses in which both hands are on the floor before the chest."""
    on_legs: float = 0.0
    """Share of poses in which hands go to the thighs, knees, shins or feet."""
    reaching: float = 0.0
    """Share of poses in which both arms are stretched out, alike or side by side."""
    bend_deg: Vector = (0.0, 0.0, 0.0)
    """How far the trunk bends on top of all that, half in the hips: forward, turned, sideways."""


def both(leg: Leg, *, weight: float, **rest: Any) -> Stance:
    """Make a stance whose legs are alike."""
    return Stance(weight=weight, left=leg, right=leg, **rest)


@dataclass(frozen=True, kw_only=True)
class Hand:
    """Where a wrist goes: outward, up and forward of the middle of the shoulders, metres."""

    weight: float
    wrist: Vector
    spread: Vector = (0.03, 0.03, 0.03)
    elbow: Vector = (0.5, -0.5, -0.7)
    """Direction in which the elbow points: outward, up, forward."""
    palm_deg: float = 0.0
    """How far the hand is turned about the forearm."""
    gravity: float = 0.0
    """1 where the hand hangs below the shoulder however the body leans, 0 where it leans along."""


STRAIGHT = Leg(ankle=(0.02, -0.985, 0.0))
STANCES = {
    "stand": both(STRAIGHT, weight=3.0),
    "contrapposto": Stance(
        weight=2.5,
        left=STRAIGHT,
        right=Leg(ankle=(0.1, -0.93, 0.1), spread=(0.05, 0.02, 0.06), knee=(0.3, 0.0, 1.0)),
        pelvis_deg=(0.0, 8.0, 6.0),
    ),
    "walk": Stance(
        weight=2.5,
        left=Leg(ankle=(0.0, -0.92, 0.34), spread=(0.03, 0.02, 0.08), toes_deg=-15.0),
        right=Leg(ankle=(0.0, -0.88, -0.36), spread=(0.03, 0.02, 0.08), toes_deg=35.0),
        pelvis_deg=(0.0, -6.0, 0.0),
    ),
    "run": Stance(
        weight=1.2,
        left=Leg(ankle=(0.0, -0.6, 0.3), spread=(0.03, 0.08, 0.1), toes_deg=10.0),
        right=Leg(ankle=(0.0, -0.62, -0.58), spread=(0.03, 0.1, 0.08), toes_deg=60.0),
        pelvis_deg=(8.0, -8.0, 0.0),
        lean_deg=12.0,
    ),
    "wide": both(
        Leg(ankle=(0.25, -0.94, 0.0), spread=(0.1, 0.02, 0.05), knee=(0.5, 0.0, 1.0)), weight=1.2
    ),
    "crossed": Stance(
        weight=1.5,
        left=Leg(ankle=(-0.18, -0.95, 0.13), spread=(0.04, 0.01, 0.03)),
        right=Leg(ankle=(-0.08, -0.985, -0.05), spread=(0.03, 0.005, 0.02)),
    ),
    "sit": both(
        Leg(ankle=(0.08, -0.5, 0.5), spread=(0.08, 0.04, 0.08), knee=(0.25, 0.8, 1.0)),
        weight=1.2,
        pelvis_deg=(-6.0, 0.0, 0.0),
        lean_deg=8.0,
    ),
    "sit cross-kneed": Stance(
        weight=0.5,
        left=Leg(ankle=(-0.2, -0.28, 0.62), spread=(0.05, 0.05, 0.05), knee=(-0.25, 1.0, 0.6)),
        right=Leg(ankle=(0.03, -0.52, 0.44), spread=(0.03, 0.03, 0.04), knee=(0.0, 0.6, 1.0)),
        pelvis_deg=(-6.0, 0.0, 0.0),
    ),
    "squat": both(
        Leg(ankle=(0.12, -0.5, 0.12), spread=(0.06, 0.08, 0.05), knee=(0.6, 0.3, 1.0)),
        weight=0.7,
        pelvis_deg=(22.0, 0.0, 0.0),
        lean_deg=16.0,
    ),
    "lunge": Stance(
        weight=0.8,
        left=Leg(ankle=(0.02, -0.66, 0.45), spread=(0.04, 0.06, 0.06), knee=(0.1, 0.3, 1.0)),
        right=Leg(ankle=(0.02, -0.68, -0.6), spread=(0.03, 0.06, 0.06), toes_deg=45.0),
    ),
    "kneel": Stance(
        weight=0.5,
        left=Leg(ankle=(0.05, -0.5, 0.48), spread=(0.03, 0.02, 0.03), knee=(0.1, 0.8, 1.0)),
        right=Leg(ankle=(0.03, -0.5, -0.46), spread=(0.02, 0.02, 0.02), toes_deg=70.0),
    ),
    "kick": Stance(
        weight=0.7,
        left=Leg(ankle=(0.05, -0.45, 0.8), spread=(0.15, 0.2, 0.05), toes_deg=0.0),
        right=STRAIGHT,
        pelvis_deg=(-10.0, -10.0, 0.0),
        lean_deg=-2.0,
    ),
    "side kick": Stance(
        weight=0.4,
        left=Leg(ankle=(0.75, -0.5, 0.1), spread=(0.08, 0.15, 0.1), knee=(0.3, 0.5, 1.0)),
        right=STRAIGHT,
        pelvis_deg=(0.0, 0.0, 12.0),
    ),
    "one leg": Stance(
        weight=0.8,
        left=Leg(
            ankle=(-0.08, -0.5, 0.1),
            spread=(0.05, 0.08, 0.06),
            knee=(0.7, 0.3, 1.0),
            toes_deg=40.0,
        ),
        right=STRAIGHT,
    ),
    "leg behind": Stance(
        weight=0.6,
        left=Leg(ankle=(-0.02, -0.6, -0.5), spread=(0.05, 0.1, 0.1), toes_deg=60.0),
        right=STRAIGHT,
        pelvis_deg=(6.0, 0.0, 0.0),
    ),
    "bend": both(STRAIGHT, weight=0.6, pelvis_deg=(30.0, 0.0, 0.0), lean_deg=35.0),
}
"""Lower halves; every one is mirrored half the time."""

HANDS = {
    "hang": Hand(weight=2.5, wrist=(0.29, -0.48, 0.04), spread=(0.05, 0.03, 0.06), gravity=0.8),
    "swing forward": Hand(
        weight=0.7, wrist=(0.22, -0.4, 0.27), spread=(0.04, 0.04, 0.08), gravity=0.5
    ),
    "swing back": Hand(
        weight=0.7, wrist=(0.27, -0.42, -0.22), spread=(0.04, 0.04, 0.06), gravity=0.5
    ),
    "on hip": Hand(weight=1.5, wrist=(0.235, -0.34, 0.03), elbow=(1.0, 0.0, -0.5), palm_deg=-40.0),
    "pocket": Hand(weight=0.8, wrist=(0.225, -0.43, 0.06), elbow=(0.6, 0.0, -1.0)),
    "across belly": Hand(
        weight=1.6, wrist=(-0.06, -0.27, 0.21), spread=(0.06, 0.06, 0.03), elbow=(0.8, -0.6, -0.1)
    ),
    "folded on chest": Hand(
        weight=1.6, wrist=(-0.11, -0.12, 0.22), spread=(0.04, 0.04, 0.03), elbow=(0.6, -0.8, 0.1)
    ),
    "low across": Hand(
        weight=1.0, wrist=(-0.02, -0.42, 0.22), spread=(0.05, 0.04, 0.03), elbow=(1.0, 0.1, -0.2)
    ),
    "behind back low": Hand(
        weight=1.3, wrist=(-0.03, -0.38, -0.2), spread=(0.05, 0.04, 0.02), elbow=(1.0, 0.0, -0.4)
    ),
    "behind back high": Hand(
        weight=0.8, wrist=(0.0, -0.24, -0.2), spread=(0.06, 0.05, 0.02), elbow=(1.0, -0.2, -0.5)
    ),
    "before chest": Hand(
        weight=1.2, wrist=(0.06, -0.16, 0.33), spread=(0.07, 0.08, 0.06), elbow=(0.5, -1.0, -0.1)
    ),
    "on shoulder": Hand(
        weight=0.6, wrist=(-0.13, 0.0, 0.19), spread=(0.03, 0.03, 0.03), elbow=(0.3, -0.8, 0.6)
    ),
    "at face": Hand(
        weight=0.8, wrist=(0.05, 0.12, 0.21), spread=(0.04, 0.05, 0.03), elbow=(0.5, -0.8, 0.3)
    ),
    "behind head": Hand(
        weight=0.6, wrist=(0.11, 0.2, -0.12), spread=(0.03, 0.04, 0.02), elbow=(1.0, 0.3, 0.2)
    ),
    "raised": Hand(
        weight=1.2, wrist=(0.24, 0.46, 0.06), spread=(0.12, 0.06, 0.1), elbow=(0.8, 0.0, -0.2)
    ),
    "waving": Hand(
        weight=0.6, wrist=(0.4, 0.24, 0.1), spread=(0.06, 0.06, 0.06), elbow=(0.6, -1.0, -0.1)
    ),
    "forward": Hand(
        weight=1.0, wrist=(0.16, -0.02, 0.48), spread=(0.1, 0.1, 0.06), elbow=(0.4, -1.0, 0.0)
    ),
    "sideways": Hand(
        weight=0.9, wrist=(0.66, -0.03, 0.06), spread=(0.03, 0.15, 0.12), elbow=(0.0, -0.6, -1.0)
    ),
    "across reaching": Hand(
        weight=1.0, wrist=(-0.2, -0.06, 0.36), spread=(0.06, 0.1, 0.06), elbow=(0.5, -1.0, 0.1)
    ),
    "anywhere in front": Hand(
        weight=1.8, wrist=(0.15, -0.1, 0.3), spread=(0.18, 0.22, 0.1), elbow=(0.6, -0.7, -0.3)
    ),
    "back and out": Hand(
        weight=0.5, wrist=(0.42, -0.3, -0.25), spread=(0.08, 0.1, 0.06), elbow=(0.3, -0.2, -1.0)
    ),
}
"""Where hands go; drawn for both hands at once, or for each on its own."""
PROPPED = Hand(
    weight=1.0, wrist=(0.2, -0.02, 0.46), spread=(0.06, 0.08, 0.05), elbow=(0.6, -0.6, -0.2)
)
"""Where hands go that hold up a trunk."""
