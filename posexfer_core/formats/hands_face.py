"""Fingers, face and expression as SMPL-H and SMPL-X tools write them.

Poses are taken as absolute (smplx's `flat_hand_mean=True`). Hands as principal components, which
mean nothing without the body file, are left at rest.
"""

import numpy as np
from jaxtyping import Float

from ..body.hands_face import EXPRESSIONS, FACE, FINGERS
from ..body.joints import BODY_JOINTS, HAND_JOINTS
from ..errors import ParamsError
from ..files.fields import Fields
from .track import TrackHandsFace


def hands_face_of_joints(
    found: Float[np.ndarray, "frames joints 3"], expression: np.ndarray | None = None
) -> TrackHandsFace | None:
    """Take fingers and face out of the rotations of a whole body.

    52 joints are SMPL-H's (body, fingers), 55 SMPL-X's (body, jaw, eyes, fingers), 53
    Multi-HMR's (body, fingers, jaw); fewer have neither.
    """
    hands_face = TrackHandsFace.rest(len(found))
    match found.shape[1]:
        case 52 | 53:
            hands_face.fingers = found[:, BODY_JOINTS : BODY_JOINTS + FINGERS]
            hands_face.face[:, : found.shape[1] - 52] = found[:, 52:]
        case 55:
            hands_face.face = found[:, BODY_JOINTS : BODY_JOINTS + FACE]
            hands_face.fingers = found[:, BODY_JOINTS + FACE :]
        case _:
            return None
    if expression is not None:
        hands_face.expression = expression
    return hands_face


def hands_face_of_names(fields: Fields, count: int) -> TrackHandsFace | None:
    """Read fingers, face and expression under smplx's names, as far as they are there."""
    hands_face, seen = TrackHandsFace.rest(count), False
    for side, name in enumerate(("left_hand_pose", "right_hand_pose")):
        hand = _rotations(fields, name, HAND_JOINTS, count)
        if hand is not None:
            hands_face.fingers[:, side * HAND_JOINTS : (side + 1) * HAND_JOINTS] = hand
            seen = True
    for joint, name in enumerate(("jaw_pose", "leye_pose", "reye_pose")):
        rotation = _rotations(fields, name, 1, count)
        if rotation is not None:
            hands_face.face[:, joint] = rotation[:, 0]
            seen = True
    if "expression" in fields:
        hands_face.expression = expressions(fields, "expression", count)
        seen = True
    return hands_face if seen else None


def _rotations(fields: Fields, name: str, joints: int, count: int) -> np.ndarray | None:
    """Read rotations; None where they are missing, components, or no rotations.

    AGORA's sample has eyes of all zeros where matrices should be: that is no reason to refuse the
    body.
    """
    if name not in fields:
        return None
    try:
        return fields.rotations(name, joints=(joints,), count=count)
    except ParamsError:
        return None


def fill(fields: Fields, **parts: np.ndarray) -> None:
    """Copy the numbers of each name into a part, where they are as many; the rest stays zero."""
    for name, part in parts.items():
        if name in fields and fields.array(name).size == part.size:
            part[:] = fields.array(name).reshape(part.shape)


def expressions(fields: Fields, name: str, count: int) -> Float[np.ndarray, "frames 10"]:
    """Read coefficients, cut or padded to ten."""
    try:
        return fields.betas(name, count=count)
    except ParamsError:  # of other frames, or no numbers: no reason to refuse the body
        return np.zeros((count, EXPRESSIONS))
