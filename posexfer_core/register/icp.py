"""Iterated closest points: pair up the surfaces, take one damped step, again.

`E = sum (W (x / s - m))^2 / sigma^2 + pose prior + shape prior + scale prior`, over pairs of a
skin point `x` and a point `m` of the mesh with normal `n`; `W = n n^T + slide (1 - n n^T)` lets
skin slide along the mesh. Distances are those of the unscaled mesh, so that shrinking is no gain.
Pairs far apart stop pulling (Geman-McClure).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from ..conventions import BETA_COUNT, JOINT_COUNT
from ..fit.batch import stack
from ..fit.kinematics import Pose
from ..fit.pose_prior import PosePrior
from ..geometry.point_clouds import OrientedPoints, with_normals
from ..geometry.so3 import exp_map
from .skinned_points import UNKNOWNS, PosedSkin, SkinRig

POINTS_THAT_COUNT = 300.0
"""Pairs are many but not independent; this many are."""
SCALES = (0.7, 1.4)
"""How far a mesh without a unit may shrink and grow."""
CAP_M = 0.3
"""Larger distances count as this."""
LARGEST_TURN = 0.5
"""Radians a joint may turn in one step."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Steps with one set of weights; pairs are found anew before each step."""

    steps: int
    reach_m: float
    """Distance at which a pair counts a quarter."""
    slide: float = 0.3
    """Stiffness along the surface, over that across it."""
    sigma_m: float = 0.01
    """Spread of the distances that is usual."""
    pose: float = 1.0
    """Weight of the pose prior."""
    shape: float = 1.0
    """Weight of the squared betas."""
    rigid: bool = False
    """Move only the root and the translation."""
    scale: bool = False
    """Move the scale too, where it is not known."""


@dataclass
class Fitted:
    """A batch of bodies laid onto one mesh that is scaled by `scale`."""

    pose: Pose
    scale: Float[ndarray, " batch"]

    def take(self, index: ndarray) -> "Fitted":
        """Copy some of the bodies."""
        return Fitted(self.pose.take(index), self.scale[index])


