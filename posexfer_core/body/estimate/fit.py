"""Estimate a body from the 2D keypoints of one person, without any learned weights."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from ...errors import KeypointsError
from ...geometry.camera import intrinsics_matrix
from ..model import BodyModel
from ..params import HumanParams
from .body_points import MIDDLES, RestBody, known_names
from .energy import FitEnergy, Targets
from .keypoints import FEWEST, Keypoints
from .kinematics import Skeleton
from .prior import PosePrior
from .search import Found, SearchPlan, search
from .so3 import log_map
from .starts import proposed_poses
from .trust import joint_confidence

SPREAD = 0.01
"""Standard deviation of a sure keypoint, as a share of the person's extent in the picture."""
FAINTEST = 0.05
"""Confidence below which a keypoint counts as not seen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FitResult:
    """A fitted body, and how well it explains the keypoints."""

    params: HumanParams
    """One person in one frame, camera frame; `confidence` says which joints to trust."""
    reprojection_px: float
    """Mean distance between the seen keypoints and those of the body."""
    names: tuple[str, ...]
    """The keypoints that were fitted."""
    keypoints: Float[ndarray, "points 2"]
    """Where the picture shows them, pixels."""
    projected: Float[ndarray, "points 2"]
    """Where the body has them, pixels."""
    energies: Float[ndarray, " hypotheses"]
    """Of the hypotheses that were followed to the end, best first; close ones mean doubt."""
    iterations: int


def default_focal_px(picture_size: tuple[int, int]) -> float:
    """Guess a focal length: the picture's diagonal, a field of view of 53 degrees across it."""
    height, width = picture_size
    return float(np.hypot(height, width))


def fit_keypoints(
    keypoints: Keypoints,
    *,
    body: BodyModel | None = None,
    focal_px: float | None = None,
    plan: SearchPlan | None = None,
    start: HumanParams | None = None,
) -> FitResult:
    """Find the pose, shape and place whose keypoints project onto those seen.

    Keypoints that are not seen leave their joints to the prior. One picture does not tell size
    from distance: the body comes out at about its mean height.

    Args:
        keypoints: of one person.
        body: the model to fit; the bundled one when left out.
        focal_px: focal length of the picture; its diagonal when left out.
        plan: how wide to search.
        start: bodies of the same picture to start from as well, such as `regress_body` reads.

    Raises:
        KeypointsError: too few of the keypoints are on this body.
    """
    body = body or BodyModel.bundled()
    seen = _visible(keypoints, body)
    skeleton = Skeleton(RestBody.of(body, seen.names))
    focal_px = focal_px or default_focal_px(keypoints.picture_size)
    targets = _targets(seen, focal_px)
    proposed = None if start is None else proposed_poses(start, body)
    found = search(skeleton, PosePrior(), targets, plan or SearchPlan(), proposed)
    return _result(seen, skeleton, targets, found, body.beta_space)


def _visible(keypoints: Keypoints, body: BodyModel) -> Keypoints:
    """Keep seen keypoints that the body has; drop middles of two others that are there."""
    confidence = dict(zip(keypoints.names, keypoints.confidence, strict=True))
    names = [name for name in known_names(body, keypoints.names) if confidence[name] > FAINTEST]
    names = [name for name in names if not set(MIDDLES.get(name, (name + "?",))) <= set(names)]
    if len(names) < FEWEST:
        raise KeypointsError(
            f"Only {len(names)} keypoints of use are seen ({', '.join(names) or 'none'}); a fit "
            f"needs at least {FEWEST}."
        )
    return keypoints.only(names)


def _targets(seen: Keypoints, focal_px: float) -> Targets:
    height, width = seen.picture_size
    sigma_px = SPREAD * np.ptp(seen.xy, axis=0).max()
    return Targets(
        pixels=seen.xy[None].astype(np.float64),
        weight=np.sqrt(seen.confidence)[None] / sigma_px,
        focal_px=np.array([focal_px], dtype=np.float64),
        center=np.array([[width / 2.0, height / 2.0]]),
    )


def _result(
    seen: Keypoints, skeleton: Skeleton, targets: Targets, found: Found, beta_space: str
) -> FitResult:
    posed = skeleton.place(found.pose)
    projected = FitEnergy(skeleton, PosePrior(), targets).project(posed.points)[0]
    error = np.linalg.norm(projected - seen.xy, axis=1)
    sigma_px = SPREAD * np.ptp(seen.xy, axis=0).max()
    worth = seen.confidence / (1.0 + (error / (4.0 * sigma_px)) ** 2)
    confidence = joint_confidence(dict(zip(seen.names, worth.tolist(), strict=True)))
    params = HumanParams(
        pose=_tensor(log_map(found.pose.rotations))[None],
        betas=_tensor(found.pose.betas)[None],
        transl=_tensor(found.pose.transl)[None],
        intrinsics=intrinsics_matrix(float(targets.focal_px[0]), seen.picture_size)[None],
        picture_size=seen.picture_size,
        beta_space=beta_space,
        confidence=_tensor(confidence)[None, None],
    )
    return FitResult(
        params=params,
        reprojection_px=float(error.mean()),
        names=seen.names,
        keypoints=seen.xy,
        projected=projected,
        energies=found.energies,
        iterations=found.iterations,
    )


def _tensor(array: ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
