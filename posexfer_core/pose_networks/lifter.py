"""Lift the keypoints of people into space by the pose lifter."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from ..keypoints.keypoints import Keypoints
from .pose_lifting_network import LIFTED_NAMES, PoseLifter, lifter_inputs
from .weights import LIFTER


@torch.no_grad()
def lift_keypoints(
    people: Sequence[Keypoints],
    focal_px: Sequence[float],
    *,
    network: PoseLifter | None = None,
) -> tuple[Float[ndarray, "people 23 3"], Float[ndarray, "people 23"]]:
    """Estimate where each of `LIFTED_NAMES` lies in space, seen or not.

    Args:
        people: keypoints of each; other names are ignored.
        focal_px: focal length of each one's image.
        network: the bundled one when left out.

    Returns:
        Metres, x right, y down, z away from the camera, about their own mean; and the scale of
        each one's Laplace distribution, metres (`LiftedKeypoints.scales`).
    """
    network = network or bundled_lifter()
    shape = (len(people), len(LIFTED_NAMES))
    rays, seen = np.zeros((*shape, 2)), np.zeros(shape, bool)
    for row, (one, focal) in enumerate(zip(people, focal_px, strict=True)):
        height, width = one.image_size
        known = [index for index, name in enumerate(one.names) if name in LIFTED_NAMES]
        columns = [LIFTED_NAMES.index(one.names[index]) for index in known]
        rays[row, columns] = (one.xy[known] - (width / 2.0, height / 2.0)) / focal
        seen[row, columns] = one.confidence[known] > 0.0
    lifted = network(lifter_inputs(torch.from_numpy(rays).float(), torch.from_numpy(seen)))
    return lifted.xyz.double().numpy(), lifted.scales.double().numpy()


@cache
def bundled_lifter() -> PoseLifter:
    """Load the weights that ship with the package, once."""
    return LIFTER.load()[0]
