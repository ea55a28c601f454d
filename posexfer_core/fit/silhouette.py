"""Fit the shape of bodies to masks of the people, once keypoints have told the pose.

Keypoints tell how long a body is, hardly how wide. Here the pose stays, and the outline of the body
is laid along that of the mask: each point of it is drawn to the nearest point of the mask's outline
that faces the same way, along that one's normal (point to line, as in iterated closest points), by
Gauss-Newton steps on the betas and the distance. Vertices are linear in the betas as long as the
pose stays, so that the derivative is exact and found once.

Clothes are wider than the body, so a mask pulls less where it is outside. What faces another way or
is far off (things held, limbs behind something, limbs posed wrongly) does not pull.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from ..body.model import BodyModel
from ..conventions import BETA_COUNT, JOINT_COUNT
from ..errors import ImageError
from ..geometry.rasterize import rasterize
from ..keypoints.masks import MARGIN, Mask, shrunk, window
from .contours import Outline, outline_of
from .data_terms import Targets
from .energy import FitEnergy
from .kinematics import Pose, Skeleton
from .search import FINE

logger = logging.getLogger(__name__)

STEPS = 5
SPREAD = 0.01
"""Standard deviation of a point of the outline, as a share of the person's extent."""
INDEPENDENT = 100
"""What all points of an outline count for; neighbours tell much the same."""
LOOSE = 0.35
"""Weight of points where the mask is outside of the body, as clothes are."""
ASIDE = 0.02
"""How far each part of the body may lie beside its place, for keypoints are not exact either:
standard deviation, as a share of the person's extent."""
REACH = 0.08
"""How far a point looks for the mask's outline, as a share of the person's extent."""
FACING = 0.7
"""Least cosine between the normals of two points that may be the same."""
MOST_POINTS = 200
LEAST_OVERLAP = 0.4
"""Share of the body that its mask must cover."""
MOST_FRAMES = 16
"""Frames of a video from which its one shape is found."""


