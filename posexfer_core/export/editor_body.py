"""A body at rest as bytes, for pages that pose it themselves (`web/pose_editor/body.js`).

The magic `posexfer`, the length of a header, the header as JSON, then the arrays: rest joints,
vertices and normals (float32), four joints and four weights of each vertex (bytes, 255 in all),
and faces (16 bits, or 32 where there are more than 65535 vertices). Little-endian; every array
starts at a multiple of 4.
"""

import json
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..body.articulated import BONES_OF_A_FINGER, MIDDLE_KNUCKLE, ArticulatedBody
from ..body.hands_face import FINGERS
from ..body.joints import (
    BODY_JOINTS,
    HAND_JOINTS,
    JOINT_NAMES,
    LIMB_CHAINS,
    MIRRORED_JOINTS,
    PARENTS,
)
from ..body.model import BodyModel
from ..geometry.normals import vertex_normals

MAGIC = b"posexfer"
STRONGEST = 4
FINGER_NAMES = ("index", "middle", "pinky", "ring", "thumb")
HEAD = JOINT_NAMES.index("head")


def pack_editor_body(
    body: BodyModel,
    betas: Float[Tensor, "10"],
    expression: Float[Tensor, "10"] | None = None,
    **tables: Any,
) -> bytes:
    """Pack a shaped body; one with fingers has 54 joints, SMPL's and those of the fingers.

    Args:
        body: the body model.
        betas: its shape.
        expression: of a body that has one.
        tables: what else the header says, as JSON.
    """
    vertices, joints = (part[0] for part in body.rest(betas[None].to(body.v_template)))
    weights = body.skin_weights
    has_fingers = isinstance(body, ArticulatedBody)
    if has_fingers:
        if expression is not None:
            vertices = vertices + body.expression_directions @ expression.to(vertices)
        joints, weights = _with_fingers(body, vertices)
    strongest, shares = _strongest(weights)
    count = len(vertices)
    arrays = (
        joints.cpu().numpy().astype("<f4"),
        vertices.cpu().numpy().astype("<f4"),
        vertex_normals(vertices[None].cpu(), body.faces.cpu())[0].numpy().astype("<f4"),
        strongest,
        shares,
        body.faces.cpu().numpy().astype("<u4" if count > 0xFFFF else "<u2"),
    )
    header = {
        "vertices": count,
        "faces": len(body.faces),
        **skeleton_tables(fingers=has_fingers),
        **tables,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    parts = [MAGIC, len(text).to_bytes(4, "little"), text]
    for array in arrays:
        data = array.tobytes()
        parts.append(data + bytes(-len(data) % 4))
    return b"".join(parts)


def skeleton_tables(*, fingers: bool) -> dict[str, Any]:
    """Give names, parents, mirrored joints, limbs, and whose turn first finger joints share."""
    names, parents = [*JOINT_NAMES], [*PARENTS]
    mirrored: list[int] = MIRRORED_JOINTS.tolist()
    follows = [-1] * len(names)
    if fingers:
        first = len(names)
        for hand, side in enumerate("lr"):
            wrist, knuckle = (names.index(f"{side}_{part}") for part in ("wrist", "hand"))
            for number in range(HAND_JOINTS):
                finger, bone = divmod(number, BONES_OF_A_FINGER)
                names.append(f"{side}_{FINGER_NAMES[finger]}{bone + 1}")
                parents.append(len(names) - 2 if bone else wrist)
                follows.append(-1 if bone else knuckle)
                mirrored.append(first + (1 - hand) * HAND_JOINTS + number)
    return {
        "names": names,
        "parents": parents,
        "mirrored": mirrored,
        "follows": follows,
        "limbs": {limb: list(chain) for limb, chain in LIMB_CHAINS.items()},
    }


def _with_fingers(body: ArticulatedBody, vertices: Tensor) -> tuple[Tensor, Tensor]:
    """Append the finger joints; jaw and eyes move with the head, hands by their fingers alone."""
    joints, weights = body.all_regressors @ vertices, body.all_weights
    first = len(body.all_parents) - FINGERS
    knuckles = [first + MIDDLE_KNUCKLE, first + HAND_JOINTS + MIDDLE_KNUCKLE]
    own = weights.new_zeros(len(weights), len(JOINT_NAMES) + FINGERS)
    own[:, :BODY_JOINTS] = weights[:, :BODY_JOINTS]
    own[:, HEAD] += weights[:, BODY_JOINTS:first].sum(dim=1)
    own[:, len(JOINT_NAMES) :] = weights[:, first:]
    return torch.cat([joints[:BODY_JOINTS], joints[knuckles], joints[first:]]), own


def _strongest(weights: Float[Tensor, "vertices joints"]) -> tuple[np.ndarray, np.ndarray]:
    """Keep four weights of every vertex, as bytes that add up to 255; (vertices, 4) each."""
    kept, joints = weights.cpu().topk(STRONGEST, dim=1)
    shares = (255.0 * kept / kept.sum(dim=1, keepdim=True)).round().long()
    shares[:, 0] += 255 - shares.sum(dim=1)
    return joints.numpy().astype("u1"), shares.numpy().astype("u1")
