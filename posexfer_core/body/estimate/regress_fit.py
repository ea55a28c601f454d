"""A fit without keypoints: the joints that the network sees in the picture stand in for them."""

import numpy as np

from ..model import JOINT_NAMES, BodyModel
from .fit import FitResult, fit_keypoints
from .keypoints import Keypoints
from .regress import Reading
from .search import SearchPlan

SEEN_JOINTS = tuple(
    f"{side}_{name}"
    for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in "lr"
)
"""Joints of the network that are keypoints of the fit too."""
CONFIDENCE = 0.1
"""Of a joint that the network sees: it is about three times as far off as a detector's."""


def fit_reading(reading: Reading, *, body: BodyModel | None = None) -> FitResult:
    """Fit the body to the joints that the network sees, from the body that it reads.

    Args:
        reading: of `regress_body`.
        body: the model to fit; the bundled one when left out.

    Raises:
        KeypointsError: the joints lie in one point.
    """
    return fit_keypoints(
        seen_joints(reading),
        body=body,
        focal_px=float(reading.params.intrinsics[0, 0, 0]),
        plan=SearchPlan(yaws=0, flip_limbs=False),
        start=reading.params,
    )


def seen_joints(reading: Reading) -> Keypoints:
    """Name the joints that the network sees as keypoints."""
    rows = [JOINT_NAMES.index(name) for name in SEEN_JOINTS]
    return Keypoints(
        xy=reading.joints_px[rows].double().numpy(),
        confidence=np.full(len(rows), CONFIDENCE),
        names=SEEN_JOINTS,
        picture_size=reading.params.picture_size,
    )
