"""Transfer of skinning from a fitted body to a mesh, which becomes a posable body.

Every vertex takes canonical place, joint weights and shape directions from the closest point of the
fitted body, and is brought back to the rest pose by the inverse of its own blended transform. So
the fitted pose gives the mesh back exactly, and any other pose moves it as the body would move.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from ..body.model import BodyModel, joint_transforms
from ..geometry.closest_points import Closest

LEAST_VOLUME = 0.3
"""Blends that squeeze space further than this are replaced by the strongest joint alone."""
REGRESSOR_VERTICES = 400
"""Vertices around a joint that it is regressed from."""


def transfer_skinning(
    body: BodyModel,
    rotations: Float[Tensor, "1 24 3 3"],
    betas: Float[Tensor, "1 10"],
    transl: Float[Tensor, "1 3"],
    vertices: Float[ndarray, "vertices 3"],
    faces: Int[ndarray, "faces 3"],
    closest: Closest,
) -> BodyModel:
    """Make a body whose mesh, in the fitted pose, is exactly `vertices`.

    Its betas are those of `body`: zero change from the fitted ones gives the mesh's own shape.

    Args:
        body: that was fitted.
        rotations: of the fit.
        betas: of the fit.
        transl: of the fit, metres.
        vertices: metres, where the fitted body is.
        faces: of the mesh.
        closest: for every vertex, its place on the fitted body.
    """
    body_faces = body.faces.cpu().numpy()
    weights, shape, canonical, template = (
        closest.mix(body_faces, tensor.detach().cpu().double().numpy())
        for tensor in (body.skin_weights, body.shapedirs, body.canonical, body.v_template)
    )
    transforms = _joint_transforms(body, rotations, betas, transl)
    weights = _safe_weights(weights / weights.sum(1, keepdims=True), transforms)
    blended = np.einsum("vj,jab->vab", weights, transforms)
    shaped = np.linalg.solve(blended[:, :, :3], (vertices - blended[:, :, 3])[..., None])[..., 0]
    rest = shaped - shape @ betas[0].double().numpy()
    regressor = _regressor(body, rest, shape, template)
    return BodyModel(
        v_template=_tensor(rest),
        faces=torch.from_numpy(faces.astype(np.int64)),
        shapedirs=_tensor(shape),
        posedirs=None,
        joint_regressor=_tensor(regressor),
        skin_weights=_tensor(weights),
        keypoint_vertices=body.nearest_keypoints(torch.from_numpy(canonical)),
        beta_space=body.beta_space,
        canonical=_tensor(canonical),
    )


def _joint_transforms(
    body: BodyModel, rotations: Tensor, betas: Tensor, transl: Tensor
) -> Float[ndarray, "24 3 4"]:
    """Give what each joint alone does to a point of the rest frame, `x -> A x + b`."""
    joints = body.rest(betas.to(body.v_template))[1].detach().double().cpu()
    transforms = joint_transforms(rotations.double(), joints)[0]
    transforms[..., 3] += transl.double()[:, None]
    return transforms[0].numpy()


def _safe_weights(weights: ndarray, transforms: ndarray) -> ndarray:
    """Skin vertices whose blend nearly collapses by the strongest joint alone."""
    volume = np.linalg.det(np.einsum("vj,jab->vab", weights, transforms[:, :, :3]))
    alone = np.eye(weights.shape[1])[weights.argmax(1)]
    return np.where((volume < LEAST_VOLUME)[:, None], alone, weights)


def _regressor(
    body: BodyModel, rest: ndarray, shape: ndarray, template: ndarray
) -> Float[ndarray, "24 vertices"]:
    """Regress the joints from the mesh's vertices: those of the fitted body, for any betas.

    For each joint the smallest weights on the vertices around it that sum to one and give its
    place and its shape directions.
    """
    joints, joint_shape = (
        (body.joint_regressor.double() @ tensor.double().flatten(1)).detach().cpu().numpy()
        for tensor in (body.v_template, body.shapedirs)
    )
    regressor = np.zeros((len(joints), len(rest)))
    for joint, place in enumerate(joints):
        gaps = np.linalg.norm(template - place, axis=1)
        near = np.argsort(gaps)[:REGRESSOR_VERTICES]
        conditions = np.concatenate(
            [np.ones((1, len(near))), (rest[near] - place).T, shape[near].reshape(len(near), -1).T]
        )
        wanted = np.concatenate([[1.0], np.zeros(3), joint_shape[joint]])
        weights = np.linalg.lstsq(conditions, wanted, rcond=1e-5)[0]
        regressor[joint, near] = _exact(weights, conditions[:4], wanted[:4])
    return regressor


def _exact(weights: ndarray, conditions: ndarray, wanted: ndarray) -> ndarray:
    """Correct weights a little, so that sum and rest place hold to the last digit."""
    return weights + np.linalg.pinv(conditions) @ (wanted - conditions @ weights)


def _tensor(array: ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))
