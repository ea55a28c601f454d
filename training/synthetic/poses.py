"""Plausible random poses: a lower half, a spine, a pair of arms and a head, mixed at random.

Arms and legs are drawn as places that hands and feet go to, and solved for the person's own bones,
so that a hand on the hip is there on every body. Limbs in front of, behind and across the body are
common on purpose: which one is in front is what the network has to learn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch

from posexfer_core.body.joints import JOINT_INDEX, LIMB_CHAINS, PARENTS
from posexfer_core.body.model import BodyModel

from .limbs import (
    Array,
    Limb,
    Reach,
    axis_angle,
    limited,
    mirrored,
    reach,
    rotation,
    segment_distance,
    unit,
)
from .stances import ARM_LENGTH_M, HANDS, PROPPED, STANCES, Hand, Leg, Stance, Vector

PELVIS, CHEST, NECK, HEAD = (JOINT_INDEX[name] for name in ("pelvis", "spine3", "neck", "head"))
SPINE = tuple(JOINT_INDEX[f"spine{number}"] for number in (1, 2, 3))
LEG, ARM, COLLAR = LIMB_CHAINS["left_leg"], LIMB_CHAINS["left_arm"], JOINT_INDEX["l_collar"]
"""Joints of the left side; on the right each has the next number."""
ATTEMPTS = 12
WRIST_M = 0.045
"""Half the thickness of a forearm with its sleeve."""
MIRROR = np.array([-1.0, 1.0, 1.0])
EACH_ON_LEG, OWN_LEG = 0.8, 0.75
"""Of people with hands on their legs: share of hands that are, and of those on their own side's."""
ALONG_LEG, OFF_LEG_M = (0.4, 2.0), (0.09, 0.14)
"""Where on a leg a wrist is, 0 at the hip, 1 at the knee, 2 at the ankle; how far off its bones."""
STRETCHED_M, STRETCHES = 0.66, ((-0.4, -1.0, -0.3), (1.0, 1.0, 1.0))
"""How far from the middle of the shoulders stretched arms reach; bounds of their direction."""
MIRRORED = 0.7
"""Share of stretched pairs of arms of which one is the mirror of the other."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """What a pose needs to know of a person at rest; metres."""

    joints: Array
    """(24, 3), the rest pose."""
    belly: Vector
    """Half width of the torso at its waist, its depth in front of the spine and behind it."""

    @classmethod
    def of(cls, vertices: Array, joints: Array) -> "Build":
        """Measure a rest mesh between the chest and the hips."""
        low, high = joints[0, 1] + 0.05, joints[9, 1]
        torso = (vertices[:, 1] > low) & (vertices[:, 1] < high)
        band = vertices[torso & (np.abs(vertices[:, 0]) < abs(joints[18, 0]) * 0.6)]
        depth = band[:, 2] - joints[6, 2]
        return cls(
            joints=joints,
            belly=(float(np.abs(band[:, 0]).max()), float(depth.max()), float(-depth.min())),
        )

    @classmethod
    def bundled(cls) -> "Build":
        """Measure the mean bundled body."""
        vertices, joints = BodyModel.bundled().rest(torch.zeros(1, 10))
        return cls.of(vertices[0].double().numpy(), joints[0].double().numpy())


Option = TypeVar("Option", Stance, Hand)


def draw_pose(rng: np.random.Generator, build: Build) -> Array:
    """Draw a pose of a person.

    Returns:
        (24, 3) axis-angle, radians. The root tilts the body from upright and facing +z; the caller
        turns it to the camera.
    """
    return pose_in_stance(rng, build, draw_stance(rng, STANCES))


def pose_in_stance(rng: np.random.Generator, build: Build, stance: Stance) -> Array:
    """Draw a pose with a given lower half, as `draw_pose` does."""
    world = np.tile(np.eye(3), (24, 1, 1))
    bend = np.array(stance.bend_deg) / 2.0
    world[PELVIS] = rotation(stance.pelvis_deg + bend + rng.normal(0.0, 3.0, 3))
    legs = _draw_legs(rng, build, world, stance)
    _bend_spine(rng, world, bend + np.array([stance.lean_deg, 0.0, 0.0]))
    _draw_arms(rng, build, world, legs, stance)
    return np.stack(
        [
            axis_angle(world[joint] if parent < 0 else world[parent].T @ world[joint])
            for joint, parent in enumerate(PARENTS)
        ]
    )


def joint_places(build: Build, world: Array) -> Array:
    """Give every joint's place, (24, 3), from world rotations; the pelvis is at 0."""
    places = np.zeros((24, 3))
    for joint, parent in enumerate(PARENTS[1:], start=1):
        bone = build.joints[joint] - build.joints[parent]
        places[joint] = places[parent] + world[parent] @ bone
    return places


