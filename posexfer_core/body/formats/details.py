"""Finds fingers, face and expression in what SMPL-H and SMPL-X tools write.

Poses are taken as absolute (smplx's `flat_hand_mean=True`). Hands as principal components, which
mean nothing without the body file, are left at rest.
"""

import numpy as np
from jaxtyping import Float

from ..details import EXPRESSIONS, FACE, FINGERS
from .fields import Fields, as_axis_angles
from .track import TrackDetails

BODY = 22
HAND = 15


def details_of_joints(
    found: Float[np.ndarray, "frames joints 3"], expression: np.ndarray | None = None
) -> TrackDetails | None:
    """Take the details out of the rotations of a whole body.

    52 joints are SMPL-H's (body, fingers), 55 SMPL-X's (body, jaw, eyes, fingers), 53
    Multi-HMR's (body, fingers, jaw); fewer have no details.
    """
    details = TrackDetails.rest(len(found))
    match found.shape[1]:
        case 52 | 53:
            details.fingers = found[:, BODY : BODY + FINGERS]
            details.face[:, : found.shape[1] - 52] = found[:, 52:]
        case 55:
            details.face = found[:, BODY : BODY + FACE]
            details.fingers = found[:, BODY + FACE :]
        case _:
            return None
    if expression is not None:
        details.expression = expression
    return details


def details_of_names(fields: Fields, count: int) -> TrackDetails | None:
    """Read the details under the names of smplx's layers, as far as they are there."""
    details, seen = TrackDetails.rest(count), False
    for side, name in enumerate(("left_hand_pose", "right_hand_pose")):
        if name in fields and fields.array(name).size in (count * HAND * 3, count * HAND * 9):
            hand = as_axis_angles(fields.array(name), (HAND,), f"{fields.name}: {name}")
            details.fingers[:, side * HAND : (side + 1) * HAND] = hand
            seen = True
    for joint, name in enumerate(("jaw_pose", "leye_pose", "reye_pose")):
        if name in fields:
            rotation = as_axis_angles(
                fields.array(name), (1,), f"{fields.name}: {name}", count=count
            )
            details.face[:, joint] = rotation[:, 0]
            seen = True
    if "expression" in fields:
        details.expression = expressions(fields, "expression", count)
        seen = True
    return details if seen else None


def expressions(fields: Fields, name: str, count: int) -> Float[np.ndarray, "frames 10"]:
    """Read coefficients, cut or padded to ten."""
    if name not in fields:
        return np.zeros((count, EXPRESSIONS))
    return fields.betas(name, count=count)
