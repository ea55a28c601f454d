"""Ten ways in which people differ, as vertex and joint offsets for each standard deviation."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from .skeleton import FLIP_X, LEFT_AND_MIDDLE, REST_JOINTS, both_sides, joint

STEP = 0.5
"""Half the interval of the central differences, in standard deviations."""


@dataclass(frozen=True, kw_only=True)
class ShapeChange:
    """What one standard deviation does: fractions of the rest size, and bulges in metres."""

    stature: float = 0.0
    leg_length: float = 0.0
    trunk_length: float = 0.0
    arm_length: float = 0.0
    head: float = 0.0
    shoulder_width: float = 0.0
    hip_width: float = 0.0
    girth: float = 0.0
    trunk_girth: float = 0.0
    hip_girth: float = 0.0
    limb_girth: float = 0.0
    arm_girth: float = 0.0
    neck_girth: float = 0.0
    belly_m: float = 0.0
    chest_m: float = 0.0
    buttock_m: float = 0.0

    def scaled(self, factor: float) -> "ShapeChange":
        """Take the change `factor` times."""
        return ShapeChange(
            **{field.name: factor * getattr(self, field.name) for field in fields(self)}
        )


SHAPE_DIRECTIONS: Mapping[str, ShapeChange] = {
    "stature": ShapeChange(stature=0.040),
    "girth": ShapeChange(girth=0.085, belly_m=0.018),
    "legs against trunk": ShapeChange(leg_length=0.045, trunk_length=-0.035),
    "shoulders against hips": ShapeChange(
        shoulder_width=0.05, hip_width=-0.045, hip_girth=-0.03, chest_m=-0.008, arm_girth=0.05
    ),
    "belly": ShapeChange(belly_m=0.035, trunk_girth=0.03),
    "chest": ShapeChange(chest_m=0.022),
    "hips": ShapeChange(hip_girth=0.05, buttock_m=0.022, hip_width=0.03),
    "limb girth": ShapeChange(limb_girth=0.10),
    "arm length": ShapeChange(arm_length=0.05),
    "head and neck": ShapeChange(head=0.045, neck_girth=0.06),
}


def shape_directions(vertices: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Differentiate every change at the rest shape.

    Returns:
        Offsets for each standard deviation: `(V, 3, 10)` of the vertices, `(24, 3, 10)` of the
        joints.
    """
    pairs = []
    for change in SHAPE_DIRECTIONS.values():
        more = _reshaped(vertices, weights, change.scaled(STEP))
        less = _reshaped(vertices, weights, change.scaled(-STEP))
        pairs.append([(high - low) / (2 * STEP) for high, low in zip(more, less, strict=True)])
    vertex_offsets, joint_offsets = zip(*pairs, strict=True)
    return np.stack(vertex_offsets, axis=-1), np.stack(joint_offsets, axis=-1)


def _reshaped(
    vertices: np.ndarray, weights: np.ndarray, change: ShapeChange
) -> tuple[np.ndarray, np.ndarray]:
    """Scale every bone's surroundings about its joint, blend by skinning weights, add bulges."""
    joints = _moved_joints(change)
    scaled = joints + (vertices[:, None] - REST_JOINTS) * _bone_scales(change)
    moved = np.einsum("vj,vjx->vx", weights, scaled)
    moved[:, 2] += change.belly_m * _bulge(vertices, (0.03, 1.05, 0.115), (0.10, 0.085, 0.07))
    moved[:, 2] += change.chest_m * _bulge(vertices, (0.075, 1.255, 0.125), (0.055, 0.045, 0.05))
    moved[:, 2] -= change.buttock_m * _bulge(vertices, (0.07, 0.89, -0.12), (0.07, 0.06, 0.05))
    return moved, joints


