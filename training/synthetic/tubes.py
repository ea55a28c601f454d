"""Cloth that hangs around the body: rings from a waist or a chest down to a hem, fitted at rest.

Built from the body itself rather than from a garment file: rings fit every shape of the body, and
their places run along the cloth. Each is the convex hull of the body at its height, widened;
`tube_poses` moves them.
"""

from dataclasses import dataclass

import numpy as np

from posexfer_core.body.joints import JOINT_INDEX

from .noise import value_noise
from .obstacles import quick_tree
from .paint import Array, Paint

ROW_M, COLUMNS = 0.04, 60
SLAB_M = 0.03
"""Half height of the part of the body that a ring is the hull of."""
FREE_AFTER_M = 0.12
"""How far below its top edge the cloth comes off the body."""
CLEARANCE_M = 0.007
"""Least distance from the body, below the top edge, whose distance the cut gives."""
LEGS = np.array([(1, 2), (4, 5), (7, 8)])
"""Joints: hips, knees and ankles, left and right."""
ARMS = [*range(JOINT_INDEX["l_shoulder"], JOINT_INDEX["r_hand"] + 1)]
HEIGHTS = [JOINT_INDEX[name] for name in ("l_ankle", "l_knee", "l_hip", "spine1", "spine3", "neck")]
"""Joints between which heights of the mean body are carried to another shape."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How a tube of cloth is cut; heights are those of the mean body at rest, see `paint`."""

    label: str
    top_m: float
    hem_m: float
    paint: Paint
    ease_m: float = 0.012
    """Distance from the body's hull; at the top the cloth lies on what is below."""
    edge_m: float = -0.01
    """Distance of the top edge from what is below; negative where the cloth goes on from there."""
    flare: float = 0.1
    """Metres wider per metre below the hips."""
    closing: float = 0.0
    """Metres narrower per metre that the cloth may get below its widest ring."""
    folds: int = 0
    fold_m: float = 0.0
    """Height of the folds at the hem."""
    gap_rad: float = 0.0
    """Half of the angle that is open in front; 0 for a closed tube."""
    shine: float = 0.05


@dataclass(frozen=True, kw_only=True)
class Tube:
    """Cloth fitted to somebody's rest body; metres."""

    cut: Cut
    rest: Array
    """(rows, columns, 3); a closed tube's last column lies on its first."""
    places: Array
    """(rows, columns, 3), for the paint: along the ring, height, forward."""
    weights: Array
    """(rows, columns, 24), of the trunk."""
    legs: Array
    """(3, 2, 3), hips, knees and ankles at rest, left and right."""
    hull: Array
    """(rows, columns, 3), the tightest that the cloth can get."""


def fit_tube(
    cut: Cut, vertices: Array, joints: Array, mean_joints: Array, skin_weights: Array
) -> Tube:
    """Fit a tube to a body at rest, (vertices, 3), with its (24, 3) joints."""
    bare = skin_weights[:, ARMS].sum(1) < 0.5
    rows = max(4, round((cut.top_m - cut.hem_m) / ROW_M) + 1)
    drawn = np.linspace(cut.top_m, cut.hem_m, rows)
    grown = joints[HEIGHTS, 1] - mean_joints[HEIGHTS, 1]
    heights = drawn + np.interp(drawn, mean_joints[HEIGHTS, 1], grown)
    columns = np.linspace(cut.gap_rad, 2.0 * np.pi - cut.gap_rad, COLUMNS)
    angles = columns if cut.gap_rad else columns - np.pi  # an opening is in front, a seam behind
    directions = np.stack([np.sin(angles), 0.0 * angles, np.cos(angles)], 1)
    hulls = _hulls(vertices[bare], heights, angles, joints[0, 2])
    near = heights[heights > heights[0] - FREE_AFTER_M]
    close = _profiles(vertices[bare], near, angles, joints[0, 2])
    radii = _hanging(cut, hulls, close, drawn, angles)
    centre = np.stack([0.0 * heights, heights, np.full(rows, joints[0, 2])], 1)
    rest = centre[:, None] + radii[..., None] * directions
    girth = np.maximum.accumulate(radii.mean(1))[:, None]
    along = (np.pi - angles if cut.gap_rad else angles) * girth
    places = np.stack([along, np.broadcast_to(drawn[:, None], along.shape), rest[..., 2]], -1)
    nearest = np.flatnonzero(bare)[quick_tree(vertices[bare]).query(rest.reshape(-1, 3))[1]]
    weights = skin_weights[nearest].reshape(rows, COLUMNS, -1)
    weights[..., ARMS] = 0.0
    weights /= weights.sum(-1, keepdims=True)
    return Tube(
        cut=cut,
        rest=rest,
        places=places.astype(np.float32),
        weights=weights,
        legs=joints[LEGS],
        hull=centre[:, None] + (hulls + CLEARANCE_M)[..., None] * directions,
    )


def _hulls(points: Array, heights: Array, angles: Array, forward: float) -> Array:
    """Give the radius of the body's convex hull per height and angle.

    With the support `h(b)` of the hull in direction b, its radius in direction a is the least
    `h(b) / cos(a - b)`.
    """
    around = np.linspace(0.0, 2.0 * np.pi, COLUMNS, endpoint=False)
    support = np.stack([np.sin(around), np.cos(around)])
    cosines = np.cos(angles[:, None] - around)
    hulls = []
    for height in heights:
        here = points[np.abs(points[:, 1] - height) < SLAB_M][:, [0, 2]] - (0.0, forward)
        reach = (here @ support).max(0)
        hulls.append(np.where(cosines > 0.05, reach / np.maximum(cosines, 0.05), np.inf).min(1))
    return np.stack(hulls)


def _profiles(points: Array, heights: Array, angles: Array, forward: float) -> Array:
    """Give how far the body itself reaches per height and angle, as `_hulls` does for its hull."""
    reach = np.zeros((len(heights), len(angles)))
    for row, height in enumerate(heights):
        here = points[np.abs(points[:, 1] - height) < SLAB_M][:, [0, 2]] - (0.0, forward)
        at = np.arctan2(here[:, 0], here[:, 1])
        turned = np.abs((at[:, None] - angles + np.pi) % (2.0 * np.pi) - np.pi)
        reach[row] = np.where(turned < 0.15, np.hypot(*here.T)[:, None], 0.0).max(0)
    return reach


def _hanging(cut: Cut, hulls: Array, close: Array, heights: Array, angles: Array) -> Array:
    """Compute radii: off the body at the top, hung from the widest ring above, flared, folded."""
    free = np.clip((heights[0] - heights) / FREE_AFTER_M, 0.0, 1.0)[:, None]
    radii = hulls + cut.ease_m
    above = radii[: len(close)]
    lying = np.where(close > 0.0, close, hulls[: len(close)]) + CLEARANCE_M
    lying[0] += cut.edge_m - CLEARANCE_M
    above += (1.0 - free[: len(close)]) * (lying - above)
    for row in range(1, len(radii)):
        fall = heights[row - 1] - heights[row]
        least = radii[row - 1] - (cut.closing + 1.0 - free[row]) * fall
        radii[row] = np.maximum(radii[row], least)
    below = np.clip(-0.2 - heights, 0.0, None)[:, None]
    depth = np.clip(below / 0.5, 0.0, 1.0)
    wave = np.cos(cut.folds * angles + 0.7 * np.sin(3.0 * angles))
    ring = np.stack([np.sin(angles), 0.0 * angles, np.cos(angles)], 1) * 0.3
    uneven = value_noise(ring, 9.0)
    return radii + cut.flare * below * (1.0 + 0.3 * uneven) + cut.fold_m * depth * wave
