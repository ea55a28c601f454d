"""Read an image and its mirror image: what both agree on is nearer to the truth."""

from math import log

import torch
from jaxtyping import Float
from torch import Tensor

from ..body.joints import MIRRORED_JOINTS
from ..geometry.rotations import matrix_to_rotation_6d, rotation_6d_to_matrix
from .regress_network import Regressed, RegressNetwork


def read_both_ways(
    network: RegressNetwork, images: Float[Tensor, "batch 3 height width"]
) -> Regressed:
    """Average what the network says of images and, mirrored back, of their mirror images."""
    count = len(images)
    found = network(torch.cat([images, images.flip(-1)]))
    here = _rows(found, slice(count))
    back = mirror_regressed(_rows(found, slice(count, None)))
    turns = (matrix_to_rotation_6d(here.rotations) + matrix_to_rotation_6d(back.rotations)) / 2.0
    return Regressed(
        rotations=rotation_6d_to_matrix(turns),
        betas=(here.betas + back.betas) / 2.0,
        camera=(here.camera + back.camera) / 2.0,
        pixels=(here.pixels + back.pixels) / 2.0,
        maps=torch.logaddexp(here.maps, back.maps) - log(2.0),
        places=(here.places + back.places) / 2.0,
    )


def mirror_regressed(found: Regressed) -> Regressed:
    """Say of an image what was said of its mirror image: `R' = M R M`, sides exchanged."""
    twins = MIRRORED_JOINTS.tolist()
    side = found.places.new_tensor([-1.0, 1.0, 1.0])
    return Regressed(
        rotations=(side[:, None] * found.rotations * side)[:, twins],
        betas=found.betas,
        camera=found.camera * side,
        pixels=(found.pixels * side[:2])[:, twins],
        maps=found.maps[:, twins].flip(-1),
        places=(found.places * side)[:, twins],
    )


def _rows(found: Regressed, rows: slice) -> Regressed:
    return Regressed(**{name: tensor[rows] for name, tensor in vars(found).items()})