def _moved_joints(change: ShapeChange) -> np.ndarray:
    """Lengthen the bones, from the pelvis outwards."""
    size = _Sizes(change)
    # joint: parent, then how much the bone grows along x, y and z
    bones = {
        "l_hip": ("pelvis", (size.hips, size.all, size.all)),
        "l_knee": ("l_hip", ((size.hips + size.all) / 2, size.leg, size.leg)),
        "l_ankle": ("l_knee", (size.all, size.leg, size.leg)),
        "l_foot": ("l_ankle", (size.all, size.all, size.all)),
        "spine1": ("pelvis", (1.0, size.trunk, size.all)),
        "spine2": ("spine1", (1.0, size.trunk, size.all)),
        "spine3": ("spine2", (1.0, size.trunk, size.all)),
        "neck": ("spine3", (1.0, size.trunk, size.all)),
        "head": ("neck", (1.0, size.head, size.head)),
        "l_collar": ("spine3", (size.shoulders, size.trunk, size.all)),
        "l_shoulder": ("l_collar", (size.shoulders, size.all, size.all)),
        "l_elbow": ("l_shoulder", (size.arm, size.all, size.all)),
        "l_wrist": ("l_elbow", (size.arm, size.all, size.all)),
        "l_hand": ("l_wrist", (size.all, size.all, size.all)),
    }
    moved = {"pelvis": joint("pelvis")}
    for name, (parent, growth) in bones.items():
        moved[name] = moved[parent] + (joint(name) - joint(parent)) * growth
    return both_sides(moved, FLIP_X)


def _bone_scales(change: ShapeChange) -> np.ndarray:
    """Say how much the flesh around each joint grows along x, y and z, `(24, 3)`."""
    size, girth = _Sizes(change), change.girth
    trunk = 1 + girth + change.trunk_girth
    limb = 1 + 0.8 * girth + change.limb_girth
    hip, arm = 1 + change.hip_girth, 1 + change.arm_girth
    neck = size.all * (1 + 0.5 * girth + change.neck_girth)
    waist = ((size.hips + size.shoulders) / 2 * trunk, size.trunk, size.all * trunk)
    forearm = (size.arm, size.all * limb * arm, size.all * limb * arm)
    foot = (size.all * (1 + 0.1 * girth), size.all, size.all)
    hand = (size.all, size.all, size.all)
    scales = {
        "pelvis": (size.hips * trunk * hip, (size.trunk + size.all) / 2, size.all * trunk * hip),
        "spine1": waist,
        "spine2": waist,
        "spine3": (size.shoulders * trunk, size.trunk, size.all * trunk),
        "neck": (neck, size.trunk, neck),
        "head": (size.head, size.head, size.head),
        "l_collar": (size.shoulders, size.trunk * (1 + 0.4 * girth), size.all * trunk),
        "l_shoulder": forearm,
        "l_elbow": forearm,
        "l_wrist": hand,
        "l_hand": hand,
        "l_hip": (size.all * limb * hip, size.leg, size.all * limb * hip),
        "l_knee": (size.all * limb, size.leg, size.all * limb),
        "l_ankle": foot,
        "l_foot": foot,
    }
    return both_sides({name: np.array(scales[name]) for name in LEFT_AND_MIDDLE}, np.ones(3))


class _Sizes:
    """Sizes relative to the rest body, stature included."""

    def __init__(self, change: ShapeChange) -> None:
        self.all = 1 + change.stature
        self.leg = self.all * (1 + change.leg_length)
        self.arm = self.all * (1 + change.arm_length)
        self.trunk = self.all * (1 + change.trunk_length)
        self.shoulders = self.all * (1 + change.shoulder_width)
        self.hips = self.all * (1 + change.hip_width)
        self.head = self.all * (1 + change.head)


def _bulge(vertices: np.ndarray, center: tuple[float, ...], radii: tuple[float, ...]) -> np.ndarray:
    """Weigh vertices by a Gaussian around a centre and its mirror image."""
    folded = np.concatenate([np.abs(vertices[:, :1]), vertices[:, 1:]], axis=1)
    return np.exp(-0.5 * np.sum(((folded - center) / np.array(radii)) ** 2, axis=1))