def join(parts: list[Fitted]) -> Fitted:
    """Join batches, in order."""
    return Fitted(stack([one.pose for one in parts]), np.concatenate([one.scale for one in parts]))


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Which skin point belongs to which point of the mesh; one row for each body."""

    skin: Int[ndarray, "batch pairs"]
    place: Float[ndarray, "batch pairs 3"]
    """On the mesh, before its scale."""
    normal: Float[ndarray, "batch pairs 3"]


class ICP:
    """ICP of a batch of bodies on one mesh."""

    def __init__(self, rig: SkinRig, mesh: OrientedPoints, *, scale_sigma: float) -> None:
        """Prepare.

        Args:
            rig: skin points that are paired with the mesh.
            mesh: points of the mesh.
            scale_sigma: how far the mesh's scale is unknown, in its logarithm; 0 holds it.
        """
        self.rig, self.mesh, self.scale_sigma = rig, mesh, scale_sigma
        self.prior = PosePrior()
        self._tree = mesh.tree()

    def run(self, fitted: Fitted, phase: Phase, *, seekers: int) -> Fitted:
        """Take the steps of one phase.

        Args:
            fitted: where to begin.
            phase: weights.
            seekers: how many points of the mesh are paired with the skin as well.
        """
        for _ in range(phase.steps):
            skin = self.rig.place(fitted.pose)
            pairs = self.pairs(fitted, skin, seekers)
            fitted = self._step(fitted, skin, pairs, phase)
        return fitted

    def pairs(self, fitted: Fitted, skin: PosedSkin, seekers: int) -> Pairs:
        """Pair every skin point with the mesh, and `seekers` points of the mesh with the skin."""
        wanted = with_normals(skin.points / fitted.scale[:, None, None], skin.normals)
        found = self._tree.query(wanted)[1]
        batch, points = found.shape
        own = np.broadcast_to(np.arange(points), found.shape)
        chosen = np.arange(min(seekers, len(self.mesh.points)))
        skins = np.empty((batch, len(chosen)), np.int64)
        for row in range(batch):
            own_points = OrientedPoints(points=wanted[row, :, :3], normals=skin.normals[row])
            sought = with_normals(self.mesh.points[chosen], self.mesh.normals[chosen])
            skins[row] = own_points.tree().query(sought)[1]
        meshes = np.concatenate([found, np.broadcast_to(chosen, skins.shape)], axis=1)
        return Pairs(
            skin=np.concatenate([own, skins], axis=1),
            place=self.mesh.points[meshes],
            normal=self.mesh.normals[meshes],
        )

    def distances(self, fitted: Fitted, seekers: int) -> Float[ndarray, "batch pairs"]:
        """Measure how far mesh and skin lie apart in all pairs: metres, far ones capped.

        At the mesh's own scale.
        """
        skin = self.rig.place(fitted.pose)
        pairs = self.pairs(fitted, skin, seekers)
        places = _skin_places(skin, pairs, fitted.scale)
        return np.minimum(np.linalg.norm(places - pairs.place, axis=-1), CAP_M)

    def spread(self, fitted: Fitted, seekers: int) -> Float[ndarray, " batch"]:
        """Measure how far skin and mesh lie apart across the mesh, on average, metres."""
        skin = self.rig.place(fitted.pose)
        pairs = self.pairs(fitted, skin, seekers)
        gap = _skin_places(skin, pairs, fitted.scale) - pairs.place
        return np.minimum(np.abs((gap * pairs.normal).sum(-1)), CAP_M).mean(1)

    def _step(self, fitted: Fitted, skin: PosedSkin, pairs: Pairs, phase: Phase) -> Fitted:
        """Solve the linearised energy once."""
        matrix, gradient = self._linearise(fitted, skin, pairs, phase)
        free = self._free(phase)
        matrix, gradient = matrix[:, free[:, None], free], gradient[:, free]
        diagonal = np.arange(len(free))
        matrix[:, diagonal, diagonal] = matrix[:, diagonal, diagonal] * 1.001 + 1e-6
        step = np.zeros((len(fitted.scale), UNKNOWNS + 1))
        step[:, free] = -np.linalg.solve(matrix, gradient[..., None])[..., 0]
        turns = step[:, : 3 * JOINT_COUNT].reshape(len(step), JOINT_COUNT, 3)
        angle = np.linalg.norm(turns, axis=-1, keepdims=True)
        turns = turns * np.minimum(1.0, LARGEST_TURN / np.maximum(angle, 1e-12))
        pose = fitted.pose
        return Fitted(
            Pose(
                pose.rotations @ exp_map(turns),
                np.clip(pose.betas + step[:, -BETA_COUNT - 1 : -1], -4.0, 4.0),
                pose.transl + step[:, -BETA_COUNT - 4 : -BETA_COUNT - 1],
            ),
            np.clip(fitted.scale * (1.0 + np.clip(step[:, -1], -0.05, 0.05)), *SCALES),
        )

    def _free(self, phase: Phase) -> Int[ndarray, " free"]:
        """Choose the unknowns that may move."""
        free = np.ones(UNKNOWNS + 1, bool)
        if phase.rigid:
            free[3 : 3 * JOINT_COUNT] = free[-BETA_COUNT - 1 : -1] = False
        free[-1] = self.scale_sigma > 0.0 and phase.scale
        return np.flatnonzero(free)

    def _linearise(
        self, fitted: Fitted, skin: PosedSkin, pairs: Pairs, phase: Phase
    ) -> tuple[Float[ndarray, "batch all all"], Float[ndarray, "batch all"]]:
        """Sum the Gauss-Newton matrix and the gradient; the last unknown is the scale."""
        batch, points = skin.points.shape[:2]
        stiffness, pull = self._springs(fitted, skin, pairs, phase)
        grown = -skin.points[..., None]  # by the logarithm of the scale
        moves = (
            np.concatenate([self.rig.jacobian(skin), grown], axis=-1)
            / fitted.scale[:, None, None, None]
        )
        flat = moves.reshape(batch, 3 * points, UNKNOWNS + 1)
        matrix = flat.swapaxes(1, 2) @ (stiffness @ moves).reshape(flat.shape)
        gradient = (pull.reshape(batch, 1, -1) @ flat)[:, 0]
        self._add_priors(matrix, gradient, fitted, phase)
        return matrix, gradient

    def _springs(
        self, fitted: Fitted, skin: PosedSkin, pairs: Pairs, phase: Phase
    ) -> tuple[Float[ndarray, "batch points 3 3"], Float[ndarray, "batch points 3"]]:
        """Sum `W^T W` and `W^T W gap` of all pairs that a skin point is in."""
        batch, points = skin.points.shape[:2]
        gap = _skin_places(skin, pairs, fitted.scale) - pairs.place
        trust = 1.0 / (1.0 + (gap**2).sum(-1) / phase.reach_m**2)  # root of Geman-McClure's weight
        weight = (trust / phase.sigma_m) ** 2 * (POINTS_THAT_COUNT / pairs.skin.shape[1])
        across = weight * (1.0 - phase.slide**2)
        along = weight * phase.slide**2
        normal = pairs.normal
        values = np.empty((*weight.shape, 12))
        outer = (across[..., None, None] * normal[..., None]) * normal[..., None, :]
        values[..., :9] = (outer + along[..., None, None] * np.eye(3)).reshape(*weight.shape, 9)
        pull = (across * (normal * gap).sum(-1))[..., None] * normal + along[..., None] * gap
        values[..., 9:] = pull
        at = pairs.skin + points * np.arange(batch)[:, None]
        index = (12 * at[..., None] + np.arange(12)).ravel()
        sums = np.bincount(index, values.ravel(), 12 * batch * points).reshape(batch, points, 12)
        return sums[..., :9].reshape(batch, points, 3, 3), sums[..., 9:]

    def _add_priors(self, matrix: ndarray, gradient: ndarray, fitted: Fitted, phase: Phase) -> None:
        terms = self.prior.terms(fitted.pose.rotations, phase.pose)
        rows, columns = (3 * side[:, None] + np.arange(3) for side in self.prior.pairs)
        gradient[:, : 3 * JOINT_COUNT] += terms.gradient.reshape(len(gradient), -1)
        matrix[:, rows[:, :, None], columns[:, None, :]] += terms.curvature
        betas = np.arange(UNKNOWNS - BETA_COUNT, UNKNOWNS)
        matrix[:, betas, betas] += phase.shape
        gradient[:, betas] += phase.shape * fitted.pose.betas
        if self.scale_sigma > 0.0:
            matrix[:, -1, -1] += 1.0 / self.scale_sigma**2
            gradient[:, -1] += np.log(fitted.scale) / self.scale_sigma**2


def _skin_places(skin: PosedSkin, pairs: Pairs, scale: ndarray) -> Float[ndarray, "batch pairs 3"]:
    """Find the skin points of all pairs, where the unscaled mesh is."""
    found = np.take_along_axis(skin.points, pairs.skin[..., None], axis=1)
    return found / scale[:, None, None]