def draw_stance(rng: np.random.Generator, stances: Mapping[str, Stance]) -> Stance:
    """Choose a lower half, or its mirror image."""
    stance = _choose(rng, stances)
    if rng.random() < 0.5:
        return stance
    forward, turn, roll = stance.pelvis_deg
    return replace(stance, left=stance.right, right=stance.left, pelvis_deg=(forward, -turn, -roll))


def _draw_hands(rng: np.random.Generator, stance: Stance) -> tuple[Hand, Hand]:
    """Draw both hands alike half the time, as in folded arms or hands on the hips."""
    if stance.propped and rng.random() < stance.propped:
        return PROPPED, PROPPED
    if stance.reaching and rng.random() < stance.reaching:
        return _stretched(rng)
    left = _choose(rng, HANDS)
    return left, left if rng.random() < 0.5 else _choose(rng, HANDS)


def _stretched(rng: np.random.Generator) -> tuple[Hand, Hand]:
    """Stretch both arms the same way, or one in the mirror of the other."""
    out, up, forward = STRETCHED_M * unit(rng.uniform(*STRETCHES))
    hand = Hand(weight=1.0, wrist=(out, up, forward), gravity=rng.random())
    beside = replace(hand, wrist=(-out, up, forward))
    return hand, hand if rng.random() < MIRRORED else beside


def _choose(rng: np.random.Generator, options: Mapping[str, Option]) -> Option:
    weights = np.array([option.weight for option in options.values()])
    return list(options.values())[rng.choice(len(weights), p=weights / weights.sum())]


def _draw_legs(
    rng: np.random.Generator, build: Build, world: Array, stance: Stance
) -> tuple[Reach, Reach]:
    """Draw both legs, at most `ATTEMPTS` times, until neither cuts through the other."""
    attempt = 0
    while True:
        attempt += 1
        legs = (
            _draw_leg(rng, build, world, stance.left, 0),
            _draw_leg(rng, build, world, stance.right, 1),
        )
        if attempt == ATTEMPTS or _legs_apart(legs):
            return legs


def _draw_arms(
    rng: np.random.Generator,
    build: Build,
    world: Array,
    legs: tuple[Reach, Reach],
    stance: Stance,
) -> None:
    """Draw both arms until nothing grossly cuts through; after `ATTEMPTS` they hang."""
    places = joint_places(build, world)
    for attempt in range(ATTEMPTS + 1):
        hands = _draw_hands(rng, stance) if attempt < ATTEMPTS else (HANDS["hang"], HANDS["hang"])
        goals = _goals_on_legs(rng, places, legs, stance) if attempt < ATTEMPTS else (None, None)
        if stance.lying:
            hands = replace(hands[0], gravity=0.0), replace(hands[1], gravity=0.0)
        arms = (
            _draw_arm(rng, build, world, places[CHEST], hands[0], 0, goals[0]),
            _draw_arm(rng, build, world, places[CHEST], hands[1], 1, goals[1]),
        )
        if _arms_free(build, world, places, arms, legs):
            break


def _draw_leg(rng: np.random.Generator, build: Build, world: Array, leg: Leg, side: int) -> Reach:
    """Draw a foot's place and write the leg's world rotations; mirrored for the right side."""
    hip, knee, ankle, toes = (joint + side for joint in LEG)
    upper, lower = _bones(build, (hip, knee, ankle), side)
    limb = Limb(upper=upper, lower=lower, hinge=np.array([1.0, 0.0, 0.0]), straightest_deg=7.0)
    root = joint_places(build, world)[hip] * (MIRROR if side else 1.0)
    length = np.linalg.norm(upper) + np.linalg.norm(lower)
    target = root + length * rng.normal(leg.ankle, leg.spread)
    toward = rng.normal(leg.knee, 0.08)
    solved = reach(limb, root, target, toward)
    foot = rotation((0.0, rng.normal(10.0, 8.0), 0.0)) @ rotation(
        (leg.toes_deg + rng.normal(0.0, 5.0), 0.0, 0.0)
    )
    foot = solved.lower_rotation @ limited(solved.lower_rotation.T @ foot, 50.0)
    back = mirrored if side else _same
    world[hip], world[knee] = back(solved.upper_rotation), back(solved.lower_rotation)
    world[ankle] = back(foot)
    world[toes] = back(foot @ rotation((rng.normal(-min(leg.toes_deg, 30.0) * 0.3, 3.0), 0, 0)))
    return solved if not side else _mirror_reach(solved)


