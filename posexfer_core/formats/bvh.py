"""BVH motions on SMPL's skeleton: whatever the rest pose, the unit and the axis that points up."""

import itertools
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from ..body.joints import JOINT_INDEX, JOINT_NAMES, LIMB_CHAINS, PARENTS
from ..body.model import BodyModel
from ..errors import ParamsError, UnknownFileError
from ..files.bvh_text import Bvh
from ..geometry.camera_conversions import SURELY_UPRIGHT, UP, nearest_axis
from ..geometry.so3 import exp_map, log_map, swing
from .bvh_bone_names import NEEDED, match_bones
from .format import Format
from .mocap import world_track
from .track import Source, Track

LIMBS = tuple(tuple(JOINT_NAMES[joint] for joint in chain[:3]) for chain in LIMB_CHAINS.values())
STRAIGHT = 0.9
"""Cosine of the angle up to which a rest pose of SMPL's own names counts as SMPL's T-pose."""
SNAP = 0.93
"""Cosine of the angle up to which the file's axes are taken to be the body's own."""
UNITS_M = (1.0, 0.01, 0.001, 0.0254, 0.0254 / 0.45)
"""Metre, centimetre, millimetre, inch, and CMU's."""
SAME_SIZE = 0.03
MOST_COMPARED = 500
"""Frames that are looked at for one like SMPL's rest pose."""


def _is_bvh(content: Any) -> bool:
    return isinstance(content, Bvh)


def _read_bvh(source: Source) -> list[Track]:
    """Read the one person of a file.

    World rotations are transferred, `G = Q A`: `Q` is the bone's, `A` turns SMPL's rest bone into
    the file's. `A` comes from the file's rest pose, or, where that is no standing body, from the
    frame most like SMPL's rest pose. The pelvis' path is scaled by the length of the legs, so that
    the feet stay on the floor.
    """
    bvh: Bvh = source.content
    bones = match_bones(bvh.names, bvh.parents)
    if missing := [joint for joint in NEEDED if joint not in bones]:
        raise UnknownFileError(
            f"{source.path.name} has no bone that is known as {', '.join(missing)}; it has "
            f"{', '.join(bvh.names)[:300]}.",
            f"{len(NEEDED) - len(missing)} of the {len(NEEDED)} bones that a body needs are known "
            "by their names.",
            "Rename the others as Mixamo has them: Hips, LeftUpLeg, LeftLeg, LeftArm, LeftForeArm, "
            "and so on the right.",
        )
    body = source.body or BodyModel.bundled()
    rest = body.rest(torch.zeros(1, 10).to(body.v_template))[1][0].double().cpu().numpy()
    rotations, places = bvh.world()
    if _stands(bvh.rest(), bones):
        trunk = _snapped(_trunk(bvh.rest(), bones, rest, source.path.name))
        aligned = _align(bvh.rest(), bones, rest, trunk)
    else:
        frame = _most_like_rest(places, bones, rest, source.path.name)
        trunk = _trunk(places[frame], bones, rest, source.path.name)
        aligned = _align(places[frame], bones, rest, trunk)
        for joint, bone in bones.items():
            aligned[joint] = rotations[frame, bone].T @ aligned[joint]
    world = _world_rotations(rotations, bones, aligned)
    pose = world.copy()
    pose[:, 1:] = world[:, list(PARENTS[1:])].swapaxes(-1, -2) @ world[:, 1:]
    size = _metres(bvh.rest(), bones, rest)
    transl = size * places[:, bones["pelvis"]] - rest[0]
    space = source.body.beta_space if source.body is not None else "smpl"
    notes: list[str] = []
    up = _up_axis(_rest_up(trunk), world, places, bones, notes)
    track = world_track(source, log_map(pose), np.zeros((len(pose), 10)), transl, space, up)
    track.notes += [f"{source.path.name}: {note}" for note in notes]
    track.frame_rate = 1.0 / bvh.frame_time
    return [track]


