"""Fit the shape of bodies to masks of the people, once keypoints have given the pose.

Keypoints show a body's lengths, hardly its widths. The rotations stay, and each point of the
body's contour is matched to the nearest point of the mask's contour with a similar normal; the
distances along that normal (point to line, as in iterated closest points) are minimised by
Gauss-Newton steps on the betas and the distance. Vertices are linear in the betas while the pose
stays, so the derivative is exact and computed once.

Clothes are wider than the body, so distances to a mask outside of the body weigh less. Contours of
held things, hidden parts and wrongly posed limbs find no match.
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
from .contours import Contour, contour_of
from .data_terms import Targets2D
from .energy import FitEnergy
from .kinematics import Pose, Skeleton
from .search import FINE

logger = logging.getLogger(__name__)

STEPS = 5
SIGMA = 0.01
"""Standard deviation of a point of the contour, as a share of the person's extent."""
INDEPENDENT = 100
"""Independent points that a contour counts for; neighbours are correlated."""
OUTSIDE_WEIGHT = 0.35
"""Weight of points where the mask is outside of the body, as clothes are."""
SHIFT_SIGMA = 0.02
"""Standard deviation of the shift of each body part in the image, as a share of the person's
extent: keypoints are not exact either."""
MATCHED_WITHIN = 0.08
"""Farthest match of two points, as a share of the person's extent."""
FACING = 0.7
"""Least cosine between the normals of two matched points."""
MOST_POINTS = 200
LEAST_OVERLAP = 0.4
"""Share of the body that its mask must cover."""
MOST_FRAMES = 16
"""Frames of a video from which its one shape is found."""


def fit_silhouettes(
    pose: Pose,
    energy: FitEnergy,
    masks: Sequence[Mask | None],
    body: BodyModel,
    *,
    one_shape: bool = False,
) -> Pose:
    """Fit betas and distances to masks; rotations stay.

    Args:
        pose: bodies that were fitted to keypoints, a row each.
        energy: of their fits.
        masks: of each, as `masks.check_mask` returns them; a body without one stays as it is.
        body: that was fitted.
        one_shape: the rows are frames of one person. Masks that do not cover the body are left
            out, with a warning, while most do.

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
        shape, growth = _fit_shape(silhouettes, pose.betas[group].mean(0))
        rows = np.arange(len(betas)) if one_shape else np.array(group)
        betas[rows] = shape
        old, new = (_pelvis_at_rest(energy.skeleton, each) for each in (pose.betas[rows], shape))
        transl[rows] = growth * (transl[rows] + old) - new
    return Pose(pose.rotations, betas, transl)


@dataclass(frozen=True, kw_only=True, eq=False)
class Silhouette:
    """One posed body of unknown shape and distance, and the contour of its mask.

    Its points are `growth pelvis + base[0] + sum_i beta_i base[1 + i]`, metres, camera frame.
    """

    pelvis: Float[ndarray, "3"]
    vertices: Float[ndarray, "basis vertices 3"]
    keypoints: Float[ndarray, "basis points 3"]
    faces: torch.Tensor
    parts: Int[ndarray, " vertices"]
    """The joint that moves each vertex most."""
    targets: Targets2D
    intrinsics: Float[ndarray, "3 3"]
    """Of the cropped and shrunk mask."""
    size: tuple[int, int]
    contour: Contour
    extent: float
    """Of the person, pixels of that mask."""

    @classmethod
    def of(cls, pose: Pose, energy: FitEnergy, mask: Mask, body: BodyModel) -> "Silhouette":
        """Prepare one body; arguments as in `fit_silhouettes`."""
        skeleton, targets = energy.skeleton, energy.image
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
            contour=contour_of(small).thinned(10 * MOST_POINTS),
            extent=float(max(small.shape)) / (1.0 + 2.0 * MARGIN),
        )
        made.check_overlap(pose.betas[0], small)
        return made

    def check_overlap(self, betas: Float[ndarray, "10"], mask: Mask) -> None:
        """Raise ImageError where the mask covers too little of the body."""
        covered = self.rasterized(betas, 1.0).mask[0].numpy()
        share = (covered & mask).sum() / max(covered.sum(), 1)
        if share < LEAST_OVERLAP:
            raise ImageError(
                f"The mask covers {share:.0%} of the body that the keypoints show; expected most "
                "of it. Is it somebody else's, or are inside and outside exchanged?"
            )

    def rasterized(self, betas: Float[ndarray, "10"], growth: float):
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

        The shifts of the parts are eliminated (Schur complement).
        """
        rows, residual = self._keypoint_rows(betas, growth)
        matrix, gradient = rows.T @ rows, rows.T @ residual
        rows, shifted, residual = self._contour_rows(betas, growth)
        both, shifts = rows.T @ shifted, shifted.T @ shifted
        shifts[np.arange(2 * JOINT_COUNT), np.arange(2 * JOINT_COUNT)] += (
            1.0 / (SHIFT_SIGMA * self.extent) ** 2
        )
        kept = rows.T - both @ np.linalg.solve(shifts, shifted.T)
        return matrix + kept @ rows, gradient + kept @ residual

    def _contour_rows(self, betas: ndarray, growth: float) -> tuple[ndarray, ndarray, ndarray]:
        """Match the contours.

        Returns:
            The Jacobian by betas and growth, that by the shift of each part in the image, and
            residuals, all weighted.
        """
        visible = self.rasterized(betas, growth)
        own = contour_of(visible.mask[0].numpy()).thinned(MOST_POINTS)
        if not len(own.row) or not len(self.contour.row):
            return np.zeros((0, BETA_COUNT + 1)), np.zeros((0, 2 * JOINT_COUNT)), np.zeros(0)
        mate, near = _matched(own, self.contour, MATCHED_WITHIN * self.extent)
        own, other = own.take(near), self.contour.take(mate)
        off = (other.normal * (own.xy - other.xy)).sum(-1)
        corners = self.faces.numpy()[visible.face_id[0].numpy()[own.row, own.column]]
        shares = visible.barycentric[0].numpy()[own.row, own.column]
        basis = np.einsum("pc,bpcx->bpx", shares, self.vertices[:, corners])
        across = self._pixel_rows(growth * self.pelvis + _mixed(basis, betas), other.normal)
        sigma = SIGMA * self.extent
        weight = np.sqrt(INDEPENDENT / max(len(off), INDEPENDENT)) / sigma
        weight = (
            weight * np.where(off < 0.0, OUTSIDE_WEIGHT, 1.0) / (1.0 + (off / (3.0 * sigma)) ** 2)
        )
        shifted = np.zeros((len(off), JOINT_COUNT, 2))
        shifted[np.arange(len(off)), self.parts[corners[:, 0]]] = weight[:, None] * other.normal
        rows = weight[:, None] * self._by_unknowns(across, basis)
        return rows, shifted.reshape(len(off), -1), weight * off

    def _keypoint_rows(self, betas: ndarray, growth: float) -> tuple[ndarray, ndarray]:
        """Return the Jacobian and the residuals of the keypoints, weighted."""
        points = growth * self.pelvis + _mixed(self.keypoints, betas)
        off = self.targets.residual(points[None])[0]
        robust = 1.0 / (1.0 + (off**2).sum(-1) / FINE.weights.outlier_sigmas**2)
        rows = self.targets.rows(points[None])[0] * robust[:, None, None]
        both = [self._by_unknowns(rows[:, axis], self.keypoints) for axis in (0, 1)]
        return np.concatenate(both), (off * robust[:, None]).T.reshape(-1)

    def _pixel_rows(self, points: ndarray, normal: ndarray) -> ndarray:
        """Differentiate the projection along each normal by the point in the camera frame."""
        focal = self.intrinsics[[0, 1], [0, 1]]
        xy, z = points[:, :2], points[:, 2:]
        along = normal * focal / z
        return np.concatenate([along, -(along * xy).sum(-1, keepdims=True) / z], -1)

    def _by_unknowns(self, rows: ndarray, basis: ndarray) -> ndarray:
        """Turn derivatives by points into derivatives by betas and growth."""
        return np.concatenate(
            [np.einsum("px,bpx->pb", rows, basis[1:]), (rows @ self.pelvis)[:, None]], -1
        )


