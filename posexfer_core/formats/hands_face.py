"""Finds fingers, face and expression in what SMPL-H and SMPL-X tools write.

Poses are taken as absolute (smplx's `flat_hand_mean=True`). Hands as principal components, which
mean nothing without the body file, are left at rest.
"""

import numpy as np
from jaxtyping import Float

from ..body.hands_face import EXPRESSIONS, FACE, FINGERS
from ..errors import ParamsError
from ..files.fields import Fields, as_axis_angles
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
        hand = _rotations(fields, name, HAND, count)
        if hand is not None:
            details.fingers[:, side * HAND : (side + 1) * HAND] = hand
            seen = True
    for joint, name in enumerate(("jaw_pose", "leye_pose", "reye_pose")):
        rotation = _rotations(fields, name, 1, count)
        if rotation is not None:
            details.face[:, joint] = rotation[:, 0]
            seen = True
    if "expression" in fields:
        details.expression = expressions(fields, "expression", count)
        seen = True
    return details if seen else None


def _rotations(fields: Fields, name: str, joints: int, count: int) -> np.ndarray | None:
    """Read rotations; None where they are missing, components, or no rotations.

    AGORA's sample has eyes of all zeros where matrices should be: that is no reason to refuse the
    body.
    """
    if name not in fields:
        return None
    try:
        return as_axis_angles(fields.array(name), (joints,), f"{fields.name}: {name}", count=count)
    except ParamsError:
        return None


def fill(part: np.ndarray, fields: Fields, name: str) -> None:
    """Lay the numbers of a name into a part of the details, where they are as many."""
    if name in fields and fields.array(name).size == part.size:
        part[:] = fields.array(name).reshape(part.shape)


def expressions(fields: Fields, name: str, count: int) -> Float[np.ndarray, "frames 10"]:
    """Read coefficients, cut or padded to ten."""
    try:
        return fields.betas(name, count=count)
    except ParamsError:  # of other frames, or no numbers: no reason to refuse the body
        return np.zeros((count, EXPRESSIONS))
