"""The 3D joints of one person, as other estimators give them, under the names of the keypoints."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import KeypointsError
from ..geometry.camera_conversions import SURELY_UPRIGHT, nearest_axis
from .keypoints import FEWEST
from .layouts import LAYOUTS_3D, MEDIAPIPE33

FARTHEST_M = 1e6
"""Coordinates beyond it are errors, whatever the unit."""
EXTENT_M = (0.1, 10.0)
"""Smallest and largest extent of a person."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Joints3D:
    """One person's joints in space; where the origin is does not matter."""

    xyz: Float[ndarray, "points 3"]
    """Metres; x right, y down, z away from the camera."""
    confidence: Float[ndarray, " points"]
    """0 (not known) to 1."""
    names: tuple[str, ...]
    """Of `layouts`: keypoints, or SMPL's joints as in `SMPL24`."""
    arms_alone: bool = False
    """Trunk and legs lie better where the pose lifter puts them."""

    def __post_init__(self) -> None:
        """Refuse what no body can be fitted to."""
        known = self.confidence > 0.0
        if known.sum() < FEWEST or not (np.abs(self.xyz) < FARTHEST_M).all():
            raise KeypointsError(
                f"The person has {int(known.sum())} usable 3D joints; a fit needs at least "
                f"{FEWEST}, all of them finite numbers."
            )
        extent = float(np.ptp(self.xyz[known], axis=0).max())
        if not EXTENT_M[0] < extent < EXTENT_M[1]:
            raise KeypointsError(
                f"The 3D joints span {extent:.3g} m, expected a person in metres. Are they in "
                "millimetres, or shares of the image?"
            )


def name_joints(
    points: Float[ndarray, "points 3"], confidence: Float[ndarray, " points"] | None = None
) -> Joints3D:
    """Name 3D joints by how many there are, and drop those that are not used.

    Args:
        points: as many as one of `LAYOUTS_3D` has, metres; x right, y down, z away from the
            camera.
        confidence: of each; ones when left out.

    Raises:
        KeypointsError: there is another number of joints, or no body can be fitted to them.
    """
    if len(points) not in LAYOUTS_3D:
        raise KeypointsError(
            f"There are {len(points)} 3D joints, expected {', '.join(map(str, LAYOUTS_3D))} "
            "(SMPL's bodies, MediaPipe, SAM 3D Body)."
        )
    layout = LAYOUTS_3D[len(points)]
    used = [index for index, name in enumerate(layout) if name]
    confidence = np.ones(len(points)) if confidence is None else np.clip(confidence, 0.0, 1.0)
    return Joints3D(
        xyz=np.asarray(points, dtype=np.float64)[used],
        confidence=np.asarray(confidence, dtype=np.float64)[used],
        names=tuple(layout[index] for index in used),
        arms_alone=layout is MEDIAPIPE33,
    )


def standing_axis(joints: Float[ndarray, "frames points 3"]) -> str | None:
    """Let trunks and thighs of all frames vote on the axis along which people stand.

    Args:
        joints: in an order of `LAYOUTS_3D`.

    Returns:
        A name in `camera_conversions.UP`; None where they stand along none of them.
    """
    layout = LAYOUTS_3D[joints.shape[1]]
    ending = "_joint" if "l_hip_joint" in layout else ""
    corners = joints[
        :,
        [
            [layout.index(f"{side}_{part}{ending}") for side in "lr"]
            for part in ("shoulder", "hip", "knee")
        ],
    ]
    known = (np.abs(corners) < FARTHEST_M).all((1, 2, 3))
    shoulders, hips, knees = corners[known].mean(2).swapaxes(0, 1)
    parts = np.stack([shoulders - hips, hips - knees])
    units = parts / np.maximum(np.linalg.norm(parts, axis=-1, keepdims=True), 1e-9)
    upright = units.sum((0, 1)) / max(2 * known.sum(), 1)
    return nearest_axis(upright, SURELY_UPRIGHT)
