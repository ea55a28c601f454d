"""Simulated detections of people in mixed poses, with the true places; nothing is rendered."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.body.model import BodyModel
from posexfer_core.conventions import BETA_COUNT
from posexfer_core.fit.initialisation import UPRIGHT
from posexfer_core.fit.kinematics import Pose, Skeleton
from posexfer_core.fit.pose_prior import PosePrior
from posexfer_core.geometry.so3 import exp_map
from posexfer_core.keypoints.keypoint_placement import RestBody
from posexfer_core.keypoints.layouts import COCO17
from posexfer_core.pose_networks.pose_lifting_network import LIFTED_NAMES

from ..config import LifterTraining

LEGS = [JOINT_NAMES.index(f"{s}_{part}") for s in "lr" for part in ("hip", "knee", "ankle", "foot")]
ARM = [JOINT_NAMES.index(f"l_{part}") for part in ("collar", "shoulder", "elbow", "wrist", "hand")]
TRUNK = [LIFTED_NAMES.index(f"{side}_{part}") for side in "lr" for part in ("shoulder", "hip")]
SHOULDERS = [LIFTED_NAMES.index("l_shoulder"), LIFTED_NAMES.index("r_shoulder")]
HIPS = [LIFTED_NAMES.index("l_hip"), LIFTED_NAMES.index("r_hip")]
LOW = [index for index, name in enumerate(LIFTED_NAMES) if name[2:] in ("knee", "ankle", "heel")]
LOW += [index for index, name in enumerate(LIFTED_NAMES) if name.endswith("toe")]
LIMBS = COCO17[5:]
LAYOUTS = {LIFTED_NAMES: 0.4, COCO17: 0.3, ("nose", *LIMBS): 0.2, LIMBS: 0.1}
"""Layouts of detectors and annotators, and the share of people for each."""
IN_LAYOUT = np.array([np.isin(LIFTED_NAMES, layout) for layout in LAYOUTS])
TRUNK_SEEN = 0.7
"""Share of the missing keypoints of the trunk that are put back."""
CUT_OFF = 0.06
"""Share of people whose legs are outside the image."""
LYING = 0.06
"""Share of people who lean in any direction, upside down too."""
LEAN = np.array([0.2, 0.0, 0.12])
"""Standard deviations of the others' lean, radians about x, y and z of the camera."""
PITCHED, PITCH = 0.25, (-0.3, 0.9)
"""Share of people seen from above or below, and the range of that angle, radians."""
HIPS_OUT, HIPS_UP = (-0.01, 0.05), (-0.03, 0.03)
"""Offsets of other tools' hips from ours, metres: away from each other, and to the chest."""
OUTLIERS, OUTLYING = 0.02, 8.0
"""Share of keypoints with more noise than the others, and how many times more."""
NEAR_M, FAR_M = 1.7, 5.4
"""Distances of people."""
ASIDE = 0.18
"""Standard deviation of their directions, as a tangent."""


class Detections(NamedTuple):
    """Inputs and true outputs of the pose lifter for a batch of people."""

    rays: Float[ndarray, "people 23 2"]
    """Keypoints, over the assumed focal length."""
    seen: Bool[ndarray, "people 23"]
    places: Float[ndarray, "people 23 3"]
    """Metres, axes of the camera, about their own mean."""


def draw_detections(
    poses: Float[ndarray, "people 24 3"],
    others: Float[ndarray, "people 24 3"],
    skeleton: Skeleton,
    settings: LifterTraining,
    rng: np.random.Generator,
) -> Detections:
    """Mix poses with others, give everyone a shape and a place, and detect them with noise.

    Args:
        poses: axis-angle, the root relative to a camera.
        others: whose legs and arms are taken.
        skeleton: with `LIFTED_NAMES`, in their order.
        settings: how much of what.
        rng: decides everything.
    """
    count = len(poses)
    rotations = mixed_poses(poses, others, settings, rng)
    betas = rng.normal(size=(count, BETA_COUNT))
    points = skeleton.place(Pose(rotations, betas, np.zeros((count, 3)))).points
    distance = rng.uniform(NEAR_M, FAR_M, (count, 1))
    place = np.concatenate([ASIDE * distance * rng.normal(size=(count, 2)), distance], 1)
    points = points - (points.max(1) + points.min(1))[:, None] / 2.0 + place[:, None]
    assumed = np.exp(rng.uniform(-settings.focal_error, settings.focal_error, (count, 1, 1)))
    marked = _marked(points, rng)
    rays = assumed * marked[..., :2] / marked[..., 2:]
    seen = _seen(count, settings, rng)
    extent = np.ptp(rays, axis=1).max(-1)
    spread = rng.uniform(0.0, settings.noise, count) * extent
    noise = spread[:, None, None] * rng.normal(size=rays.shape)
    noise[rng.random(seen.shape) < OUTLIERS] *= OUTLYING
    return Detections(rays + noise, seen, points - points.mean(1, keepdims=True))


