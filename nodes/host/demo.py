"""The people that ship with the pack."""

from typing import Any

import numpy as np
from torch import Tensor

from ...posexfer_core.body.model import BodyModel
from ...posexfer_core.body.params import HumanParams
from ...posexfer_core.files.images import load_image, load_mask
from ...posexfer_core.keypoints.pose_keypoint import load_pose_keypoints, pose_frame
from ...posexfer_core.render.openpose import keypoints18
from ..sockets import PosedBody
from .estimating import fit_batch
from .images import from_core, mask_to_host
from .paths import DEMO

Person = tuple[Tensor, PosedBody, list[dict[str, Any]], Tensor]
"""An image, the body in it, a POSE_KEYPOINT value, and a MASK."""


def load_painted() -> Person:
    """Open the painted person, whose keypoints are those of its body."""
    params = HumanParams.load(DEMO / "source.npz")
    body = PosedBody(params=params, model=BodyModel.bundled())
    points = keypoints18(body.view())[0].double().numpy()
    points[:, 2] = 1.0
    keypoints = [pose_frame([np.asarray(points)], params.image_size)]
    mask = mask_to_host(body.view().visibility.mask)
    return from_core(load_image(DEMO / "source.png")), body, keypoints, mask


def load_photo() -> Person:
    """Open the photo, and estimate its body as Estimate Human Params would."""
    image = load_image(DEMO / "astronaut.jpg")
    keypoints = load_pose_keypoints(DEMO / "astronaut_keypoints.json")
    params = fit_batch(image, keypoints=keypoints)
    body = PosedBody(params=params, model=BodyModel.bundled())
    mask = load_mask(DEMO / "astronaut_mask.png")[None]
    return from_core(image), body, keypoints, mask_to_host(mask)