def _align(
    found: Float[ndarray, "bones 3"],
    bones: dict[str, int],
    rest: Float[ndarray, "24 3"],
    trunk: Float[ndarray, "3 3"],
) -> dict[str, Float[ndarray, "3 3"]]:
    """Turn SMPL's rest pose into the file's: the trunk as a whole, then limb by limb.

    Where the limbs are SMPL's own but for the bones' lengths, the rest pose is SMPL's own.
    """
    own = {joint: rest[JOINT_INDEX[joint]] for joint in bones}
    theirs = {joint: found[bone] for joint, bone in bones.items()}
    aligned: dict[str, ndarray] = dict.fromkeys(JOINT_NAMES, trunk)
    limbs = [[joint for joint in limb if joint in bones] for limb in LIMBS]
    turns = {}
    for limb in limbs:
        above = trunk
        for joint, child in itertools.pairwise(limb):
            wanted = theirs[child] - theirs[joint]
            above = swing(above @ (own[child] - own[joint]), wanted) @ above
            turns[joint] = above
        turns[limb[-1]] = above
    same = all((np.trace(trunk.T @ turn) - 1.0) / 2.0 > STRAIGHT for turn in turns.values())
    if not (same and "l_hand" in bones and "l_foot" in bones and "l_collar" in bones):
        aligned |= turns
        for side in "lr":
            aligned[f"{side}_hand"] = aligned[f"{side}_wrist"] = turns[f"{side}_elbow"]
            aligned[f"{side}_ankle"] = trunk
    return aligned


def _stands(found: Float[ndarray, "bones 3"], bones: dict[str, int]) -> bool:
    """Check that the legs point away from the shoulders; some files keep all bones along x."""
    middle = {
        part: (found[bones[f"l_{part}"]] + found[bones[f"r_{part}"]]) / 2.0
        for part in ("shoulder", "hip", "knee")
    }
    up, down = middle["shoulder"] - middle["hip"], middle["knee"] - middle["hip"]
    return bool(up @ down < -0.5 * np.linalg.norm(up) * np.linalg.norm(down))


def _most_like_rest(
    places: Float[ndarray, "frames bones 3"],
    bones: dict[str, int],
    rest: Float[ndarray, "24 3"],
    name: str,
) -> int:
    """Choose the frame whose bones, relative to the trunk, point most nearly as SMPL's at rest."""
    chains = (*LIMBS, ("pelvis", "spine3", "neck", "head"))
    pairs = [
        pair for chain in chains for pair in itertools.pairwise(j for j in chain if j in bones)
    ]
    start, end = ([JOINT_INDEX[pair[side]] for pair in pairs] for side in (0, 1))
    wanted = _unit(rest[end] - rest[start])
    start, end = ([bones[pair[side]] for pair in pairs] for side in (0, 1))
    chosen = np.unique(np.linspace(0, len(places) - 1, MOST_COMPARED).astype(int))
    likeness = []
    for frame in chosen:
        turn = _trunk(places[frame], bones, rest, name)
        likeness.append((_unit(places[frame][end] - places[frame][start]) @ turn * wanted).sum())
    return int(chosen[np.argmax(likeness)])


def _trunk(
    found: Float[ndarray, "bones 3"],
    bones: dict[str, int],
    rest: Float[ndarray, "24 3"],
    name: str,
) -> Float[ndarray, "3 3"]:
    """Turn SMPL's trunk into the file's."""
    own = {joint: rest[JOINT_INDEX[joint]] for joint in bones}
    theirs = {joint: found[bone] for joint, bone in bones.items()}
    return _trunk_axes(theirs, name) @ _trunk_axes(own, name).T


def _unit(vectors: Float[ndarray, "n 3"]) -> Float[ndarray, "n 3"]:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True).clip(1e-9)


def _trunk_axes(places: dict[str, ndarray], name: str) -> Float[ndarray, "3 3"]:
    """Measure left, up and front of a skeleton at rest, as columns."""
    hips = (places["l_hip"] + places["r_hip"]) / 2.0
    shoulders = (places["l_shoulder"] + places["r_shoulder"]) / 2.0
    left = places["l_hip"] - places["r_hip"] + places["l_shoulder"] - places["r_shoulder"]
    up = shoulders - hips
    front = np.cross(left, up)
    if min(np.linalg.norm(up), np.linalg.norm(left), np.linalg.norm(front)) < 1e-9:
        raise ParamsError(f"{name}: its skeleton has no extent at rest; all offsets are alike.")
    up, front = up / np.linalg.norm(up), front / np.linalg.norm(front)
    return np.stack([np.cross(up, front), up, front], axis=1)


