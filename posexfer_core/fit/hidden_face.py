"""Which way a head faces, by the points of it that a detector misses.

Whoever finds the ears but neither nose nor eyes sees a head from behind; whoever finds one ear sees
that side. A point that is missed while others of the head are found looks away from the camera: the
normal of the skin there, times the direction of view, is positive. Where it is not, the residual is
that product's size, robustly, for hair and hats hide points too. Points that are found need no such
term: where they are says more.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..body.joints import ANCESTORS, JOINT_NAMES
from ..body.model import BodyModel
from ..keypoints.keypoint_placement import PLACEMENTS, known_names
from ..keypoints.keypoints import FAINTEST, Keypoints

HEAD = JOINT_NAMES.index("head")
FACE = ("nose", "l_eye", "r_eye", "l_ear", "r_ear")
FOUND = 0.3
"""Confidence from which a point counts as found."""
SIGMA = 0.25
"""Standard deviation of the product for a point that is missed for this reason."""
OUTLIER_SIGMAS = 2.0
"""Geman-McClure's `rho`; points missed for other reasons are common."""


class HiddenFace:
    """The missed points of a batch of heads.

    Args:
        normals: out of the skin at rest; zero for points that are not missed.
        view: from the camera to the head, unit length.
    """

    def __init__(
        self,
        normals: Float[ndarray, "batch points 3"],
        view: Float[ndarray, "batch 3"],
    ) -> None:
        self.normals, self.view = normals, view

    @classmethod
    def of(
        cls,
        people: Sequence[Keypoints],
        body: BodyModel,
        focal_px: Float[ndarray, " batch"],
        center: Float[ndarray, "batch 2"],
    ) -> "HiddenFace | None":
        """Look which points of each face are missed; None where nobody's are."""
        names = known_names(body, FACE)
        missed, view = np.zeros((len(people), len(names)), bool), np.zeros((len(people), 3))
        view[:, 2] = 1.0
        for row, one in enumerate(people):
            confidence = dict(zip(one.names, one.confidence, strict=True))
            found = [one.names.index(name) for name in names if confidence.get(name, 0.0) >= FOUND]
            if found:
                missed[row] = [confidence.get(name, 1.0) <= FAINTEST for name in names]
                view[row, :2] = (one.xy[found].mean(0) - center[row]) / focal_px[row]
        if not missed.any():
            return None
        normals = missed[..., None] * _normals(body, names)
        return cls(normals, view / np.linalg.norm(view, axis=1, keepdims=True))

    def take(self, index: ndarray) -> "HiddenFace":
        """Pick some heads."""
        return HiddenFace(self.normals[index], self.view[index])

    def forget(self, rows: ndarray) -> None:
        """Count nothing as missed of some heads."""
        self.normals[rows] = 0.0

    def energy(self, world: Float[ndarray, "batch joints 3 3"]) -> Float[ndarray, " batch"]:
        """Sum the robust squares of what faces the camera and should not."""
        squared = self._residual(world) ** 2
        return (squared / (1.0 + squared / OUTLIER_SIGMAS**2)).sum(1)

    def add_terms(
        self,
        matrix: Float[ndarray, "batch unknowns unknowns"],
        gradient: Float[ndarray, "batch unknowns"],
        world: Float[ndarray, "batch joints 3 3"],
        active: ndarray,
    ) -> None:
        """Add the Gauss-Newton terms of the turns of every joint that the head hangs on.

        Args:
            matrix: three unknowns for each of `active`, then others.
            gradient: likewise.
            world: rotation of each joint from the rest frame.
            active: the joints that turn.
        """
        slots = np.flatnonzero(ANCESTORS[HEAD, active])
        columns = (3 * slots[:, None] + np.arange(3)).ravel()
        residual = self._residual(world)
        trust = 1.0 / (1.0 + (residual / OUTLIER_SIGMAS) ** 2)
        # a turn d of joint a moves a normal by (G_a d) x n, and -n . v by -(G_a d) . (n x v)
        torque = np.cross(self._turned(world), self.view[:, None]) / SIGMA
        torque[residual <= 0.0] = 0.0
        slope = -np.einsum("bpx,bjxy->bpjy", torque, world[:, active[slots]])
        slope = slope.reshape(*residual.shape, -1) * trust[..., None]
        gradient[:, columns] += np.einsum("bp,bpu->bu", residual * trust, slope)
        matrix[:, columns[:, None], columns] += slope.swapaxes(1, 2) @ slope

    def _turned(self, world: ndarray) -> Float[ndarray, "batch points 3"]:
        return self.normals @ world[:, HEAD].swapaxes(1, 2)

    def _residual(self, world: ndarray) -> Float[ndarray, "batch points"]:
        towards = -(self._turned(world) * self.view[:, None]).sum(-1)
        return np.maximum(towards, 0.0) / SIGMA


def _normals(body: BodyModel, names: Sequence[str]) -> Float[ndarray, "points 3"]:
    """Average the normals of the faces around points of the face, at rest, weighted by area."""
    template, faces = body.v_template.cpu().double().numpy(), body.faces.cpu().numpy()
    normals = np.zeros((len(names), 3))
    for row, name in enumerate(names):
        around = template[faces[(faces == body.keypoint_vertices[PLACEMENTS[name].vertex]).any(1)]]
        total = np.cross(around[:, 1] - around[:, 0], around[:, 2] - around[:, 0]).sum(0)
        normals[row] = total / np.linalg.norm(total)
    return normals
