"""Pairs of people with skirts, dresses, coats and long hair, under light from all around.

As `pairs`, with exact coverage, depth and labels of the person. The same pair may be drawn at any
whole multiple of the size of `pairs`.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.body.model import BodyModel, skin
from posexfer_core.geometry.normals import vertex_normals

from .environment import Environment, draw_environment
from .hanging_hair import Around, pose_hair
from .limbs import Array, rotation
from .obstacles import Obstacles
from .pairs import (
    CAMERA_FROM_BODY,
    IMAGE_SIZE,
    DressedBody,
    bone_transforms,
    dress,
    place,
    scene_intrinsics,
    source_yaw,
    target_yaw,
    turned,
)
from .portrait import Portrait, Sheet, draw_portrait
from .poses import draw_pose
from .scene import Scene, draw_background, draw_camera
from .tube_poses import clear_of_arms, pose_tube
from .tubes import ARMS, CLEARANCE_M, Tube, fit_tube
from .wardrobe import ClothedPerson, draw_clothed_person

GENERATOR = 4
"""As in `pairs`, which counts up to 3."""
HEAD, CHEST = JOINT_INDEX["head"], JOINT_INDEX["spine3"]
SEEN_SURROUNDING = 0.45
"""Share of images before the surrounding that lights them; the others are before a drawn wall."""


@dataclass(frozen=True, kw_only=True)
class ClothedBody:
    """A person at rest, with everything on."""

    clothed: ClothedPerson
    dressed: DressedBody
    tubes: list[Tube]
    shade: Array
    """(vertices,), share of the light from around that reaches the body."""
    trunk: Array
    """Vertices of the body without its arms."""
    skull: Array
    """(vertices, 3), the head at rest."""


@dataclass(frozen=True, kw_only=True)
class ClothedPair:
    """The same person in two poses before one background."""

    source: Portrait
    target: Portrait
    row: dict[str, np.ndarray]
    """One row of a shard; see `training.data.shards`."""
    kinds: frozenset[str]
    """Labels of what hangs on the person; see `portrait.LABELS`."""


def make_clothed_pair(
    seed: int, index: int, body: BodyModel, *, scale: int = 1, panoramas: Path | None = None
) -> ClothedPair:
    """Make pair number `index` of a seed; the same one whoever makes it, and in what order.

    Args:
        seed: of the set.
        index: of the pair.
        body: the bundled one.
        scale: times the size of `pairs`; people and poses are the same at every scale.
        panoramas: folder of surroundings, see `environment`.
    """
    rng, camera, wall = (np.random.default_rng([seed, index, part]) for part in range(3))
    person = clothe(draw_clothed_person(rng), body)
    around = draw_surroundings(camera, wall, scale=scale, panoramas=panoramas)
    distance = draw_distance(rng, person, around)
    row = {
        "betas": person.dressed.person.betas,
        "intrinsics": around.intrinsics,
        "index": np.asarray(index, np.int64),
    }
    portraits: list[Portrait] = []
    for role, yaw_deg in (("source", source_yaw(rng)), ("target", target_yaw(rng))):
        shown, pose, transl = draw_in_pose(rng, person, body, around, distance, yaw_deg)
        portraits.append(shown)
        row |= {role: shown.image, f"{role}_coverage": shown.coverage}
        row |= {f"{role}_pose": pose, f"{role}_transl": transl}
    kinds = frozenset(tube.cut.label for tube in person.tubes)
    if person.clothed.hair is not None:
        kinds |= {"hair"}
    return ClothedPair(source=portraits[0], target=portraits[1], row=row, kinds=kinds)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Camera, light and background."""

    scene: Scene
    """At the size of `pairs`."""
    large: Scene
    """At the size that is drawn."""
    light: Environment
    intrinsics: Array
    """(3, 3), of what is drawn."""
    camera_from_world: Array
    """(3, 3)."""


def draw_surroundings(
    camera: np.random.Generator,
    wall: np.random.Generator,
    *,
    scale: int = 1,
    panoramas: Path | None = None,
) -> Surroundings:
    """Draw camera and light from one generator, a wall that may stand behind from another."""
    size = (IMAGE_SIZE[0] * scale, IMAGE_SIZE[1] * scale)
    large = draw_camera(camera, np.zeros((*size, 3), np.float32))
    scene = replace(large, focal_px=large.focal_px / scale)
    pixels = (scene_intrinsics(scene) * np.array([[scale], [scale], [1.0]])).astype(np.float32)
    camera_from_world = camera_of(scene)
    light = draw_environment(camera, camera_from_world.T, panoramas)
    if camera.random() < SEEN_SURROUNDING:
        background = light.view(pixels, size, camera.uniform(0.005, 0.05))
    else:
        background = draw_background(wall, size)
    return Surroundings(
        scene=scene,
        large=replace(large, background=background),
        light=light,
        intrinsics=pixels,
        camera_from_world=camera_from_world,
    )


