"""Where the descent starts: the mean body, turned all ways round, and what others propose."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..conventions import BETA_COUNT
from ..geometry.so3 import exp_map
from .data_terms import Targets
from .kinematics import Pose, Skeleton
from .pose_prior import PosePrior

UPRIGHT = np.diag([1.0, -1.0, -1.0])
"""Root rotation of a body that stands and faces the camera (y up to y down)."""


def yawed_poses(
    skeleton: Skeleton, prior: PosePrior, targets: Targets, yaws: Float[ndarray, " batch"]
) -> Pose:
    """Stand the prior's mean pose where the keypoints are, turned by one yaw for each target.

    The distance is such that the body covers the extent of the keypoints.
    """
    batch = len(yaws)
    rotations = np.repeat(exp_map(prior.mean_pose())[None], batch, axis=0)
    rotations[:, 0] = UPRIGHT @ exp_map(yaws[:, None] * np.array([0.0, 1.0, 0.0]))
    pose = Pose(rotations, np.zeros((batch, BETA_COUNT)), np.zeros((batch, 3)))
    points = skeleton.place(pose).points
    seen = targets.weight[..., None] > 0.0
    body_low, body_high = _bounds(points, seen)
    low, high = _bounds(targets.pixels, seen)
    pixels_per_metre = (high - low).max(1) / (body_high - body_low)[:, :2].max(1)
    depth = targets.focal_px / pixels_per_metre
    middle = (low + high) / 2.0
    ray = (middle - targets.center) / targets.focal_px[:, None]
    place = np.concatenate([ray, np.ones((batch, 1))], axis=1) * depth[:, None]
    pose.transl = place - (body_low + body_high) / 2.0
    return pose


def pose_from_params(params: HumanParams, body: BodyModel) -> Pose:
    """Take the people of parameters as starts, in the camera frame of their first frame.

    Betas of another body are left out: the mean shape stands in.
    """
    camera = params.camera_from_world[:1].double().numpy()
    pose = params.pose.flatten(0, 1).double().numpy()
    rotations = exp_map(pose)
    rotations[:, 0] = camera[:, :3, :3] @ rotations[:, 0]
    same = params.beta_space == body.beta_space
    betas = params.betas.flatten(0, 1).double().numpy() * (1.0 if same else 0.0)
    transl = params.transl.flatten(0, 1).double().numpy()
    pelvis = body.rest(params.betas.flatten(0, 1) * (1.0 if same else 0.0))[1][:, 0]
    pelvis = pelvis.double().numpy()
    moved = (camera[:, :3, :3] @ (transl + pelvis)[..., None])[..., 0] + camera[:, :3, 3] - pelvis
    return Pose(rotations, betas, moved)


def _bounds(points: ndarray, seen: ndarray) -> tuple[ndarray, ndarray]:
    low = np.where(seen, points, np.inf).min(1)
    return low, np.where(seen, points, -np.inf).max(1)
