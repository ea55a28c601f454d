"""Restarts of single limbs: ICP cannot leave a local minimum, so other limb poses are tried.

Without them `tests.benchmarks.meshes --count 16` finds 10 bodies, with them 16.
"""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from ..body.joints import LIMB_CHAINS, MIRRORED_JOINTS
from ..geometry.so3 import exp_map
from .icp import Fitted

Turns = tuple[tuple[float, float, float], tuple[float, float, float]]

ARM_POSES: tuple[Turns, ...] = (
    ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ((0.0, 0.0, -1.25), (0.0, 0.0, 0.0)),
    ((0.0, 0.0, 1.1), (0.0, 0.0, 0.0)),
    ((0.0, -1.4, 0.0), (0.0, 0.0, 0.0)),
    ((0.0, 0.4, -0.9), (0.0, 0.0, 0.0)),
    ((0.0, 0.0, -1.1), (0.0, -1.7, 0.0)),
    ((-1.2, 0.0, -0.9), (0.0, -1.9, 0.0)),
    ((-1.2, 0.0, 0.2), (0.0, -1.9, 0.0)),
    ((0.0, -1.3, 0.0), (0.0, -1.4, 0.0)),
)
"""Left shoulder and elbow, axis-angle: out, down, up, to the front, to the back, and bent."""
LEG_POSES: tuple[Turns, ...] = (
    ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ((-1.5, 0.0, 0.1), (1.5, 0.0, 0.0)),
    ((-1.4, 0.0, 0.1), (0.1, 0.0, 0.0)),
    ((0.3, 0.0, 0.0), (1.4, 0.0, 0.0)),
    ((-2.0, 0.0, 0.2), (2.1, 0.0, 0.0)),
    ((-0.6, 0.0, 0.0), (0.2, 0.0, 0.0)),
    ((0.0, 0.0, 0.6), (0.0, 0.0, 0.0)),
    ((-0.7, 0.6, 0.5), (1.6, 0.0, 0.0)),
)
"""Left hip and knee: straight, sitting, raised, back, crouching, striding, apart, crossed."""
LIMBS = (
    (LIMB_CHAINS["left_arm"], ARM_POSES, 1.0),
    (LIMB_CHAINS["right_arm"], ARM_POSES, -1.0),
    (LIMB_CHAINS["left_leg"], LEG_POSES, 1.0),
    (LIMB_CHAINS["right_leg"], LEG_POSES, -1.0),
)
"""Joints of each limb, the poses to try, and -1 where they have to be mirrored."""


KEPT = 4
LEAST_GAIN = 0.97
"""A limb is taken over where the distance falls to this share."""


def turned_about(fitted: Fitted) -> Fitted:
    """Turn bodies back to front while left and right limbs change places, so that limbs stay.

    Front and back are the likeliest confusion: the surfaces differ little.
    """
    turned = fitted.take(np.arange(len(fitted.scale)))
    half_turn = np.diag([-1.0, 1.0, -1.0])
    rotations = half_turn @ fitted.pose.rotations[:, MIRRORED_JOINTS] @ half_turn
    rotations[:, 0] = fitted.pose.rotations[:, 0] @ half_turn
    turned.pose.rotations = rotations
    return turned


def limb_changes(fitted: Fitted) -> tuple[Fitted, list[int]]:
    """Copy one body with every limb in every pose, one change at a time.

    Returns:
        The copies, and which limb was changed in each.
    """
    limbs = [(number, turns) for number, (_, poses, _) in enumerate(LIMBS) for turns in poses]
    copies = fitted.take(np.zeros(len(limbs), np.int64))
    for row, (number, turns) in enumerate(limbs):
        joints, _, sign = LIMBS[number]
        mirror = np.array([1.0, sign, sign])
        copies.pose.rotations[row, list(joints)] = np.eye(3)
        copies.pose.rotations[row, list(joints[:2])] = exp_map(np.array(turns) * mirror)
    return copies, [number for number, _ in limbs]


def best_of_each(scores: Float[ndarray, " copies"], limbs: list[int]) -> Int[ndarray, " kept"]:
    """Select the copies with the smallest distances, `KEPT` of every limb."""
    kept = []
    for number in range(len(LIMBS)):
        rows = [row for row, at in enumerate(limbs) if at == number]
        kept += sorted(rows, key=lambda row: scores[row])[:KEPT]
    return np.array(kept)


def best_limbs(
    fitted: Fitted,
    score: float,
    changed: Fitted,
    scores: Float[ndarray, " copies"],
    limbs: list[int],
) -> Fitted | None:
    """Take over every limb that made the whole body fit better; None where none did.

    Args:
        fitted: the body as it was.
        score: its distance.
        changed: its copies, after they were brought near again.
        scores: their distances.
        limbs: which limb was changed in each.
    """
    better = fitted.take(np.arange(1))
    found = False
    for number, (joints, _, _) in enumerate(LIMBS):
        own = np.array([scores[row] if at == number else np.inf for row, at in enumerate(limbs)])
        best = int(own.argmin())
        if own[best] < score * LEAST_GAIN:
            better.pose.rotations[0, list(joints)] = changed.pose.rotations[best, list(joints)]
            found = True
    return better if found else None
