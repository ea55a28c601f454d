"""Lift keypoints into space, for the fit to lean on where an image leaves depth open."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from ..body.joints import mirrored_name
from ..keypoints.keypoints import Keypoints
from .lift_network import POINTS, LiftNetwork, lift_inputs
from .weights import LIFTER

OTHER_SIDE = [POINTS.index(mirrored_name(name)) for name in POINTS]
"""Which point each is in a mirror."""


@torch.no_grad()
def lift_people(
    people: Sequence[Keypoints],
    focal_px: Sequence[float],
    *,
    network: LiftNetwork | None = None,
) -> tuple[Float[ndarray, "people 23 3"], Float[ndarray, "people 23"]]:
    """Say where each of `lift_network.POINTS` lies, those that are not seen too.

    Everyone is looked at twice, the second time in a mirror, and what is said is averaged.

    Args:
        people: keypoints of each; those of other names are not looked at.
        focal_px: focal length of each one's image.
        network: the bundled one when left out.

    Returns:
        Metres, x right, y down, z away from the camera, about their own mean; and the spread of
        each, as `Lifted` has it.
    """
    network = network or bundled_lifter()
    rays, seen = np.zeros((len(people), len(POINTS), 2)), np.zeros((len(people), len(POINTS)), bool)
    for row, (one, focal) in enumerate(zip(people, focal_px, strict=True)):
        height, width = one.image_size
        known = [index for index, name in enumerate(one.names) if name in POINTS]
        at = [POINTS.index(one.names[index]) for index in known]
        rays[row, at] = (one.xy[known] - (width / 2.0, height / 2.0)) / focal
        seen[row, at] = one.confidence[known] > 0.0
    rays = np.concatenate([rays, rays[:, OTHER_SIDE] * (-1.0, 1.0)])
    seen = np.concatenate([seen, seen[:, OTHER_SIDE]])
    found = network(lift_inputs(torch.from_numpy(rays).float(), torch.from_numpy(seen)))
    (places, mirrored), (spreads, others) = (
        np.split(tensor.double().numpy(), 2) for tensor in (found.places, found.spreads)
    )
    mirrored = mirrored[:, OTHER_SIDE] * (-1.0, 1.0, 1.0)
    return (places + mirrored) / 2.0, (spreads + others[:, OTHER_SIDE]) / 2.0


@cache
def bundled_lifter() -> LiftNetwork:
    """Load the weights that ship with the package, once."""
    return LIFTER.load()[0]
