"""Smooth a motion that is given as bodies, by fitting their own keypoints and 3D joints."""

from dataclasses import replace

import numpy as np

from ...body.model import BodyModel
from ...body.motion import join_frames
from ...body.params import HumanParams
from ...keypoints.joints3d import Joints3D
from ...keypoints.keypoint_placement import PLACEMENTS, RestBody, known_names
from ...keypoints.keypoints import Keypoints
from ...keypoints.observation import Observation
from ..fit import Progress
from ..initialisation import pose_from_params
from ..kinematics import Skeleton
from ..search import SearchPlan
from .fit_motion import fit_motion
from .smoothing import Smoothing

CONFIDENCE = 0.06
"""Of every point: low, for the errors of one body are correlated."""
PLAN = SearchPlan(yaws=0, flip_limbs=False)
"""The initial pose is right and depth is known: there is nothing to search."""


def smooth_bodies(
    params: HumanParams,
    body: BodyModel,
    smoothing: Smoothing | None = None,
    progress: Progress | None = None,
) -> HumanParams:
    """Smooth one person's motion, such as `regress_body` gives frame by frame.

    Args:
        params: one person, whose principal point is the middle of its image.
        body: that the betas are of.
        smoothing: how much the motion may accelerate.
        progress: as in `fit_motion`.
    """
    fits = fit_motion(
        body_observations(params, body),
        body=body,
        plan=PLAN,
        smoothing=smoothing,
        progress=progress,
    )
    smoothed = join_frames([one.params for one in fits])
    return replace(smoothed, confidence=params.confidence, frame_rate=params.frame_rate)


def body_observations(params: HumanParams, body: BodyModel) -> list[Observation]:
    """Observe every keypoint that a fit knows, in the image and in space, of one person.

    Args:
        params: one person in any number of frames; the principal point is the middle of its
            image.
        body: that the betas are of.
    """
    names = tuple(known_names(body, tuple(PLACEMENTS)))
    skeleton = Skeleton(RestBody.of(body, names))
    observations = []
    for frame in range(params.frames):
        one = params.select(frame)
        points = skeleton.place(pose_from_params(one, body)).points[0]
        intrinsics = one.intrinsics[0].double().numpy()
        pixels = points @ intrinsics.T
        confidence = np.full(len(names), CONFIDENCE)
        seen = Keypoints(
            xy=pixels[:, :2] / pixels[:, 2:],
            confidence=confidence,
            names=names,
            image_size=one.image_size,
        )
        joints = Joints3D(xyz=points, confidence=confidence, names=names)
        observations.append(
            Observation(keypoints=seen, joints=joints, focal_px=float(intrinsics[0, 0]), start=one)
        )
    return observations
