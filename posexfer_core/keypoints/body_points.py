"""Where each keypoint sits on the body: at a joint, off a joint, or on a vertex of the skin.

Every point rides rigidly on one joint. COCO's hips are marked on the outside of the trousers,
about 2 cm out and up from the joints that SMPL turns the legs in; other sets have them elsewhere,
up to 6 cm from those, so that hips are trusted less than the other points.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from ..body.joints import JOINT_NAMES
from ..body.model import BodyModel


class Place(NamedTuple):
    """Where one keypoint sits."""

    joint: str
    """Joint it rides on."""
    vertex: str = ""
    """Its name in `BodyModel.keypoint_vertices`, for points on the skin."""
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """From the joint at rest, metres."""
    middle_of: tuple[str, ...] = ()
    """Joints whose middle it is at rest, when it is not the joint it rides on."""
    doubt: float = 1.0
    """How many times farther off than others this point may be, for tools disagree where it is."""


LEFT_PLACES: dict[str, Place] = {
    "l_eye": Place("head", vertex="leye"),
    "l_ear": Place("head", vertex="lear"),
    "l_shoulder": Place("l_shoulder"),
    "l_elbow": Place("l_elbow"),
    "l_wrist": Place("l_wrist"),
    "l_knuckle": Place("l_hand"),
    "l_hip": Place("l_hip", offset=(0.02, 0.02, 0.0), doubt=2.0),
    "l_knee": Place("l_knee"),
    "l_ankle": Place("l_ankle"),
    "l_big_toe": Place("l_foot", vertex="LBigToe"),
    "l_small_toe": Place("l_foot", vertex="LSmallToe"),
    "l_heel": Place("l_ankle", vertex="LHeel"),
}

PLACES: dict[str, Place] = {
    "nose": Place("head", vertex="nose"),
    "neck": Place("spine3", middle_of=("l_shoulder", "r_shoulder")),
    "mid_hip": Place("pelvis", offset=(0.0, 0.02, 0.0), middle_of=("l_hip", "r_hip")),
    **LEFT_PLACES,
    **{
        "r_" + name[2:]: Place(
            place.joint.replace("l_", "r_"),
            ("r" if place.vertex[:1] == "l" else "R") + place.vertex[1:] if place.vertex else "",
            (-place.offset[0], *place.offset[1:]),
            doubt=place.doubt,
        )
        for name, place in LEFT_PLACES.items()
    },
    **{f"{name}_joint": Place(name) for name in JOINT_NAMES},
}
"""Every keypoint name that the fit understands; `l_hip_joint` is SMPL's own joint."""

MIDDLES = {
    name: tuple(sorted(place.middle_of)) for name, place in PLACES.items() if place.middle_of
}
"""Points that detectors compute from two others, and which."""


class RestPoints(NamedTuple):
    """Keypoints on the body at rest."""

    joint: Int[ndarray, " points"]
    position: Float[ndarray, "points 3"]
    """At zero betas, metres, rest frame."""
    shape: Float[ndarray, "points 3 10"]
    """Change of `position` with the betas."""


class RestBody(NamedTuple):
    """What the fit needs of a body: joints and keypoints at rest, linear in the betas."""

    joints: Float[ndarray, "24 3"]
    joint_shape: Float[ndarray, "24 3 10"]
    points: RestPoints

    @classmethod
    def of(cls, body: BodyModel, names: Sequence[str]) -> "RestBody":
        """Measure `body` once, in float64."""
        regressor, template, shape = (
            tensor.detach().cpu().double()
            for tensor in (body.joint_regressor, body.v_template, body.shapedirs)
        )
        joints = (regressor @ template).numpy()
        joint_shape = torch.tensordot(regressor, shape, dims=1).numpy()
        points = [_rest_point(body, PLACES[name], joints, joint_shape) for name in names]
        joint, position, shapes = zip(*points, strict=True)
        return cls(joints, joint_shape, RestPoints(*map(np.array, (joint, position, shapes))))


def known_names(body: BodyModel, names: Sequence[str]) -> list[str]:
    """Keep the names that have a place on this body."""
    return [
        name
        for name in names
        if name in PLACES
        and (not PLACES[name].vertex or PLACES[name].vertex in body.keypoint_vertices)
    ]


def _rest_point(
    body: BodyModel, place: Place, joints: ndarray, joint_shape: ndarray
) -> tuple[int, ndarray, ndarray]:
    joint = JOINT_NAMES.index(place.joint)
    if place.vertex:
        vertex = body.keypoint_vertices[place.vertex]
        position = body.v_template[vertex].detach().cpu().double().numpy()
        return joint, position, body.shapedirs[vertex].detach().cpu().double().numpy()
    anchors = [JOINT_NAMES.index(name) for name in place.middle_of or (place.joint,)]
    return joint, joints[anchors].mean(0) + place.offset, joint_shape[anchors].mean(0)
