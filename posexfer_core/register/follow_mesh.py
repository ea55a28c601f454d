"""The motion of a registered mesh: its body follows the vertices from frame to frame."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..conventions import BETA_COUNT
from .registration import Registration, placed_params
from .same_topology import FOLLOWING, FOLLOWING_POINTS, KnownMesh


def follow(
    registration: Registration,
    frames: Iterable[Float[ndarray, "vertices 3"]],
    frame_rate: float | None = None,
) -> HumanParams:
    """Pose the body of a mesh as the mesh is in each frame; its shape stays.

    Args:
        registration: of the mesh in any pose, best at rest.
        frames: the same vertices in each frame, in the file's unit and axes.
        frame_rate: frames a second.

    Returns:
        Of all frames, with a camera in front of the person of the first.
    """
    body, betas = registration.body, registration.params.betas[0, :1]
    known = KnownMesh(_shaped(body, betas), FOLLOWING_POINTS)
    poses = [
        known.fit(vertices * registration.metres_per_unit, FOLLOWING).pose for vertices in frames
    ]
    params = placed_params(
        body,
        np.concatenate([pose.rotations for pose in poses]),
        betas.expand(len(poses), BETA_COUNT),
        np.concatenate([pose.transl for pose in poses]),
        registration.up,
    )
    return replace(params, frame_rate=frame_rate)


def _shaped(body: BodyModel, betas: Float[torch.Tensor, "1 10"]) -> BodyModel:
    """Make the registered shape the mean shape."""
    return BodyModel(
        v_template=body.rest(betas.to(body.v_template))[0][0],
        faces=body.faces,
        shapedirs=body.shapedirs,
        posedirs=None,
        joint_regressor=body.joint_regressor,
        skin_weights=body.skin_weights,
        keypoint_vertices=body.keypoint_vertices,
        beta_space=body.beta_space,
        canonical=body.canonical,
    )