def fit_outlines(
    pose: Pose,
    energy: FitEnergy,
    masks: Sequence[Mask | None],
    body: BodyModel,
    *,
    one_shape: bool = False,
) -> Pose:
    """Find betas and distances with which bodies fill their masks; the turns stay.

    Args:
        pose: bodies that were fitted to keypoints, a row each.
        energy: what was seen of them.
        masks: of each, as `masks.check_mask` returns them; None where there is none, and
            nothing changes.
        body: that was fitted.
        one_shape: the rows are frames of one person. Masks that are elsewhere are left out, with
            a warning, while most are where the body is.

    Raises:
        ImageError: a mask covers little of its body: it is of somebody else, or inverted.
    """
    masked = [row for row, mask in enumerate(masks) if mask is not None]
    if not masked:
        return pose
    groups = [masked] if one_shape else [[row] for row in masked]
    betas, transl = pose.betas.copy(), pose.transl.copy()
    for group in groups:
        chosen = group[:: -(-len(group) // MOST_FRAMES)]
        silhouettes, refused = [], []
        for row in chosen:
            one, mask = np.array([row]), masks[row]
            assert mask is not None, "rows without a mask are in no group"
            try:
                silhouettes.append(Silhouette.of(pose.take(one), energy.take(one), mask, body))
            except ImageError as error:
                if not one_shape:
                    raise
                refused.append(f"Frame {row}: {error}")
        if 2 * len(refused) >= len(chosen):
            raise ImageError(refused[0])
        for sentence in refused:
            logger.warning("%s This mask is left out.", sentence)
        shape, growth = _descend(silhouettes, pose.betas[group].mean(0))
        rows = np.arange(len(betas)) if one_shape else np.array(group)
        betas[rows] = shape
        old, new = (_pelvis_at_rest(energy.skeleton, each) for each in (pose.betas[rows], shape))
        transl[rows] = growth * (transl[rows] + old) - new
    return Pose(pose.rotations, betas, transl)


@dataclass(frozen=True, kw_only=True, eq=False)
class Silhouette:
    """One posed body of unknown shape and distance, and the outline it should have.

    Its points are `growth pelvis + base[0] + sum_i beta_i base[1 + i]`, metres, camera frame.
    """

    pelvis: Float[ndarray, "3"]
    vertices: Float[ndarray, "basis vertices 3"]
    keypoints: Float[ndarray, "basis points 3"]
    faces: torch.Tensor
    parts: Int[ndarray, " vertices"]
    """The joint that moves each vertex most."""
    targets: Targets
    intrinsics: Float[ndarray, "3 3"]
    """Of the working image."""
    size: tuple[int, int]
    outline: Outline
    extent: float
    """Of the person, working pixels."""

    @classmethod
    def of(cls, pose: Pose, energy: FitEnergy, mask: Mask, body: BodyModel) -> "Silhouette":
        """Prepare one body; see `fit_outlines`."""
        skeleton, targets = energy.skeleton, energy.targets
        placed = skeleton.place(pose)
        corner, box = window(mask, targets.pixels[0, targets.weight[0] > 0.0])
        small, scale = shrunk(box)
        intrinsics = np.diag([targets.focal_px[0] * scale[0], targets.focal_px[0] * scale[1], 1.0])
        intrinsics[:2, 2] = (targets.center[0] - corner) * scale
        made = cls(
            pelvis=placed.joints[0, 0],
            vertices=_vertex_basis(pose, body),
            keypoints=_keypoint_basis(pose, skeleton),
            faces=body.faces.cpu(),
            parts=body.parts.cpu().numpy(),
            targets=targets,
            intrinsics=intrinsics,
            size=small.shape,
            outline=outline_of(small).thinned(10 * MOST_POINTS),
            extent=float(max(small.shape)) / (1.0 + 2.0 * MARGIN),
        )
        made.check_overlap(pose.betas[0], small)
        return made

    def check_overlap(self, betas: Float[ndarray, "10"], mask: Mask) -> None:
        """Refuse a mask that is elsewhere."""
        covered = self.seen(betas, 1.0).mask[0].numpy()
        share = (covered & mask).sum() / max(covered.sum(), 1)
        if share < LEAST_OVERLAP:
            raise ImageError(
                f"The mask covers {share:.0%} of the body that the keypoints show; expected most "
                "of it. Is it somebody else's, or are inside and outside exchanged?"
            )

    def seen(self, betas: Float[ndarray, "10"], growth: float):
        """Rasterise the body."""
        vertices = growth * self.pelvis + _mixed(self.vertices, betas)
        return rasterize(
            torch.from_numpy(vertices).float()[None],
            self.faces,
            torch.from_numpy(self.intrinsics).float()[None],
            self.size,
        )

    def normal_equations(
        self, betas: Float[ndarray, "10"], growth: float
    ) -> tuple[Float[ndarray, "11 11"], Float[ndarray, "11"]]:
        """Return the Gauss-Newton matrix and half the gradient by betas and growth.

        How far every part lies beside its place is solved for and taken out (Schur complement).
        """
        rows, residual = self._keypoint_rows(betas, growth)
        matrix, gradient = rows.T @ rows, rows.T @ residual
        rows, aside, residual = self._outline_rows(betas, growth)
        both, shifts = rows.T @ aside, aside.T @ aside
        shifts[np.arange(2 * JOINT_COUNT), np.arange(2 * JOINT_COUNT)] += (
            1.0 / (ASIDE * self.extent) ** 2
        )
        kept = rows.T - both @ np.linalg.solve(shifts, aside.T)
        return matrix + kept @ rows, gradient + kept @ residual

    def _outline_rows(self, betas: ndarray, growth: float) -> tuple[ndarray, ndarray, ndarray]:
        """Compare the outlines.

        Returns:
            The Jacobian by betas and growth, that by the shift of each part in the image, and
            residuals, all weighted.
        """
        visible = self.seen(betas, growth)
        own = outline_of(visible.mask[0].numpy()).thinned(MOST_POINTS)
        if not len(own.row) or not len(self.outline.row):
            return np.zeros((0, BETA_COUNT + 1)), np.zeros((0, 2 * JOINT_COUNT)), np.zeros(0)
        mate, near = _matched(own, self.outline, REACH * self.extent)
        own, other = own.take(near), self.outline.take(mate)
        off = (other.normal * (own.xy - other.xy)).sum(-1)
        corners = self.faces.numpy()[visible.face_id[0].numpy()[own.row, own.column]]
        shares = visible.barycentric[0].numpy()[own.row, own.column]
        basis = np.einsum("pc,bpcx->bpx", shares, self.vertices[:, corners])
        across = self._pixel_rows(growth * self.pelvis + _mixed(basis, betas), other.normal)
        sigma = SPREAD * self.extent
        weight = np.sqrt(INDEPENDENT / max(len(off), INDEPENDENT)) / sigma
        weight = weight * np.where(off < 0.0, LOOSE, 1.0) / (1.0 + (off / (3.0 * sigma)) ** 2)
        aside = np.zeros((len(off), JOINT_COUNT, 2))
        aside[np.arange(len(off)), self.parts[corners[:, 0]]] = weight[:, None] * other.normal
        rows = weight[:, None] * self._by_unknowns(across, basis)
        return rows, aside.reshape(len(off), -1), weight * off

    def _keypoint_rows(self, betas: ndarray, growth: float) -> tuple[ndarray, ndarray]:
        """Hold the keypoints: rows of the Jacobian and residuals, weighted."""
        points = growth * self.pelvis + _mixed(self.keypoints, betas)
        off = self.targets.residual(points[None])[0]
        trust = 1.0 / (1.0 + (off**2).sum(-1) / FINE.weights.outlier_sigmas**2)
        rows = self.targets.rows(points[None])[0] * trust[:, None, None]
        both = [self._by_unknowns(rows[:, axis], self.keypoints) for axis in (0, 1)]
        return np.concatenate(both), (off * trust[:, None]).T.reshape(-1)

    def _pixel_rows(self, points: ndarray, normal: ndarray) -> ndarray:
        """Differentiate the projection along each normal by the point in the camera frame."""
        focal = self.intrinsics[[0, 1], [0, 1]]
        xy, z = points[:, :2], points[:, 2:]
        along = normal * focal / z
        return np.concatenate([along, -(along * xy).sum(-1, keepdims=True) / z], -1)

    def _by_unknowns(self, rows: ndarray, basis: ndarray) -> ndarray:
        """Carry derivatives by points to derivatives by betas and growth."""
        return np.concatenate(
            [np.einsum("px,bpx->pb", rows, basis[1:]), (rows @ self.pelvis)[:, None]], -1
        )


def _descend(
    silhouettes: Sequence[Silhouette], betas: Float[ndarray, "10"]
) -> tuple[Float[ndarray, "10"], float]:
    """Find the betas of all of them, and the factor of their distances."""
    growth, prior = 1.0, FINE.weights.shape
    for _ in range(STEPS):
        parts = [one.normal_equations(betas, growth) for one in silhouettes]
        matrix, gradient = (np.sum(part, axis=0) for part in zip(*parts, strict=True))
        matrix[np.arange(BETA_COUNT), np.arange(BETA_COUNT)] += prior
        gradient[:BETA_COUNT] += prior * betas
        step = -np.linalg.solve(matrix + 1e-6 * np.eye(BETA_COUNT + 1), gradient)
        betas, growth = betas + step[:BETA_COUNT], growth + step[BETA_COUNT]
    return betas, float(growth)


def _matched(own: Outline, other: Outline, reach: float) -> tuple[ndarray, ndarray]:
    """Find for each point the nearest of `other` that faces its way; then which have found one."""
    squared = ((own.xy[:, None] - other.xy) ** 2).sum(-1)
    squared[own.normal @ other.normal.T < FACING] = np.inf
    mate = squared.argmin(1)
    near = np.flatnonzero(squared[np.arange(len(mate)), mate] < reach**2)
    return mate[near], near


def _vertex_basis(pose: Pose, body: BodyModel) -> Float[ndarray, "11 vertices 3"]:
    """Place the vertices about the pelvis: without betas, and what each beta adds."""
    turned = torch.from_numpy(pose.rotations).to(body.v_template)
    with torch.no_grad():
        shapes = torch.cat([torch.zeros(1, BETA_COUNT), torch.eye(BETA_COUNT)]).to(turned)
        placed = body(
            turned.expand(BETA_COUNT + 1, -1, -1, -1), shapes, torch.zeros_like(shapes[:, :3])
        )
        about = (placed.vertices - placed.joints[:, :1]).cpu().double().numpy()
    about[1:] -= about[:1]
    return about


def _keypoint_basis(pose: Pose, skeleton: Skeleton) -> Float[ndarray, "11 points 3"]:
    """Do the same for the keypoints."""
    shapes = np.concatenate([np.zeros((1, BETA_COUNT)), np.eye(BETA_COUNT)])
    turned = np.broadcast_to(pose.rotations, (BETA_COUNT + 1, *pose.rotations.shape[1:]))
    placed = skeleton.place(Pose(turned, shapes, np.zeros((BETA_COUNT + 1, 3))))
    about = placed.points - placed.joints[:, :1]
    about[1:] -= about[:1]
    return about


def _mixed(basis: ndarray, betas: Float[ndarray, "10"]) -> ndarray:
    return basis[0] + np.tensordot(betas, basis[1:], axes=1)


def _pelvis_at_rest(skeleton: Skeleton, betas: ndarray) -> ndarray:
    """Place the pelvis before translation: the root turns about it."""
    return skeleton.bones[0] + betas @ skeleton.bone_shape[0].T
