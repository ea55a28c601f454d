"""Smooth bodies that are known already, by fitting the motion of what they show."""

from dataclasses import replace

import numpy as np

from ...body.model import BodyModel
from ...body.motion import join_frames
from ...body.params import HumanParams
from ...keypoints.joints3d import Joints3D
from ...keypoints.keypoint_placement import PLACEMENTS, RestBody, known_names
from ...keypoints.keypoints import Keypoints
from ...keypoints.observation import Observation
from ..initialisation import pose_from_params
from ..kinematics import Skeleton
from ..search import SearchPlan
from .fit_motion import Progress, fit_motion
from .smoothing import Smoothing

TRUST = 0.06
"""Confidence in every point: low, for the points of one reading are off all together."""
PLAN = SearchPlan(yaws=0, kept=1, flip_limbs=False)
"""Points in space, and a start that is right: nothing is left to search."""


def smooth_bodies(
    params: HumanParams,
    body: BodyModel,
    smoothing: Smoothing | None = None,
    progress: Progress | None = None,
) -> HumanParams:
    """Take the jitter out of one person's motion, such as a network reads frame by frame.

    Args:
        params: one person, before a lens that looks through the middle of its image.
        body: that the betas are of.
        smoothing: how much the motion may jerk.
        progress: as in `fit_motion`.
    """
    fits = fit_motion(
        shown_points(params, body), body=body, plan=PLAN, smoothing=smoothing, progress=progress
    )
    smoothed = join_frames([one.params for one in fits])
    return replace(smoothed, confidence=params.confidence, frame_rate=params.frame_rate)


def shown_points(params: HumanParams, body: BodyModel) -> list[Observation]:
    """List every point that a fit knows, in the image and in space, of one person.

    Args:
        params: one person, in any number of frames, before a lens that looks through the middle
            of its image.
        body: that the betas are of.
    """
    names = tuple(known_names(body, tuple(PLACEMENTS)))
    skeleton = Skeleton(RestBody.of(body, names))
    sights = []
    for frame in range(params.frames):
        one = params.select(frame)
        points = skeleton.place(pose_from_params(one, body)).points[0]
        lens = one.intrinsics[0].double().numpy()
        pixels = points @ lens.T
        trust = np.full(len(names), TRUST)
        seen = Keypoints(
            xy=pixels[:, :2] / pixels[:, 2:],
            confidence=trust,
            names=names,
            image_size=one.image_size,
        )
        joints = Joints3D(xyz=points, confidence=trust, names=names)
        sights.append(
            Observation(keypoints=seen, joints=joints, focal_px=float(lens[0, 0]), start=one)
        )
    return sights
