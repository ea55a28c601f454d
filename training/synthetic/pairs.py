"""One pair: the same person, place, light and camera; two poses, seen from two sides."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from posexfer_core.body.model import BodyModel, joint_transforms, skin
from posexfer_core.geometry.camera import intrinsics_matrix
from posexfer_core.geometry.normals import vertex_normals
from posexfer_core.geometry.rotations import axis_angle_to_matrix

from .limbs import Array, axis_angle, rotation
from .people import Person, draw_person
from .poses import Build, draw_pose
from .render import Figure, draw_image
from .scene import Scene, draw_scene

GENERATOR = 3
"""Counts up whenever the same seed gives other images than before."""
IMAGE_SIZE = (256, 176)
"""(height, width), pixels."""
CROPPED_SHARE = 0.12
"""Share of images that show the person from nearer, without the feet."""
CAMERA_FROM_BODY = rotation((180.0, 0.0, 0.0))
"""Turns a body that is y up and faces +z to a camera that looks at its face, y down."""


@dataclass(frozen=True, kw_only=True)
class DressedBody:
    """A person's rest mesh, bare and with cloth and hair on."""

    bare_joints: Tensor
    vertices: Tensor
    places: Tensor
    build: Build
    person: Person

    def figure(self, vertices: Tensor, body: BodyModel) -> Figure:
        """Give what is drawn of the posed vertices, metres, camera frame."""
        return Figure(vertices=vertices, faces=body.faces, places=self.places, person=self.person)


def make_pair(seed: int, index: int, body: BodyModel) -> dict[str, np.ndarray]:
    """Make pair number `index` of a seed; the same one whoever makes it, and in what order.

    Returns:
        One row of a shard; see `training.data.shards.ENTRIES`.
    """
    rng = np.random.default_rng([seed, index])
    dressed = dress(draw_person(rng), body)
    scene = draw_scene(rng, IMAGE_SIZE)
    intrinsics = scene_intrinsics(scene)
    stature = float(dressed.vertices[:, 1].max() - dressed.vertices[:, 1].min())
    depth_m = scene.focal_px * stature / (IMAGE_SIZE[0] * rng.uniform(0.72, 0.95))
    floor_px = IMAGE_SIZE[0] * rng.uniform(0.92, 0.985)
    row: dict[str, np.ndarray] = {
        "betas": dressed.person.betas,
        "intrinsics": intrinsics,
        "index": np.asarray(index, np.int64),
    }
    for role, yaw_deg in (("source", source_yaw(rng)), ("target", target_yaw(rng))):
        pose = draw_pose(rng, dressed.build)
        pose[0] = turned(pose[0], yaw_deg, scene)
        pose = pose.astype(np.float32)
        vertices = pose_dressed(dressed, body, pose)
        transl = place(rng, vertices.numpy(), scene, depth_m, floor_px)
        figure = dressed.figure(vertices + torch.from_numpy(transl), body)
        row[role] = draw_image(figure, scene, intrinsics)
        row[f"{role}_pose"] = pose
        row[f"{role}_transl"] = transl
    return row


def dress(person: Person, body: BodyModel) -> DressedBody:
    """Shape the rest body of a person and let cloth and hair stand off it."""
    rest, joints = body.rest(torch.from_numpy(person.betas)[None])
    places = body.v_template
    stand_off = torch.from_numpy(person.stand_off(places.numpy()).astype(np.float32))
    normals = vertex_normals(rest, body.faces)[0]
    return DressedBody(
        bare_joints=joints,
        vertices=rest[0] + normals * stand_off[:, None],
        places=places,
        build=Build.of(rest[0].numpy(), joints[0].numpy().astype(np.float64)),
        person=person,
    )


def pose_dressed(dressed: DressedBody, body: BodyModel, pose: Array) -> Tensor:
    """Skin the dressed mesh by the joints of the bare body; (vertices, 3), metres."""
    return skin(body.skin_weights, bone_transforms(dressed, pose), dressed.vertices[None])[0]


def bone_transforms(dressed: DressedBody, pose: Array) -> Tensor:
    """Give what each bone does to points at rest, (1, 24, 3, 4)."""
    rotations = axis_angle_to_matrix(torch.from_numpy(pose))[None]
    return joint_transforms(rotations, dressed.bare_joints)[0]


def scene_intrinsics(scene: Scene) -> Array:
    """Give the pinhole matrix of the scene's camera, pixels, principal point in the middle."""
    return intrinsics_matrix(scene.focal_px, IMAGE_SIZE).numpy()


def source_yaw(rng: np.random.Generator) -> float:
    """Turn the source mostly toward the camera, degrees."""
    if rng.random() < 0.12:
        return float(rng.uniform(-180.0, 180.0))
    return float(np.clip(rng.normal(0.0, 35.0), -75.0, 75.0))


def target_yaw(rng: np.random.Generator) -> float:
    """Turn the target any way, mostly within a quarter turn, degrees."""
    if rng.random() < 0.25:
        return float(rng.uniform(-180.0, 180.0))
    return float(rng.uniform(-95.0, 95.0))


def turned(tilt: Array, yaw_deg: float, scene: Scene) -> Array:
    """Turn a body's tilt into its root rotation before the camera, axis-angle."""
    camera = rotation((0.0, 0.0, scene.roll_deg)) @ rotation((scene.pitch_deg, 0.0, 0.0))
    turn = rotation((0.0, yaw_deg, 0.0)) @ rotation(np.degrees(tilt))
    return axis_angle(camera @ CAMERA_FROM_BODY @ turn)


def place(
    rng: np.random.Generator, vertices: Array, scene: Scene, depth_m: float, floor_px: float
) -> Array:
    """Choose where the person stands: on the floor, inside the image, sometimes cut at the knees.

    Args:
        rng: decides where exactly.
        vertices: posed, metres, not yet before the camera.
        scene: gives the camera.
        depth_m: about how far the person stands.
        floor_px: about where the feet stand.

    Returns:
        (3,) translation, metres.
    """
    height, width = IMAGE_SIZE
    points = vertices[::3]
    depth_m = depth_m * rng.uniform(0.95, 1.06)
    floor_px = floor_px + rng.normal(0.0, 0.006) * height
    top_px, nearer = rng.uniform(0.01, 0.08) * height, rng.uniform(1.25, 1.8)
    middle_px = width / 2.0 + rng.normal(0.0, 0.04) * width
    cropped = rng.random() < CROPPED_SHARE
    shift = np.array([0.0, 0.0, depth_m / nearer if cropped else depth_m])
    for _ in range(4):
        low, high = _box(points + shift, scene)
        extent = high - low
        per_px = shift[2] / scene.focal_px
        shift[0] += (middle_px - (low[0] + high[0]) / 2.0) * per_px
        if cropped:
            shift[1] += (top_px - low[1]) * per_px
            continue
        shift[1] += (floor_px - high[1]) * per_px
        fit = max(extent[0] / (1.02 * width), extent[1] / (floor_px - 0.015 * height))
        shift *= max(1.0, fit)
    return shift.astype(np.float32)


def _box(points: Array, scene: Scene) -> tuple[Array, Array]:
    """Give the corners (x, y) of the box around projected points, pixels."""
    centre = np.array([IMAGE_SIZE[1], IMAGE_SIZE[0]]) / 2.0
    pixels = points[:, :2] / points[:, 2:] * scene.focal_px + centre
    return pixels.min(0), pixels.max(0)
