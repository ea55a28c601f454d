"""Estimate bodies from the keypoints of people.

An image leaves depth open. Where no estimator has told it, a small network says what it usually is
in people who look like that, and how sure that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..geometry.camera import default_focal_px, intrinsics_matrix
from ..geometry.so3 import log_map
from ..keypoints.joints3d import SMPL24, Joints3D
from ..keypoints.keypoint_placement import PLACEMENTS, RestBody, known_names
from ..keypoints.keypoints import Keypoints
from ..keypoints.observation import Observation, usable_keypoints
from ..pose_networks.lifter import lift_keypoints
from ..pose_networks.pose_lifting_network import LIFTED_NAMES
from .confidence import joint_confidence
from .data_terms import NOTHING, Places, Targets
from .energy import FitEnergy
from .hidden_face import HiddenFace
from .initialisation import pose_from_params
from .kinematics import Pose, Skeleton, stack
from .pose_prior import PosePrior
from .search import Found, Proposals, SearchPlan, search
from .silhouette import fit_outlines

SPREAD = 0.01
"""Standard deviation of a sure keypoint, as a share of the person's extent in the image."""
SPREAD_3D_M = 0.02
"""Standard deviation of a sure 3D joint, metres."""
LIFT_SPREADS = 4.0
"""Standard deviation of a lifted keypoint, in spreads that its network names."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FitResult:
    """A fitted body, and how well it explains the keypoints."""

    params: HumanParams
    """One person in one frame, camera frame; `confidence` is that of `trust.joint_confidence`."""
    reprojection_px: float
    """Mean distance between the seen keypoints and those of the body."""
    names: tuple[str, ...]
    """The keypoints that were fitted."""
    keypoints: Float[ndarray, "points 2"]
    """Where the image shows them, pixels."""
    projected: Float[ndarray, "points 2"]
    """Where the body has them, pixels."""
    energies: Float[ndarray, " hypotheses"]
    """Of the hypotheses that were followed to the end, best first; close ones mean doubt."""


def fit_keypoints(
    keypoints: Keypoints,
    *,
    body: BodyModel | None = None,
    focal_px: float | None = None,
    plan: SearchPlan | None = None,
    start: HumanParams | None = None,
) -> FitResult:
    """Find the pose, shape and place whose keypoints project onto those seen.

    Keypoints that are not seen leave their joints to the prior. One image does not tell size
    from distance: the body comes out at about its mean height.

    Args:
        keypoints: of one person.
        body: the model to fit; the bundled one when left out.
        focal_px: focal length of the image; its diagonal when left out.
        plan: how wide to search.
        start: bodies of the same image to start from as well, such as `regress_body` reads.

    Raises:
        KeypointsError: too few of the keypoints are on this body.
    """
    sight = Observation(keypoints=keypoints, focal_px=focal_px, start=start)
    return fit_people([sight], body=body, plan=plan)[0]


def fit_people(
    people: Sequence[Observation], *, body: BodyModel | None = None, plan: SearchPlan | None = None
) -> list[FitResult]:
    """Fit people, or one person in several frames, all at once; nobody depends on the others.

    Args:
        people: at least one.
        body: the model to fit; the bundled one when left out.
        plan: how wide to search.

    Raises:
        KeypointsError: too few of somebody's keypoints are on this body.
        ImageError: somebody's mask is elsewhere.
    """
    body, plan = body or BodyModel.bundled(), plan or SearchPlan()
    task = FitTask.of(people, body, lift=plan.lift)
    found = search(task.energy, plan, _proposals(people, body))
    pose = fit_outlines(found.pose, task.energy, [one.mask for one in people], body)
    return task.results(Found(pose, found.energies))


@dataclass(frozen=True, kw_only=True, eq=False)
class FitTask:
    """People to fit, and the energy that a fit of them lowers; one row each."""

    seen: list[Keypoints]
    """Keypoints of use."""
    names: list[str]
    """Of the points of `energy`."""
    energy: FitEnergy
    body: BodyModel

    @classmethod
    def of(cls, people: Sequence[Observation], body: BodyModel, *, lift: bool = True) -> "FitTask":
        """Lay out what is known of people.

        Args:
            people: at least one.
            body: the model to fit.
            lift: let a network say where the keypoints lie, of people without 3D joints.

        Raises:
            KeypointsError: too few of somebody's keypoints are on this body.
        """
        seen = [usable_keypoints(one.keypoints, body) for one in people]
        spatial = [one.joints for one in people if one.joints is not None]
        lift = lift and len(spatial) < len(people)
        listed = [name for one in (*seen, *spatial) for name in one.names]
        names = known_names(body, tuple(dict.fromkeys([*listed, *(LIFTED_NAMES if lift else ())])))
        targets = _targets(people, seen, names)
        places = _places(people, seen, targets, names, lift) if spatial or lift else None
        hidden = HiddenFace.of(
            [one.keypoints for one in people], body, targets.focal_px, targets.center
        )
        skeleton = Skeleton(RestBody.of(body, names))
        energy = FitEnergy(skeleton, PosePrior(), targets, places, hidden)
        return cls(seen=seen, names=names, energy=energy, body=body)

    def results(self, found: Found) -> list[FitResult]:
        """Say how well the bodies that were found explain everyone's keypoints."""
        targets = self.energy.targets
        projected = targets.project(self.energy.skeleton.place(found.pose).points)
        jointed = Skeleton(RestBody.of(self.body, [*self.names, *SMPL24]))
        confidence = joint_confidence(self.energy.with_skeleton(jointed), found.pose)
        return [
            _result(
                one,
                projected[row, [self.names.index(name) for name in one.names]],
                found.pose.take(np.array([row])),
                float(targets.focal_px[row]),
                confidence[row],
                found.energies[row],
                self.body,
            )
            for row, one in enumerate(self.seen)
        ]


