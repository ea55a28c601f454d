"""Flip augmentation at test time: average the regressor's output over an image and its mirror."""

from math import log

import torch
from jaxtyping import Float
from torch import Tensor

from ..body.joints import MIRRORED_JOINTS
from ..geometry.rotations import matrix_to_rotation_6d, rotation_6d_to_matrix
from .regressor_network import BodyRegressor, RegressorOutput


def predict_with_flip(
    network: BodyRegressor, images: Float[Tensor, "batch 3 height width"]
) -> RegressorOutput:
    """Average the outputs of images and, mirrored back, of their mirror images."""
    count = len(images)
    both = network(torch.cat([images, images.flip(-1)]))
    plain = _rows(both, slice(count))
    back = flip_output(_rows(both, slice(count, None)))
    turns = (matrix_to_rotation_6d(plain.rotations) + matrix_to_rotation_6d(back.rotations)) / 2.0
    return RegressorOutput(
        rotations=rotation_6d_to_matrix(turns),
        betas=(plain.betas + back.betas) / 2.0,
        camera=(plain.camera + back.camera) / 2.0,
        joints_ndc=(plain.joints_ndc + back.joints_ndc) / 2.0,
        maps=torch.logaddexp(plain.maps, back.maps) - log(2.0),
        joints=(plain.joints + back.joints) / 2.0,
    )


def flip_output(output: RegressorOutput) -> RegressorOutput:
    """Mirror left and right: `R' = M R M` with `M = diag(-1, 1, 1)`, sides exchanged."""
    twins = MIRRORED_JOINTS.tolist()
    side = output.joints.new_tensor([-1.0, 1.0, 1.0])
    return RegressorOutput(
        rotations=(side[:, None] * output.rotations * side)[:, twins],
        betas=output.betas,
        camera=output.camera * side,
        joints_ndc=(output.joints_ndc * side[:2])[:, twins],
        maps=output.maps[:, twins].flip(-1),
        joints=(output.joints * side)[:, twins],
    )


def _rows(output: RegressorOutput, rows: slice) -> RegressorOutput:
    return RegressorOutput(**{name: tensor[rows] for name, tensor in vars(output).items()})
