"""Fit bodies to the keypoints of people.

One image leaves depth open. The fit is held by 3D joints where an estimator gives them, else by
the keypoints that the pose lifter puts in space, each by its uncertainty. MediaPipe's joints are of
use for the arms: it sees them in the picture, but its trunks lean and its hips are wide.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..geometry.camera import default_focal_px, intrinsics_matrix
from ..geometry.so3 import log_map
from ..keypoints.joints3d import Joints3D
from ..keypoints.keypoint_placement import PLACEMENTS, RestBody, known_names
from ..keypoints.keypoints import Keypoints
from ..keypoints.layouts import SMPL24
from ..keypoints.observation import Observation, usable_keypoints
from ..pose_networks.lifter import lift_keypoints
from ..pose_networks.pose_lifting_network import LIFTED_NAMES
from .batch import stack
from .confidence import joint_confidence
from .data_terms import NEGLIGIBLE, Targets2D, Targets3D
from .energy import FitEnergy
from .initialisation import pose_from_params
from .kinematics import Pose, Skeleton
from .pose_prior import PosePrior
from .search import InitialPoses, SearchPlan, search
from .silhouette import fit_silhouettes

SIGMA = 0.01
"""Standard deviation of a keypoint of confidence 1, as a share of the person's extent."""
SIGMA_3D_M = 0.02
"""Standard deviation of a 3D joint of confidence 1, metres."""
ROUGH_SIGMA_M = 0.1
"""The same of an estimator of which the arms alone are used."""
LIFTED_SIGMA = 3.5
"""Standard deviation of a lifted keypoint, over the scale that the lifter gives it."""
ARMS = (("l_shoulder", "l_elbow", "l_wrist"), ("r_shoulder", "r_elbow", "r_wrist"))
BATCH = 32
"""People fitted at once."""

Progress = Callable[[int], None]
"""Called with the number of people done since the last call; may raise to stop."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FitResult:
    """A fitted body, and how well it explains the keypoints."""

    params: HumanParams
    """One person in one frame, camera frame; `confidence` is that of `joint_confidence`."""
    reprojection_px: float
    """Mean distance between the seen keypoints and those of the body."""


def fit_keypoints(
    keypoints: Keypoints,
    *,
    body: BodyModel | None = None,
    focal_px: float | None = None,
    plan: SearchPlan | None = None,
    start: HumanParams | None = None,
) -> FitResult:
    """Find the pose, shape and position whose keypoints project onto those seen.

    Keypoints that are not seen leave their joints to the prior. One image does not tell size
    from distance: the body comes out at about its mean height.

    Args:
        keypoints: of one person.
        body: the model to fit; the bundled one when left out.
        focal_px: focal length of the image; its diagonal when left out.
        plan: how wide to search.
        start: more initial poses, of the same image, such as those of `regress_body`.

    Raises:
        KeypointsError: too few of the keypoints are on this body.
    """
    observation = Observation(keypoints=keypoints, focal_px=focal_px, start=start)
    return fit_people([observation], body=body, plan=plan)[0]


def fit_people(
    people: Sequence[Observation],
    *,
    body: BodyModel | None = None,
    plan: SearchPlan | None = None,
    progress: Progress | None = None,
) -> list[FitResult]:
    """Fit people, or one person in several frames, independently of each other.

    Args:
        people: any number; computed `BATCH` at a time.
        body: the model to fit; the bundled one when left out.
        plan: how wide to search.
        progress: called after each batch.

    Raises:
        KeypointsError: too few of somebody's keypoints are on this body.
        ImageError: somebody's mask covers too little of the fitted body.
    """
    body, plan = body or BodyModel.bundled(), plan or SearchPlan()
    results: list[FitResult] = []
    for first in range(0, len(people), BATCH):
        batch = people[first : first + BATCH]
        task = FitTask.of(batch, body, lift=plan.lift)
        pose = search(task.energy, plan, _initial_poses(batch, body))
        pose = fit_silhouettes(pose, task.energy, [one.mask for one in batch], body)
        results += task.results(pose)
        if progress is not None:
            progress(len(batch))
    return results


@dataclass(frozen=True, kw_only=True, eq=False)
class FitTask:
    """People to fit and the energy of their fits, a row each."""

    seen: list[Keypoints]
    """The keypoints that are used."""
    names: list[str]
    """Of the points of `energy`."""
    energy: FitEnergy
    body: BodyModel

    @classmethod
    def of(cls, people: Sequence[Observation], body: BodyModel, *, lift: bool = True) -> "FitTask":
        """Lay everyone's observations out in the same columns.

        Args:
            people: at least one.
            body: the model to fit.
            lift: lift the keypoints of people without 3D joints into space.

        Raises:
            KeypointsError: too few of somebody's keypoints are on this body.
        """
        seen = [usable_keypoints(one.keypoints, body) for one in people]
        spatial = [one.joints for one in people if one.joints is not None]
        lift = lift and any(map(_is_lifted, people))
        listed = [name for one in (*seen, *spatial) for name in one.names]
        names = known_names(body, tuple(dict.fromkeys([*listed, *(LIFTED_NAMES if lift else ())])))
        image = _image_targets(people, seen, names)
        space = _space_targets(people, seen, image.focal_px, names, lift)
        energy = FitEnergy(Skeleton(RestBody.of(body, names)), PosePrior(), image, space)
        return cls(seen=seen, names=names, energy=energy, body=body)

    def results(self, pose: Pose) -> list[FitResult]:
        """Compute everyone's parameters, confidence and reprojection error."""
        projected = self.energy.image.project(self.energy.skeleton.place(pose).points)
        with_joints = Skeleton(RestBody.of(self.body, [*self.names, *SMPL24]))
        confidence = joint_confidence(self.energy.with_skeleton(with_joints), pose)
        results = []
        for row, seen in enumerate(self.seen):
            columns = [self.names.index(name) for name in seen.names]
            off = np.linalg.norm(projected[row, columns] - seen.xy, axis=1)
            focal_px = float(self.energy.image.focal_px[row])
            params = HumanParams(
                pose=_tensor(log_map(pose.rotations[row]))[None, None],
                betas=_tensor(pose.betas[row])[None, None],
                transl=_tensor(pose.transl[row])[None, None],
                intrinsics=intrinsics_matrix(focal_px, seen.image_size)[None],
                image_size=seen.image_size,
                beta_space=self.body.beta_space,
                confidence=_tensor(confidence[row])[None, None],
            )
            results.append(FitResult(params=params, reprojection_px=float(off.mean())))
        return results


