"""Initial poses: the mean body at several yaws, and bodies given as parameters."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..conventions import BETA_COUNT
from ..geometry.so3 import exp_map
from .data_terms import Targets2D
from .kinematics import Pose, Skeleton
from .pose_prior import PosePrior

UPRIGHT = np.diag([1.0, -1.0, -1.0])
"""Root rotation of a body that stands and faces the camera (y up to y down)."""


def yawed_poses(
    skeleton: Skeleton, prior: PosePrior, targets: Targets2D, yaws: Float[ndarray, " batch"]
) -> Pose:
    """Place the prior's mean pose over the keypoints, turned by one yaw for each target.

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
    ray = ((low + high) / 2.0 - targets.center) / targets.focal_px[:, None]
    centre = np.concatenate([ray, np.ones((batch, 1))], axis=1) * depth[:, None]
    pose.transl = centre - (body_low + body_high) / 2.0
    return pose


def pose_from_params(params: HumanParams, body: BodyModel) -> Pose:
    """Convert every person of every frame, in the camera frame of the first frame.

    Betas of another body become zero: the mean shape.
    """
    camera = params.camera_from_world[:1].double().numpy()
    rotations = exp_map(params.pose.flatten(0, 1).double().numpy())
    rotations[:, 0] = camera[:, :3, :3] @ rotations[:, 0]
    betas = params.betas.flatten(0, 1) * float(params.beta_space == body.beta_space)
    pelvis = body.rest(betas)[1][:, 0].double().numpy()
    offset = params.transl.flatten(0, 1).double().numpy() + pelvis
    transl = (camera[:, :3, :3] @ offset[..., None])[..., 0] + camera[:, :3, 3] - pelvis
    return Pose(rotations, betas.double().numpy(), transl)


def _bounds(points: ndarray, seen: ndarray) -> tuple[ndarray, ndarray]:
    low = np.where(seen, points, np.inf).min(1)
    return low, np.where(seen, points, -np.inf).max(1)
