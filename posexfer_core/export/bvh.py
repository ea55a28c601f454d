"""Motions as BVH files, under SMPL's joint names, centimetres, y up."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from ..body.joints import JOINT_NAMES, PARENTS
from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.pose_editing import seen_by, y_up_camera
from ..files.atomic import write_whole
from ..geometry.so3 import exp_map

CM = 100.0
CHANNELS = "Zrotation Xrotation Yrotation"
ENDS_CM = {"head": (0.0, 18.0, 0.0), "l_foot": (0.0, 0.0, 8.0), "r_foot": (0.0, 0.0, 8.0)}
"""Where the last bones end; hands end 8 cm outwards."""
DEFAULT_RATE = 30.0


def bvh_name(joint: str) -> str:
    """Write `l_hip` as `L_Hip`, the way SMPL's tools do."""
    return "_".join(part.capitalize() for part in joint.split("_"))


def save_bvh(params: HumanParams, body: BodyModel, path: Path | str) -> None:
    """Write the first person's motion, which Blender and other 3D programs open.

    The motion is written as the camera sees it, turned y up. `read_params` reads it back to the
    same pose.

    Args:
        params: any number of frames, at their own rate or else 30 a second.
        body: that the betas are of; its bones at the betas of the first frame are written.
        path: where to; an existing file is replaced, whole or not at all.

    Raises:
        OutputError: the folder does not exist or cannot be written.
    """
    params = params.select(None).to(dtype=torch.float64)
    with torch.no_grad():
        rest = body.rest(params.betas[:, 0].to(body.v_template))[1].double().cpu()
    seen = seen_by(params.to("cpu"), y_up_camera(params.frames), rest[:, None, 0])
    rotations = exp_map(seen.pose[:, 0].numpy())
    pelvis = (rest[:, 0] + seen.transl[:, 0]).numpy()
    rest = rest.numpy()
    angles = np.rad2deg(zxy_angles(rotations[:, depth_first()])).reshape(len(pelvis), -1)
    lines = [
        " ".join(f"{number:.7f}" for number in row)
        for row in np.concatenate([CM * pelvis, angles], axis=1)
    ]
    rate = params.frame_rate or DEFAULT_RATE
    head = ["MOTION", f"Frames: {len(lines)}", f"Frame Time: {1.0 / rate:.8f}"]
    write_whole(Path(path), "\n".join([*_hierarchy(rest[0]), *head, *lines, ""]).encode())


def zxy_angles(rotations: Float[ndarray, "*batch 3 3"]) -> Float[ndarray, "*batch 3"]:
    """Split `R = Rz(a) Rx(b) Ry(c)` into a, b, c; where b is a right angle, c is 0. Radians.

    A turn by 1 about x gives (0, 1, 0).
    """
    r = rotations
    sine = np.clip(r[..., 2, 1], -1.0, 1.0)
    straight = np.hypot(r[..., 0, 1], r[..., 1, 1]) < 1e-7
    first = np.where(
        straight,
        np.arctan2(r[..., 1, 0], r[..., 0, 0]),
        np.arctan2(-r[..., 0, 1], r[..., 1, 1]),
    )
    third = np.where(straight, 0.0, np.arctan2(-r[..., 2, 0], r[..., 2, 2]))
    middle = np.arctan2(sine, np.hypot(r[..., 0, 1], r[..., 1, 1]))
    return np.stack([first, middle, third], axis=-1)


def _hierarchy(rest: Float[ndarray, "24 3"]) -> list[str]:
    """Write the skeleton, depth first, as BVH nests it; the order of joints stays SMPL's tree."""
    lines = ["HIERARCHY"]
    _joint_lines(lines, 0, rest, 0)
    return lines


def _joint_lines(lines: list[str], joint: int, rest: ndarray, depth: int) -> None:
    pad, inner = "  " * depth, "  " * (depth + 1)
    offset = rest[joint] - (rest[PARENTS[joint]] if joint else 0.0 * rest[0])
    numbers = " ".join(f"{CM * number:.7f}" for number in offset)
    lines += [
        f"{pad}{'JOINT' if joint else 'ROOT'} {bvh_name(JOINT_NAMES[joint])}",
        f"{pad}{{",
        f"{inner}OFFSET {numbers}",
        f"{inner}CHANNELS " + ("3 " if joint else "6 Xposition Yposition Zposition ") + CHANNELS,
    ]
    children = [child for child, parent in enumerate(PARENTS) if parent == joint]
    for child in children:
        _joint_lines(lines, child, rest, depth + 1)
    if not children:
        name = JOINT_NAMES[joint]
        end = ENDS_CM.get(name, (8.0 if name.startswith("l") else -8.0, 0.0, 0.0))
        numbers = " ".join(f"{number:.1f}" for number in end)
        lines += [f"{inner}End Site", f"{inner}{{", f"{inner}  OFFSET {numbers}", f"{inner}}}"]
    lines.append(f"{pad}}}")


def depth_first() -> list[int]:
    """List the joints in the order in which a BVH file names them."""
    order: list[int] = []
    waiting = [0]
    while waiting:
        joint = waiting.pop()
        order.append(joint)
        waiting += [child for child, parent in enumerate(PARENTS) if parent == joint][::-1]
    return order