def draw_distance(
    rng: np.random.Generator, person: ClothedBody, around: Surroundings
) -> tuple[float, float]:
    """Draw about how far a person stands, metres, and the row of the floor, pixels of `pairs`."""
    heights = person.dressed.vertices[:, 1]
    stature = float(heights.max() - heights.min())
    depth_m = around.scene.focal_px * stature / (IMAGE_SIZE[0] * rng.uniform(0.72, 0.95))
    return depth_m, IMAGE_SIZE[0] * rng.uniform(0.92, 0.985)


def draw_in_pose(
    rng: np.random.Generator,
    person: ClothedBody,
    body: BodyModel,
    around: Surroundings,
    distance: tuple[float, float],
    yaw_deg: float,
) -> tuple[Portrait, Array, Array]:
    """Draw a person in a pose of its own; also give pose (24, 3) and translation (3,)."""
    pose = draw_pose(rng, person.dressed.build)
    pose[0] = turned(pose[0], yaw_deg, around.scene)
    pose = pose.astype(np.float32)
    posed = pose_clothed(person, body, pose, -around.camera_from_world[:, 1])
    points = [posed[0].numpy(), *(sheet.vertices.reshape(-1, 3) for sheet in posed[1])]
    transl = place(rng, np.concatenate(points)[::2], around.scene, *distance)
    large, light = around.large, around.light
    return portray(posed, person, body, transl, large, light, around.intrinsics), pose, transl


def camera_of(scene: Scene) -> Array:
    """Give the camera's frame from the world's, y up: (3, 3)."""
    tilt = rotation((0.0, 0.0, scene.roll_deg)) @ rotation((scene.pitch_deg, 0.0, 0.0))
    return tilt @ CAMERA_FROM_BODY


def clothe(clothed: ClothedPerson, body: BodyModel) -> ClothedBody:
    """Shape a person at rest and fit what hangs."""
    dressed = dress(clothed.person, body)
    vertices, joints = dressed.vertices.numpy(), dressed.bare_joints[0].numpy()
    mean, weights = (body.joint_regressor @ body.v_template).numpy(), body.skin_weights.numpy()
    shade = np.ones(len(vertices), np.float32)
    heights = dressed.places[:, 1].numpy()
    trunk = weights[:, ARMS].sum(1) < 0.5
    for cut in clothed.cuts:
        under = trunk & (heights < cut.top_m)
        shade[under] *= 1.0 - 0.55 * np.exp(-np.clip(cut.hem_m - heights[under], 0.0, None) / 0.08)
    tubes = [fit_tube(cut, vertices, joints, mean, weights) for cut in clothed.cuts]
    return ClothedBody(
        clothed=clothed,
        dressed=dressed,
        tubes=tubes,
        shade=shade,
        trunk=np.flatnonzero(trunk),
        skull=vertices[weights[:, HEAD] > 0.7],
    )


def pose_clothed(
    person: ClothedBody, body: BodyModel, pose: Array, gravity: Array
) -> tuple[Tensor, list[Sheet]]:
    """Pose the body with what lies on it, (vertices, 3), and what hangs down along `gravity`."""
    transforms = bone_transforms(person.dressed, pose)
    vertices = skin(body.skin_weights, transforms, person.dressed.vertices[None])[0]
    normals = vertex_normals(vertices[None], body.faces)[0].numpy()
    moved, joints = transforms[0].double().numpy(), person.dressed.build.joints
    obstacles = Obstacles(vertices.double().numpy()[person.trunk], normals[person.trunk])
    sheets = []
    for tube in person.tubes:
        grid = clear_of_arms(pose_tube(tube, moved, gravity), moved, joints)
        margin = np.full(grid.shape[:2], CLEARANCE_M)
        margin[0] = tube.cut.edge_m
        grid = obstacles.pushed(grid.reshape(-1, 3), margin.ravel()).reshape(grid.shape)
        sheets.append(Sheet(grid, tube.places, tube.cut.paint, tube.cut.shine, tube.cut.label))
    if person.clothed.hair is not None:
        around = Around(
            head=moved[HEAD],
            skull=person.skull,
            chest=moved[CHEST, :, :3],
            gravity=gravity,
            obstacles=obstacles,
        )
        hair = person.dressed.person.layers[-1]
        sheets += [
            Sheet(grid, places, hair.paint, hair.shine, "hair")
            for grid, places in pose_hair(person.clothed.hair, around)
        ]
    return vertices, sheets


def portray(
    posed: tuple[Tensor, list[Sheet]],
    person: ClothedBody,
    body: BodyModel,
    transl: Array,
    scene: Scene,
    light: Environment,
    intrinsics: Array,
) -> Portrait:
    """Draw a posed person, moved by `transl`, before the camera."""
    figure = person.dressed.figure(posed[0] + torch.from_numpy(transl), body)
    sheets = [replace(sheet, vertices=sheet.vertices + transl) for sheet in posed[1]]
    return draw_portrait(figure, person.shade, sheets, scene, light, intrinsics)
