"""People who move smoothly from pose to pose, seen by a known camera: truth for smoothing."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy import ndarray

from posexfer_core.body.model import BodyModel
from posexfer_core.body.motion import join_frames
from posexfer_core.body.params import HumanParams
from posexfer_core.body.pose_editing import blended
from posexfer_core.fit.kinematics import Pose, Skeleton
from posexfer_core.geometry.camera import intrinsics_matrix
from posexfer_core.geometry.so3 import exp_map, log_map
from posexfer_core.keypoints.keypoint_placement import RestBody
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.layouts import COCO17, FEET6
from tests.benchmarks.random_people import FOCAL_PX, IMAGE_PX, random_person

FRAMES_PER_POSE = 20
TURN_RAD = 0.5
"""How far a person turns about its axis between poses, at most."""


@dataclass(frozen=True, kw_only=True)
class Motion:
    """One person over frames and what a detector would see of it."""

    keypoints: list[Keypoints]
    joints: ndarray
    """(frames, 24, 3), metres, camera frame."""
    params: HumanParams


def random_motion(
    rng: np.random.Generator,
    body: BodyModel,
    *,
    poses: int = 4,
    noise_px: float = 4.0,
    missing: float = 0.1,
    names: tuple[str, ...] = COCO17 + FEET6,
) -> Motion:
    """Draw poses, blend from each to the next with no speed at the ends, and project.

    Args:
        rng: decides everything.
        body: of the person.
        poses: how many are passed through.
        noise_px: standard deviation of each coordinate, drawn for every frame.
        missing: share of the keypoints that are not seen, drawn for every frame.
        names: the keypoints.
    """
    stops = _stops(rng, body, poses)
    frames = []
    for start, end in pairwise(stops):
        for step in range(FRAMES_PER_POSE):
            share = step / FRAMES_PER_POSE
            frames.append(blended(start, end, share * share * (3.0 - 2.0 * share), body))
    params = join_frames([*frames, stops[-1]])
    rotations = params.rotations[:, 0]
    with torch.no_grad():
        joints = body(rotations, params.betas[:, 0], params.transl[:, 0]).joints
    skeleton = Skeleton(RestBody.of(body, names))
    pose = Pose(
        rotations.double().numpy(),
        params.betas[:, 0].double().numpy(),
        params.transl[:, 0].double().numpy(),
    )
    points = skeleton.place(pose).points
    xy = FOCAL_PX * points[..., :2] / points[..., 2:] + IMAGE_PX / 2.0
    xy = xy + noise_px * rng.normal(size=xy.shape)
    confidence = (rng.random(xy.shape[:2]) >= missing).astype(float)
    return Motion(
        keypoints=[
            Keypoints(xy=one, confidence=seen, names=names, image_size=(IMAGE_PX, IMAGE_PX))
            for one, seen in zip(xy, confidence, strict=True)
        ],
        joints=joints.double().numpy(),
        params=params,
    )


def _stops(rng: np.random.Generator, body: BodyModel, count: int) -> list[HumanParams]:
    """Draw poses of one person in one place, who does not turn far between them."""
    drawn = [random_person(rng, body) for _ in range(count)]
    root, stops = drawn[0].rotations[0], []
    transl = np.array([0.0, 0.3, rng.uniform(3.0, 4.5)])
    for one in drawn:
        rotations = one.rotations.copy()
        rotations[0] = root
        stops.append(
            HumanParams.single(
                pose=torch.from_numpy(log_map(rotations)).float(),
                betas=torch.from_numpy(drawn[0].betas).float(),
                transl=torch.from_numpy(transl).float(),
                intrinsics=intrinsics_matrix(FOCAL_PX, (IMAGE_PX, IMAGE_PX)),
                image_size=(IMAGE_PX, IMAGE_PX),
            )
        )
        root = root @ exp_map(np.array([0.0, rng.uniform(-TURN_RAD, TURN_RAD), 0.0]))
        transl = transl + rng.normal(size=3) * np.array([0.15, 0.03, 0.15])
    return stops
