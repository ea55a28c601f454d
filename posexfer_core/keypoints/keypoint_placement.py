"""Placement of keypoints on the body: at a joint, offset from a joint, or at a skin vertex.

Every keypoint is rigidly attached to one joint. COCO annotates hips on the outside of the clothes,
about 2 cm out and up from SMPL's hip joints; other data sets differ from SMPL by up to 6 cm. Hips
therefore get twice the spread of other keypoints.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from ..body.joints import JOINT_INDEX, JOINT_NAMES
from ..body.model import BodyModel
from ..body.view import BodyView


class Placement(NamedTuple):
    """Position of one keypoint on the rest body."""

    joint: str
    """Joint that the keypoint is attached to."""
    vertex: str = ""
    """Name in `BodyModel.keypoint_vertices`, for keypoints on the skin."""
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """From the joint at rest, metres."""
    midpoint_of: tuple[str, ...] = ()
    """Joints whose mean position is used instead of that of `joint`."""
    spread_factor: float = 1.0
    """Standard deviation relative to other keypoints; above 1 where tools disagree."""


LEFT_PLACEMENTS: dict[str, Placement] = {
    "l_eye": Placement("head", vertex="leye"),
    "l_ear": Placement("head", vertex="lear"),
    "l_shoulder": Placement("l_shoulder"),
    "l_elbow": Placement("l_elbow"),
    "l_wrist": Placement("l_wrist"),
    "l_knuckle": Placement("l_hand"),
    "l_hip": Placement("l_hip", offset=(0.02, 0.02, 0.0), spread_factor=2.0),
    "l_knee": Placement("l_knee"),
    "l_ankle": Placement("l_ankle"),
    "l_big_toe": Placement("l_foot", vertex="LBigToe"),
    "l_small_toe": Placement("l_foot", vertex="LSmallToe"),
    "l_heel": Placement("l_ankle", vertex="LHeel"),
}

PLACEMENTS: dict[str, Placement] = {
    "nose": Placement("head", vertex="nose"),
    "neck": Placement("spine3", midpoint_of=("l_shoulder", "r_shoulder")),
    "mid_hip": Placement("pelvis", offset=(0.0, 0.02, 0.0), midpoint_of=("l_hip", "r_hip")),
    **LEFT_PLACEMENTS,
    **{
        "r_" + name[2:]: Placement(
            place.joint.replace("l_", "r_"),
            ("r" if place.vertex[:1] == "l" else "R") + place.vertex[1:] if place.vertex else "",
            (-place.offset[0], *place.offset[1:]),
            spread_factor=place.spread_factor,
        )
        for name, place in LEFT_PLACEMENTS.items()
    },
    **{f"{name}_joint": Placement(name) for name in JOINT_NAMES},
}
"""Keypoint name → placement; `l_hip_joint` is SMPL's own joint."""

MIDPOINTS = {
    name: tuple(sorted(place.midpoint_of))
    for name, place in PLACEMENTS.items()
    if place.midpoint_of
}
"""Keypoints that detectors compute as the midpoint of two others → those two."""


class RestPoints(NamedTuple):
    """Keypoints on the body at rest."""

    joint: Int[ndarray, " points"]
    position: Float[ndarray, "points 3"]
    """At zero betas, metres, rest frame."""
    shape: Float[ndarray, "points 3 10"]
    """Change of `position` with the betas."""


class RestBody(NamedTuple):
    """Joints and keypoints of a body at rest, linear in the betas."""

    joints: Float[ndarray, "24 3"]
    joint_shape: Float[ndarray, "24 3 10"]
    points: RestPoints

    @classmethod
    def of(cls, body: BodyModel, names: Sequence[str]) -> "RestBody":
        """Compute the rest positions of `body`, in float64."""
        regressor, template, shape = (
            tensor.detach().cpu().double()
            for tensor in (body.joint_regressor, body.v_template, body.shapedirs)
        )
        joints = (regressor @ template).numpy()
        joint_shape = torch.tensordot(regressor, shape, dims=1).numpy()
        points = [_rest_point(body, PLACEMENTS[name], joints, joint_shape) for name in names]
        joint, position, shapes = zip(*points, strict=True)
        return cls(joints, joint_shape, RestPoints(*map(np.array, (joint, position, shapes))))


def known_names(body: BodyModel, names: Sequence[str]) -> list[str]:
    """Keep the names of keypoints that have a placement on this body."""
    return [
        name
        for name in names
        if name in PLACEMENTS
        and (not PLACEMENTS[name].vertex or PLACEMENTS[name].vertex in body.keypoint_vertices)
    ]


def located(name: str, view: BodyView) -> Float[Tensor, "batch 3"] | None:
    """Locate a keypoint on posed bodies, to the centimetre: offsets from joints are left out.

    Returns:
        Metres, camera frame; None of a keypoint that the body has not.
    """
    place = PLACEMENTS.get(name)
    if place is None:
        return None
    if place.vertex:
        vertex = view.keypoint_vertices.get(place.vertex)
        return None if vertex is None else view.vertices[:, vertex]
    anchors = [JOINT_INDEX[joint] for joint in place.midpoint_of or (place.joint,)]
    return view.joints[:, anchors].mean(1)


def _rest_point(
    body: BodyModel, place: Placement, joints: ndarray, joint_shape: ndarray
) -> tuple[int, ndarray, ndarray]:
    joint = JOINT_NAMES.index(place.joint)
    if place.vertex:
        vertex = body.keypoint_vertices[place.vertex]
        position = body.v_template[vertex].detach().cpu().double().numpy()
        return joint, position, body.shapedirs[vertex].detach().cpu().double().numpy()
    anchors = [JOINT_NAMES.index(name) for name in place.midpoint_of or (place.joint,)]
    return joint, joints[anchors].mean(0) + place.offset, joint_shape[anchors].mean(0)
