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
from ..sample_random import SampleRandom

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
    rng: SampleRandom,
) -> Detections:
    """Mix poses with others, give everyone a shape and a place, and detect them with noise.

    Args:
        poses: axis-angle, the root relative to a camera.
        others: whose legs and arms are taken.
        skeleton: with `LIFTED_NAMES`, in their order.
        settings: how much of what.
        rng: of each person.
    """
    count = len(poses)
    rotations = mixed_poses(poses, others, settings, rng)
    betas = _normal(rng, BETA_COUNT)
    points = skeleton.place(Pose(rotations, betas, np.zeros((count, 3)))).points
    distance = _uniform(rng, NEAR_M, FAR_M, 1)
    place = np.concatenate([ASIDE * distance * _normal(rng, 2), distance], 1)
    points = points - (points.max(1) + points.min(1))[:, None] / 2.0 + place[:, None]
    assumed = np.exp(_uniform(rng, -settings.focal_error, settings.focal_error, 1, 1))
    marked = _marked(points, rng)
    rays = assumed * marked[..., :2] / marked[..., 2:]
    seen = _seen(settings, rng)
    extent = np.ptp(rays, axis=1).max(-1)
    spread = _uniform(rng, 0.0, settings.noise) * extent
    noise = spread[:, None, None] * _normal(rng, *rays.shape[1:])
    noise[_chosen(rng, OUTLIERS, len(LIFTED_NAMES))] *= OUTLYING
    return Detections(rays + noise, seen, points - points.mean(1, keepdims=True))


def mixed_poses(
    poses: Float[ndarray, "people 24 3"],
    others: Float[ndarray, "people 24 3"],
    settings: LifterTraining,
    rng: SampleRandom,
) -> Float[ndarray, "people 24 3 3"]:
    """Vary poses: legs and arms of others, draws of the joint prior, jitter, turns of the body."""
    poses = poses.copy()
    for share, joints in ((settings.half_share, LEGS), (settings.arm_share, ARM)):
        whose = np.flatnonzero(_chosen(rng, share))[:, None]
        poses[whose, joints] = others[whose, joints]
    free, prior = _chosen(rng, settings.free_share), PosePrior()
    drawn = prior.mean + prior.deviation * _normal(rng, *prior.mean.shape)
    poses[free, 1:] = np.clip(drawn, prior.lower, prior.upper)[free]
    rotations = exp_map(poses)
    rotations[free, 0] = UPRIGHT
    shaken = _uniform(rng, 0.0, settings.jitter, 1, 1) * _chosen(rng, settings.jitter_share, 1, 1)
    rotations = rotations @ exp_map(shaken * _normal(rng, *poses.shape[1:]))
    lean = np.where(_chosen(rng, LYING, 1), 1.0, LEAN) * _normal(rng, 3)
    down = _uniform(rng, *PITCH, 1) * _chosen(rng, PITCHED, 1)
    yaw = np.array([0.0, 1.0, 0.0]) * _uniform(rng, -np.pi, np.pi, 1)
    looked = exp_map(down * np.array([1.0, 0.0, 0.0]))
    rotations[:, 0] = looked @ exp_map(lean) @ exp_map(yaw) @ rotations[:, 0]
    return rotations


def _marked(points: ndarray, rng: SampleRandom) -> ndarray:
    """Move the hips to where another tool may mark them: tools disagree on hips."""
    marked, hips = points.copy(), points[:, HIPS]
    across = hips - hips.mean(1, keepdims=True)
    up = (points[:, SHOULDERS] - hips).mean(1, keepdims=True)
    for way, reach in ((across, HIPS_OUT), (up, HIPS_UP)):
        length = np.linalg.norm(way, axis=-1, keepdims=True)
        marked[:, HIPS] += _uniform(rng, *reach, 1, 1) * way / length
    return marked


def _seen(settings: LifterTraining, rng: SampleRandom) -> ndarray:
    missing = _uniform(rng, 0.0, settings.missing, 1) * _chosen(rng, 0.7, 1)
    shares = np.cumsum(list(LAYOUTS.values()))
    seen = IN_LAYOUT[np.searchsorted(shares[:-1], _uniform(rng, 0.0, 1.0), side="right")]
    seen &= ~_chosen(rng, missing, len(LIFTED_NAMES))
    cut = np.flatnonzero(_chosen(rng, CUT_OFF))[:, None]
    seen[cut, LOW] = False
    seen[:, TRUNK] |= _chosen(rng, TRUNK_SEEN, len(TRUNK))
    return seen


def _uniform(rng: SampleRandom, low: float, high: float, *shape: int) -> ndarray:
    return low + (high - low) * rng.uniform(*shape).double().numpy()


def _normal(rng: SampleRandom, *shape: int) -> ndarray:
    return rng.normal(*shape).double().numpy()


def _chosen(rng: SampleRandom, share: float | ndarray, *shape: int) -> ndarray:
    return _uniform(rng, 0.0, 1.0, *shape) < share


def lifted_skeleton() -> Skeleton:
    """Build the bundled body's skeleton with the keypoints that are lifted."""
    return Skeleton(RestBody.of(BodyModel.bundled(), LIFTED_NAMES))
