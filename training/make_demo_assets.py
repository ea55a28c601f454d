"""Make what `posexfer demo` starts from: one synthetic person, and the poses that are asked for.

`python -m training.make_demo_assets` writes `posexfer_core/assets/demo/`: the source image and
its parameters, one parameter file per pose, and for the synthetic person's own poses an image of
what is right. Two of the poses are depth twins: the same 2D joints, another limb in front.
"""

import sys
from dataclasses import replace
from itertools import pairwise
from math import radians
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from posexfer_core.body.depth_flip import flip_limb_depth
from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.body.model import BodyModel
from posexfer_core.body.motion import join_frames
from posexfer_core.body.params import HumanParams
from posexfer_core.body.retarget import retarget
from posexfer_core.conventions import DEMO, JOINT_COUNT
from posexfer_core.files.atomic import make_folder
from posexfer_core.files.images import save_image
from posexfer_core.geometry.rotations import axis_angle_to_matrix, matrix_to_axis_angle

from .console import command_parser, run_command
from .synthetic.pairs import IMAGE_SIZE, DressedBody, dress, pose_dressed, scene_intrinsics
from .synthetic.people import draw_person
from .synthetic.render import draw_image
from .synthetic.scene import Scene, draw_scene

SEED = 700_014
"""Outside the seeds of training and of evaluation."""
DISTANCE = 1.12
"""Times the distance at which the standing person would fill the image from top to bottom."""

Turns = tuple[tuple[str, float], ...]
"""Rotations about the joint's own axes, the first one outermost: axis, degrees."""
LOW_LEFT: dict[str, Turns] = {"l_shoulder": (("z", -70),), "l_elbow": (("y", -20),)}
LOW_RIGHT: dict[str, Turns] = {"r_shoulder": (("z", 70),), "r_elbow": (("y", 20),)}
SOURCE: dict[str, Turns] = {
    "pelvis": (("y", -12),),
    "l_shoulder": (("z", -58),),
    "l_elbow": (("y", -15),),
    "r_shoulder": (("z", 58),),
    "r_elbow": (("y", 15),),
    "l_hip": (("z", 5),),
    "r_hip": (("z", -5),),
}
POSES: dict[str, dict[str, Turns]] = {
    "arm_in_front": {
        "r_shoulder": (("y", 12), ("z", 62), ("x", 58)),
        "r_elbow": (("y", 95),),
        "l_hip": (("z", 4),),
        "r_hip": (("z", -4),),
        **LOW_LEFT,
    },
    "walking": {
        "pelvis": (("y", 60),),
        "l_hip": (("x", -28),),
        "l_knee": (("x", 8),),
        "r_hip": (("x", 20),),
        "r_knee": (("x", 28),),
        "l_shoulder": (("y", 35), ("z", -72)),
        "l_elbow": (("y", -15),),
        "r_shoulder": (("y", 30), ("z", 72)),
        "r_elbow": (("y", 40),),
    },
    "from_behind": {
        "pelvis": (("y", 165),),
        "l_shoulder": (("z", 10),),
        "l_elbow": (("z", 75),),
        "l_hip": (("z", 6),),
        "r_hip": (("z", -6),),
        **LOW_RIGHT,
    },
    "striding": {
        "pelvis": (("y", -35),),
        "l_hip": (("x", -24),),
        "l_knee": (("x", 10),),
        "r_hip": (("x", 16),),
        "r_knee": (("x", 24),),
        "l_shoulder": (("y", 25), ("z", -62)),
        "l_elbow": (("y", -30),),
        "r_shoulder": (("y", 35), ("z", 64)),
        "r_elbow": (("y", 45),),
    },
    "arms_raised": {
        "l_shoulder": (("z", 25),),
        "l_elbow": (("z", 55),),
        "r_shoulder": (("z", -20),),
        "r_elbow": (("z", -60),),
        "l_hip": (("z", 10),),
        "r_hip": (("z", -10),),
    },
}
TWIN, TWIN_LIMB = "arm_behind", "right_arm"
MOTION, MOTION_STOPS, FRAMES_BETWEEN = "motion", ("source", "arms_raised", "walking"), 4
"""A short sequence: the poses it passes through, and the frames from one to the next."""
PHOTO_ONLY = ("arms_raised", "striding")
"""Poses that only the person of the photo is asked for, so nobody knows what is right."""