def _bend_spine(rng: np.random.Generator, world: Array, bend_deg: Array) -> None:
    """Bend the spine by equal parts, then turn the head, which looks up against the lean."""
    bend = rng.normal(bend_deg, (6.0, 13.0, 6.0))
    parent = PELVIS
    for joint in SPINE:
        world[joint] = world[parent] @ rotation(bend / 3.0)
        parent = joint
    look = rng.normal((-0.4 * bend[0] + 2.0, -0.4 * bend[1], 0.0), (9.0, 20.0, 5.0))
    world[NECK] = world[parent] @ rotation(look / 2.0)
    world[HEAD] = world[NECK] @ rotation(look / 2.0)
    world[COLLAR] = world[COLLAR + 1] = world[parent]
    for joint in (*ARM, *(joint + 1 for joint in ARM)):
        world[joint] = world[parent]


def _goals_on_legs(
    rng: np.random.Generator, places: Array, legs: tuple[Reach, Reach], stance: Stance
) -> tuple[Array | None, Array | None]:
    """Choose where on the legs the hands go, if they do: mostly both, mostly to their own leg."""
    if not stance.on_legs or rng.random() >= stance.on_legs:
        return None, None
    goals = []
    for side in (0, 1):
        whose = side if rng.random() < OWN_LEG else 1 - side
        line = np.stack([places[LEG[0] + whose], legs[whose].middle, legs[whose].end])
        along = rng.uniform(*ALONG_LEG)
        place = [np.interp(along, (0.0, 1.0, 2.0), axis) for axis in line.T]
        off = rng.uniform(*OFF_LEG_M) * unit(rng.normal((0.0, 0.8, 0.3), 0.5))
        goals.append(place + off if rng.random() < EACH_ON_LEG else None)
    return goals[0], goals[1]


def _draw_arm(
    rng: np.random.Generator,
    build: Build,
    world: Array,
    origin: Array,
    hand: Hand,
    side: int,
    goal: Array | None,
) -> Reach:
    """Bring a wrist to its place and write the arm's world rotations.

    The chest is at `origin`. A goal says where the wrist goes in place of `hand`.
    """
    shoulder, elbow, wrist, tips = (joint + side for joint in ARM)
    upper, lower = _bones(build, (shoulder, elbow, wrist), side)
    limb = Limb(upper=upper, lower=lower, hinge=np.array([0.0, -1.0, 0.0]), straightest_deg=8.0)
    back = mirrored if side else _same
    chest = back(world[CHEST])
    collar, rest, mirror = COLLAR + side, build.joints, MIRROR if side else np.ones(3)
    middle = origin + world[CHEST] @ ((rest[ARM[0]] + rest[ARM[0] + 1]) / 2.0 - rest[CHEST])
    if goal is None:
        scale = (np.linalg.norm(upper) + np.linalg.norm(lower)) / ARM_LENGTH_M
        place = rng.normal(hand.wrist, hand.spread) * scale
        place[2] = _clear_of_torso(build, place)
        offset = (1.0 - hand.gravity) * (chest @ place) + hand.gravity * place
    else:
        offset = (goal - middle) * mirror
        place = np.clip(chest.T @ offset, -ARM_LENGTH_M, ARM_LENGTH_M)
    raise_deg = 16.0 * float(np.clip(place[1] / 0.4 + 0.3, 0.0, 1.0))
    world[collar] = back(chest @ rotation((0.0, -14.0 * place[2] / 0.4, raise_deg)))
    root = origin + world[CHEST] @ (rest[collar] - rest[CHEST])
    root = root + world[collar] @ (rest[shoulder] - rest[collar])
    target = middle * mirror + offset
    solved = reach(limb, root * mirror, target, chest @ rng.normal(hand.elbow, 0.12))
    turn = hand.palm_deg + rng.normal(0.0, 15.0)
    forearm = solved.lower_rotation @ rotation((0.5 * turn, 0.0, 0.0))
    world[shoulder], world[elbow] = back(solved.upper_rotation), back(forearm)
    bent = forearm @ rotation((0.5 * turn, rng.normal(0.0, 8.0), rng.normal(0.0, 12.0)))
    world[wrist] = world[tips] = back(bent)
    return solved if not side else _mirror_reach(solved)


