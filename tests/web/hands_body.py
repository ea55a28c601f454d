"""A body with fingers made of the bundled one: no file of SMPL-H is needed."""

import torch

from posexfer_core.body.articulated import ArticulatedBody
from posexfer_core.body.hands_face import FINGERS
from posexfer_core.body.joints import BODY_JOINTS, HAND_JOINTS, JOINT_INDEX, PARENTS
from posexfer_core.body.model import BodyModel


def hands_body(body: BodyModel) -> tuple[ArticulatedBody, list[int]]:
    """Give SMPL-H's 52 joints to the bundled body.

    Returns:
        The body; and for each finger joint a vertex at its place that its parent alone moves.
    """
    vertices: list[int] = []
    parents: list[int] = [*PARENTS[:BODY_JOINTS]]
    weights = torch.zeros(len(body.v_template), BODY_JOINTS + FINGERS)
    weights[:, :BODY_JOINTS] = body.skin_weights[:, :BODY_JOINTS]
    regressors = torch.zeros(BODY_JOINTS + FINGERS, len(body.v_template))
    regressors[:BODY_JOINTS] = body.joint_regressor[:BODY_JOINTS]
    for hand, side in enumerate("lr"):
        own = body.skin_weights[:, JOINT_INDEX[f"{side}_hand"]]
        first = BODY_JOINTS + hand * HAND_JOINTS
        weights[:, first] = own
        chosen = own.argsort(descending=True)[:HAND_JOINTS].tolist()
        for number, vertex in enumerate(chosen):
            joint = first + number
            parents.append(joint - 1 if number % 3 else JOINT_INDEX[f"{side}_wrist"])
            regressors[joint, vertex] = 1.0
            weights[vertex] = 0.0
            weights[vertex, parents[joint]] = 1.0
            vertices.append(vertex)
    empty = body.v_template.new_zeros
    made = ArticulatedBody(
        v_template=body.v_template,
        faces=body.faces,
        shapedirs=body.shapedirs,
        posedirs=None,
        joint_regressor=body.joint_regressor,
        skin_weights=body.skin_weights,
        keypoint_vertices=body.keypoint_vertices,
        beta_space="smplh",
    ).add_joints(
        parents=parents,
        regressors=regressors,
        weights=weights,
        posedirs=empty(len(body.v_template), 3, 9 * (BODY_JOINTS + FINGERS - 1)),
        expressions=empty(len(body.v_template), 3, 10),
        face=None,
    )
    return made, vertices