def _image_targets(
    people: Sequence[Observation], seen: Sequence[Keypoints], names: Sequence[str]
) -> Targets2D:
    """Lay out the seen keypoints."""
    pixels, weight = np.zeros((len(seen), len(names), 2)), np.zeros((len(seen), len(names)))
    for row, one in enumerate(seen):
        columns = [names.index(name) for name in one.names]
        sigma = SIGMA * float(np.ptp(one.xy, axis=0).max())
        spread = sigma * np.array([PLACEMENTS[name].spread_factor for name in one.names])
        pixels[row, columns] = one.xy
        weight[row, columns] = np.sqrt(one.confidence) / spread
    sizes = [one.image_size for one in seen]
    focal = [
        float(one.focal_px or default_focal_px(size))
        for one, size in zip(people, sizes, strict=True)
    ]
    center = np.array([[width / 2.0, height / 2.0] for height, width in sizes])
    return Targets2D(pixels, weight, np.array(focal), center)


def _space_targets(
    people: Sequence[Observation],
    seen: Sequence[Keypoints],
    focal_px: Float[ndarray, " people"],
    names: Sequence[str],
    lift: bool,
) -> Targets3D:
    """Lay out 3D joints, and lifted keypoints of people without."""
    xyz = np.zeros((len(people), len(names), 3))
    weight = np.full((len(people), len(names)), NEGLIGIBLE)
    for row, one in enumerate(people):
        if one.joints is not None:
            used = [index for index, name in enumerate(one.joints.names) if name in names]
            columns = [names.index(one.joints.names[index]) for index in used]
            xyz[row, columns] = one.joints.xyz[used]
            sigma = ROUGH_SIGMA_M if one.joints.arms_alone else SIGMA_3D_M
            weight[row, columns] = np.sqrt(one.joints.confidence[used]) / sigma
    rows = [row for row, one in enumerate(people) if _is_lifted(one)]
    if lift and rows:
        lifted, scales = lift_keypoints([seen[row] for row in rows], focal_px[rows].tolist())
        used = [index for index, name in enumerate(LIFTED_NAMES) if name in names]
        columns = [names.index(LIFTED_NAMES[index]) for index in used]
        xyz[np.ix_(rows, columns)] = lifted[:, used]
        weight[np.ix_(rows, columns)] = 1.0 / (LIFTED_SIGMA * scales[:, used])
        for row in rows:
            if (joints := people[row].joints) is not None:
                _hang_arms(joints, names, xyz[row], weight[row])
    return Targets3D(xyz, weight)


def _is_lifted(person: Observation) -> bool:
    return person.joints is None or person.joints.arms_alone


def _hang_arms(joints: Joints3D, names: Sequence[str], xyz: ndarray, weight: ndarray) -> None:
    """Let the arms of 3D joints begin at the lifted shoulders."""
    seen = dict(zip(joints.names, zip(joints.xyz, joints.confidence, strict=True), strict=True))
    for shoulder, elbow, wrist in ARMS:
        for name in (elbow, wrist):
            column, (place, confidence) = names.index(name), seen[name]
            if confidence > 0.0:
                xyz[column] = xyz[names.index(shoulder)] + place - seen[shoulder][0]
                weight[column] = np.sqrt(confidence) / ROUGH_SIGMA_M


def _initial_poses(people: Sequence[Observation], body: BodyModel) -> InitialPoses | None:
    """Collect the poses that observations start from, if any does."""
    poses = {
        row: pose_from_params(one.start, body)
        for row, one in enumerate(people)
        if one.start is not None
    }
    if not poses:
        return None
    counts = [len(pose.betas) for pose in poses.values()]
    return InitialPoses(stack(list(poses.values())), np.repeat(list(poses), counts))


def _tensor(array: ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