def _clear_of_torso(build: Build, place: Array) -> float:
    """Move a wrist forward or back until it lies outside the torso; returns its forward part."""
    width, front, behind = build.belly
    inside = 1.0 - (place[0] / (width + WRIST_M)) ** 2
    if inside <= 0.0 or place[1] > 0.03:
        return float(place[2])
    centre = build.joints[6, 2] - build.joints[16, 2]
    if place[2] > 0.0:
        return max(float(place[2]), centre + (front + WRIST_M) * float(np.sqrt(inside)))
    return min(float(place[2]), centre - (behind + WRIST_M) * float(np.sqrt(inside)))


def _arms_free(
    build: Build,
    world: Array,
    places: Array,
    arms: tuple[Reach, Reach],
    legs: tuple[Reach, Reach],
) -> bool:
    """Check that no arm grossly cuts through torso, head, legs or the other arm."""
    head = places[HEAD] + world[HEAD] @ np.array([0.0, 0.07, 0.03])
    reached = []
    for arm in arms:
        tip = arm.end + 0.13 * (arm.end - arm.middle) / np.linalg.norm(arm.end - arm.middle)
        reached.append((arm.middle, tip))
        points = arm.middle + np.linspace(0.0, 1.0, 5)[:, None] * (tip - arm.middle)
        if np.sqrt(((points - head) ** 2).sum(-1)).min() < 0.115:
            return False
        if _depth_in_torso(build, world, places, points) > 0.0:
            return False
        for leg, hip in zip(legs, (1, 2), strict=True):
            thigh, shin = (places[hip], leg.middle), (leg.middle, leg.end)
            if segment_distance((arm.middle, tip), thigh) < 0.085:
                return False
            if segment_distance((arm.middle, tip), shin) < 0.075:
                return False
    return segment_distance(reached[0], reached[1]) > 0.065


def _depth_in_torso(build: Build, world: Array, places: Array, points: Array) -> float:
    """Compute the largest depth of points in an elliptic cylinder around the spine; 0 outside."""
    width, front, behind = build.belly
    local = (points - places[6]) @ world[6]
    top = build.joints[16, 1] - build.joints[6, 1]
    within = (local[:, 1] < top) & (local[:, 1] > build.joints[0, 1] - build.joints[6, 1] - 0.08)
    depth = np.where(local[:, 2] > 0.0, front, behind) * 0.97 + 0.02
    radius = np.sqrt((local[:, 0] / (width * 0.97 + 0.02)) ** 2 + (local[:, 2] / depth) ** 2)
    return float(np.max(np.where(within, 1.0 - radius, 0.0)))


def _legs_apart(legs: tuple[Reach, Reach]) -> bool:
    """Check that knees, shins and feet keep clear of the other leg."""
    left, right = legs
    shins = (left.middle, left.end), (right.middle, right.end)
    return segment_distance(shins[0], shins[1]) > 0.095


def _bones(build: Build, joints: tuple[int, int, int], side: int) -> tuple[Array, Array]:
    """Give a limb's two bones at rest, in the mirror for the right side."""
    first, second, third = (build.joints[joint] for joint in joints)
    mirror = MIRROR if side else np.ones(3)
    return (second - first) * mirror, (third - second) * mirror


def _mirror_reach(solved: Reach) -> Reach:
    return Reach(
        upper_rotation=mirrored(solved.upper_rotation),
        lower_rotation=mirrored(solved.lower_rotation),
        middle=solved.middle * MIRROR,
        end=solved.end * MIRROR,
    )


def _same(matrix: Array) -> Array:
    return matrix