def main(arguments: list[str] | None = None) -> int:
    """Write every file."""
    parser = command_parser(__doc__, "training.make_demo_assets")
    parser.add_argument("--out", type=Path, default=DEMO, help="default: where the demo looks")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the person (default {SEED})")
    chosen = parser.parse_args(arguments)
    return run_command(lambda: make_assets(chosen.out, chosen.seed))


def make_assets(folder: Path, seed: int = SEED) -> None:
    """Draw the person and every pose of theirs, all before one camera."""
    make_folder(folder)
    rng, body = np.random.default_rng(seed), BodyModel.bundled()
    person = dress(draw_person(rng), body)
    scene = draw_scene(rng, IMAGE_SIZE)
    source = place(pose(SOURCE), person, scene)
    poses = {
        name: retarget(source, place(pose(turns), person, scene), body, framing="source")
        for name, turns in POSES.items()
    }
    twin = flip_limb_depth(poses["arm_in_front"], body, TWIN_LIMB)
    assert twin is not None, "the arm has no other place on its pixel rays"
    stops = [{"source": source, **poses}[name] for name in MOTION_STOPS]
    motion = retarget(source, move(stops), body, framing="source")
    motion.save(folder / f"{MOTION}.npz")
    for name, params in {"source": source, **poses, TWIN: twin}.items():
        params.save(folder / f"{name}.npz")
        if name not in PHOTO_ONLY:
            save_image(photograph(params, person, scene, body), folder / f"{name}.png")


def pose(turns: dict[str, Turns]) -> Float[Tensor, "24 3"]:
    """Spell out a pose; the root is turned to face the camera, then by its own turns."""
    angles = torch.zeros(JOINT_COUNT, 3)
    for joint, steps in {"pelvis": (), **turns}.items():
        matrix = torch.eye(3)
        for axis, degrees in (("x", 180.0), *steps) if joint == "pelvis" else steps:
            turn = torch.zeros(3)
            turn["xyz".index(axis)] = radians(degrees)
            matrix = matrix @ axis_angle_to_matrix(turn)
        angles[JOINT_NAMES.index(joint)] = matrix_to_axis_angle(matrix)
    return angles


def move(stops: list[HumanParams]) -> HumanParams:
    """Pass from pose to pose, every joint by the shortest turn at an even speed."""
    frames = [stops[0]]
    for before, after in pairwise(stops):
        start = axis_angle_to_matrix(before.pose)
        turn = matrix_to_axis_angle(start.mT @ axis_angle_to_matrix(after.pose))
        for step in range(1, FRAMES_BETWEEN + 1):
            between = start @ axis_angle_to_matrix(step / FRAMES_BETWEEN * turn)
            frames.append(replace(before, pose=matrix_to_axis_angle(between)))
    return join_frames(frames)


def place(angles: Float[Tensor, "24 3"], person: DressedBody, scene: Scene) -> HumanParams:
    """Stand the person before the scene's camera so that the image holds them."""
    stature = float(person.vertices[:, 1].max() - person.vertices[:, 1].min())
    depth = DISTANCE * scene.focal_px * stature / IMAGE_SIZE[0]
    middle = float(person.vertices[:, 1].max() + person.vertices[:, 1].min()) / 2
    pelvis = person.bare_joints[0, 0]
    standing = torch.tensor([0.0, middle - float(pelvis[1]), depth])
    return HumanParams.single(
        pose=angles,
        betas=torch.from_numpy(person.person.betas),
        transl=standing - pelvis,
        intrinsics=torch.from_numpy(scene_intrinsics(scene)),
        image_size=IMAGE_SIZE,
    )


def photograph(
    params: HumanParams, person: DressedBody, scene: Scene, body: BodyModel
) -> Float[Tensor, "1 3 height width"]:
    """Draw the dressed person as the training images are drawn."""
    vertices = pose_dressed(person, body, params.pose[0, 0].numpy()) + params.transl[0, 0]
    levels = draw_image(person.figure(vertices, body), scene, params.intrinsics[0].numpy())
    return rearrange(torch.from_numpy(levels).float(), "h w c -> 1 c h w") / 127.5 - 1.0


if __name__ == "__main__":
    sys.exit(main())