def _snapped(rotation: ndarray) -> Float[ndarray, "3 3"]:
    """Snap to the nearest rotation by right angles if it is near, else keep: spines lean."""
    best = np.eye(3)
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((-1.0, 1.0), repeat=3):
            turn = np.diag(signs)[:, list(order)]
            if np.linalg.det(turn) > 0 and np.trace(turn.T @ rotation) > np.trace(
                best.T @ rotation
            ):
                best = turn
    near = (np.trace(best.T @ rotation) - 1.0) / 2.0 > SNAP
    return best if near else rotation


def _world_rotations(
    rotations: Float[ndarray, "frames bones 3 3"],
    bones: dict[str, int],
    aligned: dict[str, ndarray],
) -> Float[ndarray, "frames 24 3 3"]:
    """Transfer world rotations; joints without a bone follow the parent, spines share the bend."""
    world = np.empty((len(rotations), len(JOINT_NAMES), 3, 3))
    for joint, name in enumerate(JOINT_NAMES):
        if name in bones:
            world[:, joint] = rotations[:, bones[name]] @ aligned[name]
        elif joint:
            world[:, joint] = world[:, PARENTS[joint]]
    chest, pelvis = world[:, JOINT_INDEX["spine3"]], world[:, JOINT_INDEX["pelvis"]]
    if "spine3" in bones:
        below = world[:, JOINT_INDEX["spine1"]] if "spine1" in bones else pelvis
        bend = log_map(below.swapaxes(-1, -2) @ chest)
        if "spine1" not in bones:
            world[:, JOINT_INDEX["spine1"]] = below @ exp_map(bend / 3.0)
        if "spine2" not in bones:
            share = 0.5 if "spine1" in bones else 2.0 / 3.0
            world[:, JOINT_INDEX["spine2"]] = below @ exp_map(bend * share)
    return world


def _metres(found: ndarray, bones: dict[str, int], rest: ndarray) -> float:
    """Give our body's metres per unit of the file, by the length of the legs.

    A leg of nearly our own length in one of the usual units gives that unit itself.
    """
    theirs, own = (
        np.mean(
            [
                np.linalg.norm(places[at(f"{side}_knee")] - places[at(f"{side}_hip")])
                for side in "lr"
            ]
        )
        for places, at in ((found, bones.__getitem__), (rest, JOINT_INDEX.__getitem__))
    )
    ratio = float(own / max(theirs, 1e-9))
    unit = min(UNITS_M, key=lambda one: abs(np.log(ratio / one)))
    return unit if abs(ratio / unit - 1.0) < SAME_SIZE else ratio


def _rest_up(trunk: ndarray) -> str:
    """Name the file's axis that is nearest to the spine at rest."""
    return max(UP, key=lambda name: float(trunk[:, 1] @ np.array(UP[name])))


def _up_axis(
    at_rest: str,
    world: Float[ndarray, "frames 24 3 3"],
    places: Float[ndarray, "frames bones 3"],
    bones: dict[str, int],
    notes: list[str],
) -> str:
    """Let spines and thighs of the whole motion vote on the axis that points up.

    Some tools write a z-up motion over the offsets of a y-up skeleton. Who lies or crawls is not
    upright by both.
    """
    spine = world[:, JOINT_INDEX["pelvis"], :, 1]
    thighs = [_unit(places[:, bones[f"{s}_hip"]] - places[:, bones[f"{s}_knee"]]) for s in "lr"]
    upright = (spine + (thighs[0] + thighs[1]) / 2.0).mean(0) / 2.0
    nearest = nearest_axis(upright, SURELY_UPRIGHT) or at_rest
    if nearest == at_rest:
        return at_rest
    notes.append(
        f"its skeleton has {at_rest} up at rest, but people stand along {nearest} in the motion; "
        f"{nearest} was taken for up."
    )
    return nearest


MOTION = Format(name="bvh", title="BVH motion", matches=_is_bvh, read=_read_bvh)
FORMATS = (MOTION,)
