"""Pose cloth that hangs: on the trunk by skinning, below it by rings that enclose both legs.

Above the hips a tube follows the trunk by linear blend skinning. Below, the point in direction d
of a ring lies at `c + sigma s + q o`: c is the middle between both legs at that height, s half of
the way from the right one to the left one, sigma the soft sign of `d s`, and o how far the point
lay from its leg at rest, turned with the legs. That is the hull of two discs. q < 1 keeps the
ring's girth where the legs part, the cloth rides up where that is not enough, and what is loose
sinks.
"""

from dataclasses import dataclass

import numpy as np

from .paint import Array
from .tubes import LEGS, Tube

HANDED_OVER_M = (0.03, -0.17)
"""Above the hip joints the trunk moves the cloth, this far below them the legs do."""
STRETCH, SHORTEST = 1.15, 0.55
"""By how much cloth stretches before it rides up, and to what share of its length."""


def pose_tube(tube: Tube, transforms: Array, gravity: Array) -> Array:
    """Pose a tube by the (24, 3, 4) transforms of the bones; gravity is a unit vector.

    Returns:
        (rows, columns, 3).
    """
    blended = tube.weights.reshape(-1, 24) @ transforms.reshape(24, 12)
    blended = blended.reshape(*tube.rest.shape[:2], 3, 4)
    trunk = np.einsum("rcij,rcj->rci", blended[..., :3], tube.rest) + blended[..., 3]
    start, end = tube.legs[0, 0, 1] + np.array(HANDED_OVER_M)
    share = np.clip((start - tube.rest[:, 0, 1]) / (start - end), 0.0, 1.0)
    share = (share * share * (3.0 - 2.0 * share))[:, None, None]
    if not share.any():
        return trunk
    return trunk + share * (_around_legs(tube, transforms, gravity) - trunk)


@dataclass(frozen=True)
class _Legs:
    """Both legs, at the height of every ring."""

    middle: Array
    """(rows, 3), between them."""
    half: Array
    """(rows, 3), half of the way from the right one to the left one."""
    downs: Array
    """(2, rows, 3), unit vectors along the left and the right one."""

    @classmethod
    def of(cls, rest: Array, posed: Array, heights: Array, pelvis: Array) -> "_Legs":
        """Find the legs' axes at heights of the rest pose.

        Args:
            rest: (3, 2, 3), hips, knees and ankles.
            posed: the same, posed.
            heights: (rows,), metres, falling.
            pelvis: (3, 3), its rotation.
        """
        above = pelvis @ np.array([0.0, 0.3, 0.0])
        feet = posed[2] + 0.4 * (posed[2] - posed[1])
        chains = np.stack([feet, posed[2], posed[1], posed[0], posed[0] + above])
        low = rest[2, :, 1] + 0.4 * (rest[2, :, 1] - rest[1, :, 1])
        levels = np.stack([low, *rest[::-1, :, 1], rest[0, :, 1] + 0.3])
        lines = np.stack(
            [
                [np.interp(heights, levels[:, side], chains[:, side, axis]) for axis in range(3)]
                for side in (0, 1)
            ]
        ).transpose(0, 2, 1)
        downs = np.gradient(lines, axis=1)
        for _ in range(2):  # a knee bends over some length
            downs[:, 1:-1] = (downs[:, :-2] + 2.0 * downs[:, 1:-1] + downs[:, 2:]) / 4.0
        return cls((lines[0] + lines[1]) / 2.0, (lines[0] - lines[1]) / 2.0, _unit(downs))

    @property
    def width(self) -> Array:
        """Give half the distance between the legs, (rows,)."""
        return np.linalg.norm(self.half, axis=1)

    def sides(self, directions: Array) -> Array:
        """Tell which leg directions (rows, columns, 3) belong to: 1 left, -1 right, or between."""
        along = np.einsum("rci,ri->rc", _unit(directions), self.half)[..., None]
        return np.clip(along / (0.4 * self.width[:, None, None] + 0.02), -1.0, 1.0)

    def along(self, sides: Array) -> Array:
        """Give the direction of the leg of each of `sides`, or between both."""
        left, right = self.downs[:, :, None]
        return _unit((1.0 + sides) * left + (1.0 - sides) * right)


