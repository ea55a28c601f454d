"""The 3D joints of one person, as other estimators give them, under the names of the keypoints."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..body.joints import JOINT_NAMES
from ..errors import KeypointsError
from .raw_people import FEWEST

SMPL24 = tuple(f"{name}_joint" for name in JOINT_NAMES)
"""SMPL's joints themselves, such as NLF's."""

MEDIAPIPE33 = (
    ("nose", "", "l_eye", "", "", "r_eye", "", "l_ear", "r_ear", "", "")
    + tuple(f"{side}_{part}" for part in ("shoulder", "elbow", "wrist") for side in ("l", "r"))
    + ("",) * 6
    + tuple(
        f"{side}_{part}"
        for part in ("hip", "knee", "ankle", "heel", "big_toe")
        for side in ("l", "r")
    )
)
"""MediaPipe's pose landmarks; "" marks points that are not used."""

_MHR = {
    **dict(enumerate(("nose", "l_eye", "r_eye", "l_ear", "r_ear"))),
    **dict(enumerate(("l_shoulder", "r_shoulder", "l_elbow", "r_elbow"), start=5)),
    **dict(enumerate(("l_hip", "r_hip", "l_knee", "r_knee", "l_ankle", "r_ankle"), start=9)),
    **dict(enumerate(("l_big_toe", "l_small_toe", "l_heel"), start=15)),
    **dict(enumerate(("r_big_toe", "r_small_toe", "r_heel"), start=18)),
    32: "r_knuckle",
    41: "r_wrist",
    53: "l_knuckle",
    62: "l_wrist",
}
MHR70 = tuple(_MHR.get(index, "") for index in range(70))
"""SAM 3D Body's keypoints."""

LAYOUTS_3D = {24: SMPL24, 33: MEDIAPIPE33, 70: MHR70}
"""Layout by the number of its points."""

FARTHEST_M = 1e6
"""Coordinates beyond it are errors, whatever the unit."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Joints3D:
    """One person's joints in space; where the origin is does not matter."""

    xyz: Float[ndarray, "points 3"]
    """Metres; x right, y down, z away from the camera."""
    confidence: Float[ndarray, " points"]
    """0 (not known) to 1."""
    names: tuple[str, ...]
    """Keypoints of `layouts`, or SMPL's joints as in `SMPL24`."""

    def __post_init__(self) -> None:
        """Refuse what no body can be fitted to."""
        known = self.confidence > 0.0
        if known.sum() < FEWEST or not (np.abs(self.xyz) < FARTHEST_M).all():
            raise KeypointsError(
                f"The person has {int(known.sum())} usable 3D joints; a fit needs at least "
                f"{FEWEST}, all of them finite numbers."
            )
        extent = float(np.ptp(self.xyz[known], axis=0).max())
        if not 0.1 < extent < 10.0:
            raise KeypointsError(
                f"The 3D joints span {extent:.3g} m, expected a person in metres. Are they in "
                "millimetres, or shares of the image?"
            )


def used_joints(count: int) -> list[int]:
    """List which of so many joints have a name: 24 of SMPL, 33 of MediaPipe, 70 of SAM 3D Body."""
    if count not in LAYOUTS_3D:
        raise KeypointsError(
            f"There are {count} 3D joints, expected {', '.join(map(str, LAYOUTS_3D))} "
            "(SMPL, MediaPipe, SAM 3D Body)."
        )
    return [index for index, name in enumerate(LAYOUTS_3D[count]) if name]


def name_joints(
    points: Float[ndarray, "points 3"], confidence: Float[ndarray, " points"] | None = None
) -> Joints3D:
    """Name 3D joints by how many there are.

    Args:
        points: metres; x right, y down, z away from the camera.
        confidence: of each; ones when left out.
    """
    used = used_joints(len(points))
    trust = np.ones(len(points)) if confidence is None else np.clip(confidence, 0.0, 1.0)
    return Joints3D(
        xyz=np.asarray(points, dtype=np.float64)[used],
        confidence=np.asarray(trust, dtype=np.float64)[used],
        names=tuple(LAYOUTS_3D[len(points)][index] for index in used),
    )
