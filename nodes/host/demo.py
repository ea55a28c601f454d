"""The people that come with the pack."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from ...posexfer_core.body.model import BodyModel
from ...posexfer_core.body.params import HumanParams
from ...posexfer_core.files.images import load_image
from ...posexfer_core.keypoints.pose_keypoint import load_pose_keypoints, pose_frame
from ...posexfer_core.render.openpose import keypoints18
from ..sockets import PosedBody
from .estimating import fit_batch
from .images import from_core
from .paths import DEMO


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An image, and who is in it."""

    image: Tensor
    body: PosedBody
    keypoints: list[dict[str, Any]]


def load_painted() -> Shown:
    """Open the painted person, whose keypoints are those of its body."""
    params = HumanParams.load(DEMO / "source.npz")
    body = PosedBody(params=params, model=BodyModel.bundled())
    points = keypoints18(body.view())[0].double().numpy()
    points[:, 2] = 1.0
    return Shown(
        image=from_core(load_image(DEMO / "source.png")),
        body=body,
        keypoints=[pose_frame([np.asarray(points)], params.image_size)],
    )


def load_photo() -> Shown:
    """Open the photo, and estimate its body as Estimate Human Params would."""
    image = load_image(DEMO / "astronaut.jpg")
    keypoints = load_pose_keypoints(DEMO / "astronaut_keypoints.json")
    params = fit_batch(image, keypoints=keypoints)
    body = PosedBody(params=params, model=BodyModel.bundled())
    return Shown(image=from_core(image), body=body, keypoints=keypoints)