def _around_legs(tube: Tube, transforms: Array, gravity: Array) -> Array:
    """Lay every ring around both legs."""
    local = np.concatenate([tube.legs, np.ones((3, 2, 1))], -1)
    posed = np.einsum("abij,abj->abi", transforms[LEGS], local)
    pelvis, heights = transforms[0, :, :3], tube.rest[:, 0, 1]
    at_rest = _Legs.of(tube.legs, tube.legs, heights, np.eye(3))
    directions = tube.rest - tube.rest.mean(1, keepdims=True)
    sides_at_rest = at_rest.sides(directions)
    axes = at_rest.middle[:, None] + sides_at_rest * at_rest.half[:, None]
    offsets, lengths = tube.rest - axes, np.linalg.norm(tube.rest - axes, axis=-1)
    tightest = np.linalg.norm(tube.hull - axes, axis=-1)
    mean, least = lengths.mean(1), tightest.mean(1)
    girth = 2.0 * np.pi * mean + 4.0 * at_rest.width
    needed = 2.0 * np.pi * least + 4.0 * _Legs.of(tube.legs, posed, heights, pelvis).width
    strain = float((needed / girth).max()) / STRETCH
    heights = heights[0] + (heights - heights[0]) * np.clip(1.0 / strain, SHORTEST, 1.0)
    legs = _Legs.of(tube.legs, posed, heights, pelvis)
    kept = (girth - 4.0 * legs.width) / (2.0 * np.pi * mean)
    kept = np.clip(kept, np.minimum(least / mean, 1.0), 1.0)[:, None]
    down = _unit(legs.downs.sum(0))[:, None]
    sides = legs.sides(_turned(directions, _axes(down, pelvis)))
    local = _turned(offsets, _axes(at_rest.along(sides_at_rest), np.eye(3)).swapaxes(-1, -2))
    offsets = _turned(local, _axes(legs.along(sides), pelvis)) * kept[..., None]
    fall = gravity - down * (down @ gravity)[..., None]
    upper = (offsets * fall).sum(-1) < -0.5 * lengths * kept * np.linalg.norm(fall, axis=-1)
    slack = np.where(upper, lengths * kept - tightest, np.inf).min(1)
    sunk = legs.middle + np.where(np.isfinite(slack), slack.clip(0.0), 0.0)[:, None] * fall[:, 0]
    return sunk[:, None] + sides * legs.half[:, None] + offsets


def _axes(down: Array, pelvis: Array) -> Array:
    """Give x, up and forward of cloth, as columns; x stays as near the pelvis' own as it can."""
    x = _unit(pelvis[:, 0] - down * (down @ pelvis[:, 0])[..., None])
    return np.stack([x, -down, np.cross(x, -down)], -1)


def _turned(vectors: Array, axes: Array) -> Array:
    return (axes @ vectors[..., None])[..., 0]


def _unit(vectors: Array) -> Array:
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)


def clear_of_arms(grid: Array, transforms: Array, joints: Array) -> Array:
    """Press cloth toward the body where a forearm or a hand lies on it, (rows, columns, 3)."""
    centre = grid.mean(1, keepdims=True)
    outward = grid - centre
    radius = np.linalg.norm(outward, axis=-1)
    outward, least = outward / (radius[..., None] + 1e-9), radius.copy()
    for side in (0, 1):
        elbow, wrist, hand = (
            transforms[joint + side, :, :3] @ joints[joint + side] + transforms[joint + side, :, 3]
            for joint in (18, 20, 22)
        )
        for start, end, thick in ((elbow, wrist, 0.05), (wrist, 2.1 * hand - 1.1 * wrist, 0.035)):
            for share in (0.0, 0.25, 0.5, 0.75, 1.0):
                off = start + share * (end - start) - centre
                near = np.linalg.norm(off[:, 0], axis=-1) < radius.max(1) + 2.0 * thick
                if near.any():
                    along = np.einsum("rci,ri->rc", outward[near], off[near, 0])
                    beside = (off[near] ** 2).sum(-1) - along**2
                    reach = np.where(along > 0.0, along - thick + 2.0 * beside / thick, np.inf)
                    least[near] = np.minimum(least[near], reach.clip(0.0))
    return centre + outward * np.maximum(least, 0.45 * radius)[..., None]
