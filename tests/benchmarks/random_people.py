"""People in random poses, seen by a known camera: ground truth for the fit.

Poses are drawn uniformly from ranges of everyday motion (stand, stride, sit, crouch; arms raised
to the side, to the front or bent), not from the fit's prior.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy import ndarray

from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.body.model import BodyModel
from posexfer_core.fit.initialisation import UPRIGHT
from posexfer_core.fit.kinematics import Pose, Skeleton
from posexfer_core.geometry.camera import intrinsics_matrix
from posexfer_core.geometry.rasterize import rasterize
from posexfer_core.geometry.so3 import exp_map
from posexfer_core.keypoints.keypoint_placement import RestBody
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.layouts import COCO17, FEET6

IMAGE_PX = 1024
FOCAL_PX = 1448.0

LEGS = (  # ranges of hip and knee flexion, radians
    ((-0.4, 0.2), (0.0, 0.4)),
    ((-1.0, 0.5), (0.1, 1.3)),
    ((-1.8, -1.2), (1.0, 1.8)),
    ((-1.9, 0.4), (0.0, 2.0)),
)


@dataclass(frozen=True, kw_only=True)
class Person:
    """One random person and what a detector would see of it."""

    keypoints: Keypoints
    joints: ndarray
    """(24, 3), metres, camera frame."""
    rotations: ndarray
    betas: ndarray
    transl: ndarray


def random_person(
    rng: np.random.Generator,
    body: BodyModel,
    *,
    noise_px: float = 3.0,
    names: tuple[str, ...] = COCO17 + FEET6,
    missing: float = 0.0,
    more_betas: ndarray | None = None,
) -> Person:
    """Draw a shape, a pose and a place, and project the keypoints with Gaussian noise.

    Args:
        rng: decides everything.
        body: of everyone.
        noise_px: standard deviation of each coordinate.
        names: the keypoints.
        missing: share of the keypoints that are not seen.
        more_betas: added to those drawn.
    """
    rotations = _rotations(rng)
    betas = rng.normal(size=10) + (0.0 if more_betas is None else more_betas)
    transl = np.array([0.2 * rng.normal(), 0.3 + 0.15 * rng.normal(), rng.uniform(2.8, 4.5)])
    with torch.no_grad():
        posed = body(*(torch.tensor(x[None]).float() for x in (rotations, betas, transl)))
    skeleton = Skeleton(RestBody.of(body, names))
    points = skeleton.place(Pose(rotations[None], betas[None], transl[None])).points[0]
    xy = FOCAL_PX * points[:, :2] / points[:, 2:] + IMAGE_PX / 2.0
    noise = noise_px * rng.normal(size=xy.shape)
    confidence = np.ones(len(names))
    if missing:
        confidence[rng.permutation(len(names))[: round(missing * len(names))]] = 0.0
    keypoints = Keypoints(
        xy=xy + noise,
        confidence=confidence,
        names=names,
        image_size=(IMAGE_PX, IMAGE_PX),
    )
    joints = posed.joints[0].double().numpy()
    return Person(
        keypoints=keypoints, joints=joints, rotations=rotations, betas=betas, transl=transl
    )


def person_mask(person: Person, body: BodyModel) -> ndarray:
    """Draw where the image shows a person."""
    numbers = (person.rotations, person.betas, person.transl)
    with torch.no_grad():
        posed = body(*(torch.tensor(x[None]).float() for x in numbers))
    size = person.keypoints.image_size
    camera = intrinsics_matrix(FOCAL_PX, size)[None]
    return rasterize(posed.vertices, body.faces, camera, size).mask[0].numpy()


def aligned_error_mm(found: ndarray, true: ndarray) -> float:
    """PA-MPJPE: mean joint distance after the best similarity transform."""
    a, b = found - found.mean(0), true - true.mean(0)
    u, s, vt = np.linalg.svd(a.T @ b)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (s * sign).sum() / (a**2).sum()
    return 1000.0 * float(np.linalg.norm(scale * a @ (u * sign @ vt) - b, axis=1).mean())


def _rotations(rng: np.random.Generator) -> ndarray:
    """Draw the 24 local rotations."""
    turn = {name: np.zeros(3) for name in JOINT_NAMES}
    hip_range, knee_range = LEGS[rng.integers(len(LEGS))]
    for side, sign in (("l", 1.0), ("r", -1.0)):
        out, twist = sign * rng.uniform(-0.1, 0.5), sign * rng.uniform(-0.3, 0.4)
        turn[f"{side}_hip"] = np.array([rng.uniform(*hip_range), twist, out])
        turn[f"{side}_knee"][0] = rng.uniform(*knee_range)
        turn[f"{side}_ankle"][0] = rng.uniform(-0.3, 0.3)
        turn[f"{side}_elbow"] = np.array([rng.uniform(-0.3, 0.3), -sign * rng.uniform(0, 2.1), 0])
        turn[f"{side}_collar"] = 0.08 * rng.normal(size=3)
    for name in ("spine1", "spine2", "spine3"):
        turn[name] = rng.uniform((-0.1, -0.15, -0.12), (0.25, 0.15, 0.12))
    for name in ("neck", "head"):
        turn[name] = rng.uniform((-0.2, -0.35, -0.15), (0.25, 0.35, 0.15))
    rotations = exp_map(np.stack(list(turn.values())))
    for side, sign in (("l", 1.0), ("r", -1.0)):
        rotations[JOINT_NAMES.index(f"{side}_shoulder")] = _shoulder(rng, sign)
    lean = exp_map(0.12 * rng.normal(size=3) * np.array([1.0, 0.0, 1.0]))
    yaw = exp_map(np.array([0.0, rng.uniform(-np.pi, np.pi), 0.0]))
    rotations[0] = UPRIGHT @ lean @ yaw
    return rotations


def _shoulder(rng: np.random.Generator, sign: float) -> ndarray:
    """Let the arm hang, raise it to the front or to the side, twist it."""
    drop = exp_map(np.array([0.0, 0.0, -sign * rng.uniform(-0.2, 1.5)]))
    twist = exp_map(np.array([rng.uniform(-0.6, 0.6), 0.0, 0.0]))
    if rng.random() < 0.5:
        raised = exp_map(np.array([0.0, -sign * rng.uniform(-0.4, 1.3), 0.0]))
    else:
        raised = exp_map(np.array([-rng.uniform(-0.6, 1.4), 0.0, 0.0]))
    return raised @ drop @ twist