def _fit_shape(
    silhouettes: Sequence[Silhouette], betas: Float[ndarray, "10"]
) -> tuple[Float[ndarray, "10"], float]:
    """Return the betas of all of them, and the factor of their distances."""
    growth, prior = 1.0, FINE.weights.shape
    for _ in range(STEPS):
        parts = [one.normal_equations(betas, growth) for one in silhouettes]
        matrix, gradient = (np.sum(part, axis=0) for part in zip(*parts, strict=True))
        matrix[np.arange(BETA_COUNT), np.arange(BETA_COUNT)] += prior
        gradient[:BETA_COUNT] += prior * betas
        step = -np.linalg.solve(matrix + 1e-6 * np.eye(BETA_COUNT + 1), gradient)
        betas, growth = betas + step[:BETA_COUNT], growth + step[BETA_COUNT]
    return betas, float(growth)


def _matched(own: Contour, other: Contour, within: float) -> tuple[ndarray, ndarray]:
    """Match each point to the nearest of `other` with a similar normal.

    Returns:
        The matches, and which points of `own` have one.
    """
    squared = ((own.xy[:, None] - other.xy) ** 2).sum(-1)
    squared[own.normal @ other.normal.T < FACING] = np.inf
    mate = squared.argmin(1)
    near = np.flatnonzero(squared[np.arange(len(mate)), mate] < within**2)
    return mate[near], near


def _vertex_basis(pose: Pose, body: BodyModel) -> Float[ndarray, "11 vertices 3"]:
    """Return the vertices from the pelvis: at zero betas, then the change with each beta."""
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
    """Return the same of the keypoints."""
    shapes = np.concatenate([np.zeros((1, BETA_COUNT)), np.eye(BETA_COUNT)])
    turned = np.broadcast_to(pose.rotations, (BETA_COUNT + 1, *pose.rotations.shape[1:]))
    placed = skeleton.place(Pose(turned, shapes, np.zeros((BETA_COUNT + 1, 3))))
    about = placed.points - placed.joints[:, :1]
    about[1:] -= about[:1]
    return about


def _mixed(basis: ndarray, betas: Float[ndarray, "10"]) -> ndarray:
    return basis[0] + np.tensordot(betas, basis[1:], axes=1)


def _pelvis_at_rest(skeleton: Skeleton, betas: ndarray) -> ndarray:
    """Return the pelvis before translation: the root turns about it."""
    return skeleton.bones[0] + betas @ skeleton.bone_shape[0].T
