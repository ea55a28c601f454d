"""BVH files as other programs write them, made from a pose of SMPL's skeleton."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy import ndarray

from posexfer_core.body.joints import JOINT_NAMES, PARENTS
from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.geometry.rotations import axis_angle_to_matrix

MIXAMO = {
    "pelvis": "mixamorig:Hips",
    "spine1": "mixamorig:Spine",
    "spine2": "mixamorig:Spine1",
    "spine3": "mixamorig:Spine2",
    "neck": "mixamorig:Neck",
    "head": "mixamorig:Head",
}
CMU = {"pelvis": "Hips", "spine1": "LowerBack", "spine2": "Spine", "spine3": "Spine1"}
CMU |= {"neck": "Neck", "head": "Head"}
SMPL = {name: f"m_avg_{name.title()}" for name in JOINT_NAMES} | {"pelvis": "m_avg_Pelvis"}
DAZ = {"pelvis": "hip", "spine1": "abdomen", "spine3": "chest", "neck": "neck", "head": "head"}
BIPED = {"pelvis": "Bip01 Pelvis", "spine1": "Bip01 Spine", "spine2": "Bip01 Spine1"}
BIPED |= {"spine3": "Bip01 Spine2", "neck": "Bip01 Neck", "head": "Bip01 Head"}
for _side, _long, _short in (("l", "Left", "L"), ("r", "Right", "R")):
    _limbs = {"hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase"}
    _limbs |= {"collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand"}
    MIXAMO |= {f"{_side}_{part}": f"mixamorig:{_long}{word}" for part, word in _limbs.items()}
    CMU |= {f"{_side}_{part}": f"{_long}{word}" for part, word in _limbs.items()}
    _limbs = {"hip": "Thigh", "knee": "Shin", "ankle": "Foot", "collar": "Collar"}
    _limbs |= {"shoulder": "Shldr", "elbow": "ForeArm", "wrist": "Hand"}
    DAZ |= {f"{_side}_{part}": f"{_side}{word}" for part, word in _limbs.items()}
    _limbs = {"hip": "Thigh", "knee": "Calf", "ankle": "Foot", "foot": "Toe0"}
    _limbs |= {"collar": "Clavicle", "shoulder": "UpperArm", "elbow": "Forearm", "wrist": "Hand"}
    BIPED |= {f"{_side}_{part}": f"Bip01 {_short} {word}" for part, word in _limbs.items()}

A_POSE = {"l_shoulder": (0.0, 0.0, -0.8), "r_shoulder": (0.0, 0.0, 0.8)}
Y_UP, Z_UP = np.eye(3), np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])

TWO_BONES = """HIERARCHY
ROOT a
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT b
  {
    OFFSET 0 2 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 1 0
    }
  }
}
MOTION
Frames: 1
Frame Time: 0.04
1 2 3 90 0 0 0 90 0
"""
"""A bone of two units along y on a root; in the one frame both turn."""


def world_of(body: BodyModel, pose: torch.Tensor) -> tuple[ndarray, ndarray]:
    """World rotations and places of all joints, mean shape, no translation."""
    local = axis_angle_to_matrix(pose.double()).numpy()
    rest = body.rest(torch.zeros(1, 10))[1][0].double().numpy()
    rotations, places = local.copy(), np.tile(rest, (len(local), 1, 1))
    for joint, parent in enumerate(PARENTS[1:], start=1):
        rotations[:, joint] = rotations[:, parent] @ local[:, joint]
        bone = rest[joint] - rest[parent]
        places[:, joint] = places[:, parent] + rotations[:, parent] @ bone
    return rotations, places


def bvh_text(
    body: BodyModel,
    params: HumanParams,
    names: Mapping[str, str],
    *,
    rest: Mapping[str, Sequence[float]] = {},
    axes: ndarray = Y_UP,
    scale: float = 100.0,
    frame_time: str = "0.0333333",
    along_x: bool = False,
) -> str:
    """Write person 0 with other names, rest pose, unit and axes; unnamed joints are left out.

    Euler angles are in the order Z, Y, X. `along_x` gives every bone axes of its own, with x along
    it, so that the pose of zero angles is none of a body.
    """
    resting = torch.zeros(1, 24, 3)
    for joint, turn in rest.items():
        resting[0, JOINT_NAMES.index(joint)] = torch.tensor(turn)
    rest_rotations, rest_places = world_of(body, resting)
    rotations, places = world_of(body, params.pose[:, 0])
    turned = axes @ rotations @ rest_rotations.swapaxes(-1, -2) @ axes.T
    offsets, places = rest_places[0] @ axes.T, places @ axes.T
    kept = [joint for joint, name in enumerate(JOINT_NAMES) if name in names]
    parents = {joint: _nearest(joint, kept) for joint in kept}
    bones = {joint: offsets[joint] - offsets[parents[joint] if joint else joint] for joint in kept}
    frames = {joint: np.eye(3) for joint in kept}
    for joint in kept[1:] if along_x else []:
        children = [child for child in kept if parents[child] == joint]
        frames[joint] = frame_along(bones[children[0] if children else joint])
    bones |= {joint: frames[parents[joint]].T @ bones[joint] for joint in kept[1:]}
    turned = turned.copy()
    turned[:, kept] = turned[:, kept] @ np.stack([frames[joint] for joint in kept])
    lines, order = ["HIERARCHY"], []
    _write_joint(lines, order, 0, kept, parents, bones, scale, names, 0)
    rows = []
    shift = params.transl[:, 0].double().numpy() @ axes.T
    for frame in range(params.frames):
        row = list(scale * (places[frame, 0] + shift[frame]))
        for joint in order:
            above = turned[frame, parents[joint]] if joint else np.eye(3)
            row += list(np.rad2deg(zyx_angles(above.T @ turned[frame, joint])))
        rows.append(" ".join(f"{number:.8f}" for number in row))
    head = ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {frame_time}"]
    return "\n".join([*lines, *head, *rows, ""])


def zyx_angles(r: ndarray) -> tuple[float, float, float]:
    """Split `R = Rz(a) Ry(b) Rx(c)`."""
    b = np.arcsin(np.clip(-r[2, 0], -1.0, 1.0))
    return np.arctan2(r[1, 0], r[0, 0]), b, np.arctan2(r[2, 1], r[2, 2])


def _nearest(joint: int, kept: Sequence[int]) -> int:
    parent = PARENTS[joint]
    while parent >= 0 and parent not in kept:
        parent = PARENTS[parent]
    return parent


def frame_along(bone: ndarray) -> ndarray:
    """A right-handed frame, as columns, whose x lies along a bone."""
    x = bone / np.linalg.norm(bone)
    y = np.cross(np.roll(np.abs(x), 1), x)
    y /= np.linalg.norm(y)
    return np.stack([x, y, np.cross(x, y)], axis=1)


def _write_joint(lines, order, joint, kept, parents, bones, scale, names, depth) -> None:
    pad = "\t" * depth
    order.append(joint)
    offset = scale * bones[joint]
    lines.append(f"{pad}{'JOINT' if joint else 'ROOT'} {names[JOINT_NAMES[joint]]}")
    lines.append(f"{pad}{{")
    lines.append(f"{pad}\tOFFSET {offset[0]:.6f} {offset[1]:.6f} {offset[2]:.6f}")
    places_too = "" if joint else "Xposition Yposition Zposition "
    count = 3 if joint else 6
    lines.append(f"{pad}\tCHANNELS {count} {places_too}Zrotation Yrotation Xrotation")
    children = [child for child in kept if parents[child] == joint]
    for child in children:
        _write_joint(lines, order, child, kept, parents, bones, scale, names, depth + 1)
    if not children:
        lines += [f"{pad}\tEnd Site", f"{pad}\t{{", f"{pad}\t\tOFFSET 0 5 0", f"{pad}\t}}"]
    lines.append(f"{pad}}}")