def _spread_px(seen: Keypoints) -> float:
    return SPREAD * float(np.ptp(seen.xy, axis=0).max())


def _targets(
    people: Sequence[Observation], seen: Sequence[Keypoints], names: Sequence[str]
) -> Targets:
    """Lay everyone's keypoints out in the same columns; what somebody lacks weighs nothing."""
    pixels, weight = np.zeros((len(seen), len(names), 2)), np.zeros((len(seen), len(names)))
    for row, one in enumerate(seen):
        columns = [names.index(name) for name in one.names]
        pixels[row, columns] = one.xy
        spread = _spread_px(one) * np.array([PLACEMENTS[name].spread_factor for name in one.names])
        weight[row, columns] = np.sqrt(one.confidence) / spread
    sizes = [one.image_size for one in seen]
    focal = [
        float(one.focal_px or default_focal_px(size))
        for one, size in zip(people, sizes, strict=True)
    ]
    center = np.array([[width / 2.0, height / 2.0] for height, width in sizes])
    return Targets(pixels, weight, np.array(focal), center)


def _places(
    people: Sequence[Observation],
    seen: Sequence[Keypoints],
    targets: Targets,
    names: Sequence[str],
    lift: bool,
) -> Places:
    """Lay out what is known of space: by an estimator, else by lifting the keypoints."""
    xyz, weight = np.zeros((len(people), len(names), 3)), np.zeros((len(people), len(names)))
    weight[:] = NOTHING
    for row, one in enumerate(people):
        for name, point, trust in zip(*_parts(one.joints), strict=True):
            if name in names:
                column = names.index(name)
                xyz[row, column], weight[row, column] = point, np.sqrt(trust) / SPREAD_3D_M
    rows = [row for row, one in enumerate(people) if one.joints is None]
    if lift and rows:
        lifted, spreads = lift_keypoints(
            [seen[row] for row in rows], targets.focal_px[rows].tolist()
        )
        points = [index for index, name in enumerate(LIFTED_NAMES) if name in names]
        columns = [names.index(LIFTED_NAMES[index]) for index in points]
        xyz[np.ix_(rows, columns)] = lifted[:, points]
        weight[np.ix_(rows, columns)] = 1.0 / (LIFT_SPREADS * spreads[:, points])
    return Places(xyz, weight)


def _proposals(people: Sequence[Observation], body: BodyModel) -> Proposals | None:
    starts = {
        row: pose_from_params(one.start, body)
        for row, one in enumerate(people)
        if one.start is not None
    }
    if not starts:
        return None
    counts = [len(pose.betas) for pose in starts.values()]
    return Proposals(stack(list(starts.values())), np.repeat(list(starts), counts))


def _parts(joints: Joints3D | None) -> tuple[tuple[str, ...], ndarray, ndarray]:
    if joints is None:
        return (), np.zeros((0, 3)), np.zeros(0)
    return joints.names, joints.xyz, joints.confidence


def _result(
    seen: Keypoints,
    projected: Float[ndarray, "points 2"],
    pose: Pose,
    focal_px: float,
    confidence: Float[ndarray, " 24"],
    energies: Float[ndarray, " hypotheses"],
    body: BodyModel,
) -> FitResult:
    params = HumanParams(
        pose=_tensor(log_map(pose.rotations))[None],
        betas=_tensor(pose.betas)[None],
        transl=_tensor(pose.transl)[None],
        intrinsics=intrinsics_matrix(focal_px, seen.image_size)[None],
        image_size=seen.image_size,
        beta_space=body.beta_space,
        confidence=_tensor(confidence)[None, None],
    )
    return FitResult(
        params=params,
        reprojection_px=float(np.linalg.norm(projected - seen.xy, axis=1).mean()),
        names=seen.names,
        keypoints=seen.xy,
        projected=projected,
        energies=energies,
    )


def _tensor(array: ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
