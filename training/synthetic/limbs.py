"""Two-bone limbs: from where a wrist or an ankle should be to the rotations that bring it there.

Everything is numpy, metres, in the body's frame: x to the person's left, y up, z forward.
"""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


def rotation(degrees: Array | tuple[float, float, float]) -> Array:
    """Turn an axis-angle vector in degrees into a matrix (Rodrigues' formula).

    `rotation((0, 0, 90))` carries x to y.
    """
    vector = np.radians(np.asarray(degrees, np.float64))
    angle = float(np.sqrt(vector @ vector))
    if angle < 1e-9:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)


def axis_angle(matrix: Array) -> Array:
    """Undo `rotation`, in radians; the angle is kept below pi."""
    cosine = np.clip((np.trace(matrix) - 1.0) / 2.0, -1.0, 1.0)
    angle = float(np.arccos(cosine))
    twice = np.array(
        [
            matrix[2, 1] - matrix[1, 2],
            matrix[0, 2] - matrix[2, 0],
            matrix[1, 0] - matrix[0, 1],
        ]
    )
    if angle < 1e-6:
        return twice / 2.0
    if angle < np.pi - 1e-3:
        return twice * (angle / (2.0 * np.sin(angle)))
    # near a half turn the antisymmetric part vanishes, but (R + R^T)/2 = cos I + (1 - cos) a a^T
    outer = ((matrix + matrix.T) / 2.0 - cosine * np.eye(3)) / (1.0 - cosine)
    axis = unit(outer[:, int(np.argmax(np.diagonal(outer)))])
    return axis * (angle if axis @ twice >= 0.0 else -angle)


def limited(matrix: Array, limit_deg: float) -> Array:
    """Shorten a rotation to at most `limit_deg` about the same axis."""
    vector = np.degrees(axis_angle(matrix))
    angle = float(np.linalg.norm(vector))
    return matrix if angle <= limit_deg else rotation(vector * (limit_deg / angle))


def mirrored(matrix: Array) -> Array:
    """Mirror a rotation between left and right: `M R M` with `M = diag(-1, 1, 1)`."""
    signs = np.array([-1.0, 1.0, 1.0])
    return matrix * signs[:, None] * signs


def unit(vector: Array) -> Array:
    """Scale a vector to length one."""
    return vector / max(float(np.sqrt(vector @ vector)), 1e-9)


def cross(one: Array, two: Array) -> Array:
    """Do what `np.cross` does with two vectors, in a fifth of its time."""
    (a, b, c), (x, y, z) = one, two
    return np.array([b * z - c * y, c * x - a * z, a * y - b * x])


@dataclass(frozen=True, kw_only=True)
class Limb:
    """A left arm or leg at rest; a right one is a left one in the mirror."""

    upper: Array
    """From shoulder to elbow or from hip to knee."""
    lower: Array
    """From elbow to wrist or from knee to ankle."""
    hinge: Array
    """Unit axis the middle joint bends about; positive angles bend it the natural way."""
    straightest_deg: float
    """The middle joint bends at least this much, as a relaxed one does."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A limb that reaches: world rotations of its two bones, and where its joints are."""

    upper_rotation: Array
    lower_rotation: Array
    middle: Array
    """Place of elbow or knee."""
    end: Array
    """Place of wrist or ankle; short of the target where that is out of reach."""


def reach(limb: Limb, root: Array, target: Array, toward: Array) -> Reach:
    """Bend a limb so that its end comes to the target and its middle joint points `toward`.

    The law of cosines gives the bend; the middle joint lies in the plane of root, target and
    `toward`, which leaves one choice.

    Args:
        limb: at rest.
        root: place of shoulder or hip.
        target: where wrist or ankle should be.
        toward: direction in which elbow or knee points; need not be perpendicular.
    """
    first = float(np.sqrt(limb.upper @ limb.upper))
    second = float(np.sqrt(limb.lower @ limb.lower))
    bend = np.radians(limb.straightest_deg)
    longest = np.sqrt(first**2 + second**2 + 2.0 * first * second * np.cos(bend))
    shortest = np.sqrt(first**2 + second**2 + 2.0 * first * second * np.cos(np.radians(148.0)))
    aim = target - root
    distance = float(np.clip(np.sqrt(aim @ aim), shortest, longest))
    aim = unit(aim)
    side = toward - aim * (toward @ aim)
    if side @ side < 1e-8:
        side = np.array([aim[1], -aim[0], 0.0]) + 1e-3
    side = unit(side - aim * (side @ aim))
    cosine = np.clip((first**2 + distance**2 - second**2) / (2.0 * first * distance), -1.0, 1.0)
    upper = aim * cosine + side * np.sqrt(1.0 - cosine**2)
    middle, end = root + upper * first, root + aim * distance
    lower = unit(end - middle)
    hinge = unit(cross(upper, lower))
    return Reach(
        upper_rotation=_frame(upper, hinge) @ _frame(unit(limb.upper), limb.hinge).T,
        lower_rotation=_frame(lower, hinge) @ _frame(unit(limb.lower), limb.hinge).T,
        middle=middle,
        end=end,
    )


def segment_distance(one: tuple[Array, Array], two: tuple[Array, Array]) -> float:
    """Give the least distance between points along two segments, five on each; metres."""
    steps = np.linspace(0.0, 1.0, 5)[:, None]
    first = one[0] + steps * (one[1] - one[0])
    second = two[0] + steps * (two[1] - two[0])
    return float(np.sqrt(((first[:, None] - second[None]) ** 2).sum(-1).min()))


def _frame(along: Array, hinge: Array) -> Array:
    """Build a right-handed frame from a bone and the hinge, made perpendicular to it."""
    hinge = unit(hinge - along * (hinge @ along))
    return np.stack([along, hinge, cross(along, hinge)], axis=1)
