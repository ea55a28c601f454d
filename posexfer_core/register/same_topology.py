"""A mesh of a body model's own topology: pairs are known, so one run of ICP solves it."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from ..body.joints import PARENT_INDEX
from ..body.model import BodyModel
from ..conventions import BETA_COUNT, JOINT_COUNT
from ..fit.kinematics import Pose
from ..geometry.closest_points import Closest
from ..geometry.point_clouds import OrientedPoints
from .icp import ICP, Fitted, Pairs, Phase
from .search import spread_vertices
from .skinned_points import PosedSkin, SkinRig

KNOWN_POINTS = 1500
EXACT = Phase(steps=12, reach_m=10.0, slide=1.0, sigma_m=0.002, pose=0.002, shape=0.05)
FOLLOWING_POINTS = 500
FOLLOWING = Phase(steps=4, reach_m=10.0, slide=1.0, sigma_m=0.002, pose=0.002, shape=1e9)
"""Of a shape that is known, in every frame of a motion."""


def same_topology(body: BodyModel, vertices: int, faces: Int[ndarray, "faces 3"]) -> bool:
    """Tell whether a mesh has the body's vertices and, up to order and corners, its faces."""
    if vertices != len(body.v_template) or len(faces) != len(body.faces):
        return False
    return np.array_equal(_sorted(faces), _sorted(body.faces.cpu().numpy()))


def _sorted(faces: ndarray) -> ndarray:
    inside = np.sort(faces, axis=1)
    return inside[np.lexsort(inside.T[::-1])]


class KnownMesh:
    """Solves poses of meshes whose vertices are the body's; what poses share is computed once."""

    def __init__(self, body: BodyModel, points: int = KNOWN_POINTS) -> None:
        """Choose how many vertices of the body are compared."""
        self.body, self.index = body, spread_vertices(body, points)
        self.rig = SkinRig(body, self.index)

    def fit(self, vertices: Float[ndarray, "vertices 3"], phase: Phase = EXACT) -> Fitted:
        """Solve the pose of vertices, metres.

        Starts from the rotation of each joint's own skin (Kabsch); the pairs are fixed.
        """
        start = Fitted(_rigid_pose(self.body, vertices), np.ones(1))
        normals = np.zeros((len(self.index), 3))
        mesh = OrientedPoints(points=vertices[self.index], normals=normals)
        return _FixedPairsICP(self.rig, mesh, scale_sigma=0.0).run(start, phase, seekers=0)


def own_places(faces: Int[ndarray, "faces 3"], vertices: int) -> Closest:
    """Place every vertex at itself, as a corner of one of its faces."""
    corner = np.zeros(vertices, np.int64)
    corner[faces.ravel()] = np.arange(faces.size)
    return Closest(face=corner // 3, barycentric=np.eye(3)[corner % 3], distance=np.zeros(vertices))


class _FixedPairsICP(ICP):
    """Pairs never change."""

    def pairs(self, fitted: Fitted, skin: PosedSkin, seekers: int) -> Pairs:
        """Pair every skin point with its own vertex."""
        count = len(self.mesh.points)
        return Pairs(
            skin=np.arange(count)[None],
            place=self.mesh.points[None],
            normal=self.mesh.normals[None],
        )


def _rigid_pose(body: BodyModel, vertices: ndarray) -> Pose:
    """Turn every joint as its own skin is turned."""
    rest, parts = body.v_template.double().cpu().numpy(), body.parts.cpu().numpy()
    joints = (body.joint_regressor.double() @ body.v_template.double()).cpu().numpy()
    world = np.tile(np.eye(3), (JOINT_COUNT, 1, 1))
    for joint in range(JOINT_COUNT):
        own = parts == joint
        parent = world[PARENT_INDEX[joint]] if joint else np.eye(3)
        world[joint] = _kabsch(rest[own], vertices[own]) if own.sum() >= 8 else parent
    rotations = world.copy()
    rotations[1:] = world[PARENT_INDEX[1:]].swapaxes(1, 2) @ world[1:]
    pelvis = (body.joint_regressor[0].double().cpu().numpy() @ vertices) - joints[0]
    return Pose(rotations[None], np.zeros((1, BETA_COUNT)), pelvis[None])


def _kabsch(start: ndarray, end: ndarray) -> Float[ndarray, "3 3"]:
    """Find the rotation that brings points closest to their partners, shifts left aside."""
    u, _, vt = np.linalg.svd((end - end.mean(0)).T @ (start - start.mean(0)))
    return u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