def mixed_poses(
    poses: Float[ndarray, "people 24 3"],
    others: Float[ndarray, "people 24 3"],
    settings: LifterTraining,
    rng: np.random.Generator,
) -> Float[ndarray, "people 24 3 3"]:
    """Vary poses: legs and arms of others, draws of the joint prior, jitter, turns of the body."""
    count = len(poses)
    poses = poses.copy()
    for share, joints in ((settings.half_share, LEGS), (settings.arm_share, ARM)):
        whose = np.flatnonzero(rng.random(count) < share)[:, None]
        poses[whose, joints] = others[whose, joints]
    free = np.flatnonzero(rng.random(count) < settings.free_share)
    prior = PosePrior()
    drawn = prior.mean + prior.deviation * rng.normal(size=(len(free), *prior.mean.shape))
    poses[free, 1:] = np.clip(drawn, prior.lower, prior.upper)
    rotations = exp_map(poses)
    rotations[free, 0] = UPRIGHT
    shaken = rng.uniform(0.0, settings.jitter, (count, 1, 1))
    shaken *= rng.random((count, 1, 1)) < settings.jitter_share
    rotations = rotations @ exp_map(shaken * rng.normal(size=poses.shape))
    lean = LEAN * rng.normal(size=(count, 3))
    lying = rng.random(count) < LYING
    lean[lying] = rng.normal(size=(int(lying.sum()), 3))
    down = rng.uniform(*PITCH, (count, 1)) * (rng.random((count, 1)) < PITCHED)
    yaw = np.array([0.0, 1.0, 0.0]) * rng.uniform(-np.pi, np.pi, (count, 1))
    looked = exp_map(down * np.array([1.0, 0.0, 0.0]))
    rotations[:, 0] = looked @ exp_map(lean) @ exp_map(yaw) @ rotations[:, 0]
    return rotations


def _marked(points: ndarray, rng: np.random.Generator) -> ndarray:
    """Move the hips to where another tool may mark them: tools disagree on hips."""
    marked, hips = points.copy(), points[:, HIPS]
    across = hips - hips.mean(1, keepdims=True)
    up = (points[:, SHOULDERS] - hips).mean(1, keepdims=True)
    for way, reach in ((across, HIPS_OUT), (up, HIPS_UP)):
        length = np.linalg.norm(way, axis=-1, keepdims=True)
        marked[:, HIPS] += rng.uniform(*reach, (len(points), 1, 1)) * way / length
    return marked


def _seen(count: int, settings: LifterTraining, rng: np.random.Generator) -> ndarray:
    missing = rng.uniform(0.0, settings.missing, (count, 1)) * (rng.random((count, 1)) < 0.7)
    seen = IN_LAYOUT[rng.choice(len(LAYOUTS), size=count, p=list(LAYOUTS.values()))]
    seen &= rng.random((count, len(LIFTED_NAMES))) >= missing
    cut = np.flatnonzero(rng.random(count) < CUT_OFF)[:, None]
    seen[cut, LOW] = False
    seen[:, TRUNK] |= rng.random((count, len(TRUNK))) < TRUNK_SEEN
    return seen


def lifted_skeleton() -> Skeleton:
    """Build the bundled body's skeleton with the keypoints that are lifted."""
    return Skeleton(RestBody.of(BodyModel.bundled(), LIFTED_NAMES))
