"""Files as they are found with people: conventions of the tools, but other names or layouts."""

import base64
import json
import pickle
from collections.abc import Callable

import numpy as np
from scipy.spatial.transform import Rotation

from .samples import (
    CENTER,
    FRAMES,
    LENS,
    MIDDLE,
    SAMPLES,
    SHIFT,
    SIZE,
    WALK,
    WEAK,
    Sample,
    npz,
    person,
    romp_square,
    see,
    skeleton,
    smplx_frames,
    world,
)


def romp_list() -> Sample:
    """ROMP's first version: a list of one dict for each person."""
    two = person(2)
    (side, corner), people = romp_square(), []
    for at in range(2):
        flat = WEAK[0] * two.joints[at, :, :2] + WEAK[1:]
        one = {"cam": WEAK, "poses": two.flat[at], "betas": two.betas[at]}
        people.append(one | {"joints": two.joints[at], "pj2d_org": (flat + 1) * side / 2 - corner})
    pixels = people[0]["pj2d_org"][None]
    return Sample(
        data=npz(results=np.array(people)), name="a.npz", pixels=pixels, pose=two.pose[:1]
    )


def romp_without_joints() -> Sample:
    one, (side, corner) = person(1), romp_square()
    pixels = (WEAK[0] * one.joints[..., :2] + WEAK[1:] + 1) * side / 2 - corner
    results = {"cam": WEAK[None], "smpl_thetas": one.flat, "smpl_betas": one.betas}
    return Sample(data=npz(results=results), name="a.npz", pixels=pixels, pose=one.pose, size=SIZE)


def romp_video() -> Sample:
    one, (side, corner) = person(), romp_square()
    pixels = (WEAK[0] * one.joints[..., :2] + WEAK[1:] + 1) * side / 2 - corner
    results = {
        f"{at:06d}.jpg": {
            "cam": WEAK[None],
            "smpl_thetas": one.flat[at : at + 1],
            "smpl_betas": one.betas[at : at + 1],
            "joints": one.joints[at : at + 1],
            "pj2d_org": pixels[at : at + 1],
            "track_ids": np.array([7]),
        }
        for at in range(FRAMES)
    }
    return Sample(data=npz(results=results), name="video_results.npz", pixels=pixels, pose=one.pose)


def gvhmr_flat() -> Sample:
    """GVHMR's nested dicts with joined names, beside the same motion under AMASS's."""
    one = person(space="smplx")
    content = {
        f"smpl_params_incam_{name}": value for name, value in smplx_frames(one, SHIFT).items()
    }
    content |= {
        "poses": one.flat,
        "trans": SHIFT,
        "K_fullimg": np.tile(LENS, (FRAMES, 1, 1)),
    }
    pixels = see(one.joints + SHIFT[:, None], 900.0, MIDDLE)
    return Sample(
        data=npz(**content), name="results.npz", pixels=pixels, pose=one.pose, space="smplx"
    )


def multi_hmr_json() -> Sample:
    one = person(1, space="smplx")
    pelvis = np.array([0.3, -0.2, 4.0])
    vectors = np.zeros((53, 3))
    vectors[:22] = one.pose[0, :22]
    points = one.joints - one.joints[:, :1] + pelvis
    human = {
        "rotation_vector": vectors.tolist(),
        "shape": one.betas[0].tolist(),
        "translation_pelvis": [pelvis.tolist()],
    }
    content = {"camera_intrinsics": LENS.tolist(), "humans": [human]}
    return Sample(
        data=json.dumps(content).encode(),
        name="humans.json",
        pixels=see(points, 900.0, MIDDLE),
        pose=one.pose,
        space="smplx",
    )


def amass_y_up() -> Sample:
    one = person(space="smplx", upright=(0, 0, 0))
    content = {
        "poses": np.concatenate([one.flat[:, :66], np.zeros((FRAMES, 99))], axis=1),
        "betas": one.betas[0],
        "trans": WALK,
    }
    return Sample(
        data=npz(**content),
        name="a.npz",
        pixels=None,
        pose=one.pose,
        space="smplx",
        joints=world(one, WALK),
    )


def easymocap_smplx() -> Sample:
    """Whole hands and face in `poses`, no id."""
    one = person(1, space="smplx", upright=(0, 0, 0))
    one.pose[:, 0] = 0.0
    turn, shift = np.array([3.1, 0.1, 0.0]), np.array([0.1, -1.2, 0.2])
    content = [
        {
            "Rh": [turn.tolist()],
            "Th": [shift.tolist()],
            "poses": np.pad(one.flat[:, :66], np.array([(0, 0), (0, 99)])).tolist(),
            "shapes": one.betas.tolist(),
        }
    ]
    joints = skeleton(one.pose, one.betas, "smplx")
    return Sample(
        data=json.dumps(content).encode(),
        name="000000.json",
        pixels=None,
        pose=one.pose,
        space="smplx",
        joints=joints @ Rotation.from_rotvec(turn).as_matrix().T + shift,
    )


def easymocap_layers() -> Sample:
    """The same turn about the origin beside smplx's own names."""
    sample = easymocap_smplx()
    (content,) = json.loads(sample.data)
    body = content.pop("poses")[0][3:66]
    content |= {"body_pose": [body], "betas": content.pop("shapes"), "global_orient": [[0, 0, 0]]}
    sample.data = json.dumps(content).encode()
    return sample


def agora_placed() -> Sample:
    """A prediction for AGORA's evaluation: no translation, joints in the image."""
    one, scale = person(1), 400.0
    pixels = scale * one.joints[..., :2] + CENTER
    content = {
        "pose2rot": False,
        "params": {
            "global_orient": one.matrices[:, None, :1],
            "body_pose": one.matrices[:, None, 1:],
            "betas": one.betas,
            "transl": np.zeros((1, 3)),
        },
        "joints": np.concatenate([pixels, np.zeros((1, 21, 2))], axis=1),
    }
    return Sample(
        data=pickle.dumps(content),
        name="a_personId_0.pkl",
        pixels=pixels,
        pose=one.pose,
        size=SIZE,
    )


def agora_truth() -> Sample:
    """A person of AGORA itself, under the names of SMPL-X's converter."""
    one = person(1, upright=(0, 0, 0))
    content = {
        "root_pose": one.pose[:, 0],
        "body_pose": one.flat[:, 3:],
        "betas": one.betas,
        "translation": WALK[:1],
    }
    return Sample(
        data=pickle.dumps(content),
        name="a.pkl",
        pixels=None,
        pose=one.pose,
        joints=world(one, WALK[:1]),
    )


def mcs() -> Sample:
    """A scene of glTF: a body of two frames, there from the second on, and a moving camera."""
    one = person(2, space="smplx", upright=(0, 0, 0))
    body = npz(
        codecVersion=np.int32(2),
        smplVersion=np.int32(2),
        frameCount=np.int32(2),
        shapeParameters=one.betas[0].astype(np.float32),
        bodyTranslation=WALK[:2].astype(np.float32),
        bodyPose=one.pose[:, :22].astype(np.float32),
    )
    turns = Rotation.from_rotvec([[3.1, 0.1, 0.0], [3.0, 0.1, 0.1], [2.9, 0.2, 0.1]])
    shifts = np.array([[0.0, 1.0, 4.0], [0.1, 1.0, 4.1], [0.2, 1.1, 4.2]])
    seen_from = turns.inv()
    places = -seen_from.apply(shifts)
    rotations = (seen_from * Rotation.from_rotvec([np.pi, 0, 0])).as_quat()
    parts = [body, *(part.astype("<f4").tobytes() for part in (places, rotations))]
    scene = {
        "scenes": [
            {
                "extensions": {
                    "MC_scene_description": {
                        "num_frames": 3,
                        "smpl_bodies": [{"frame_presence": [1, 3], "bufferView": 0}],
                    }
                }
            }
        ],
        "nodes": [{"children": [1]}, {"camera": 0, "translation": [9, 9, 9]}],
        "cameras": [{"perspective": {"yfov": 2 * np.arctan(300 / 900), "aspectRatio": 800 / 600}}],
        "buffers": [
            {"uri": "data:application/octet-stream;base64," + base64.b64encode(part).decode()}
            for part in parts
        ],
        "bufferViews": [{"buffer": at, "byteLength": len(part)} for at, part in enumerate(parts)],
        "accessors": [{"bufferView": at, "componentType": 5126} for at in (1, 2)],
        "animations": [
            {
                "channels": [
                    {"sampler": at, "target": {"path": path}}
                    for at, path in enumerate(("translation", "rotation"))
                ],
                "samplers": [{"output": 0}, {"output": 1}],
            }
        ],
    }
    points = world(one, WALK[:2])
    pixels = np.stack(
        [
            see(points[at] @ turns[at + 1].as_matrix().T + shifts[at + 1], 900.0, MIDDLE)
            for at in range(2)
        ]
    )
    return Sample(
        data=json.dumps(scene).encode(),
        name="scene.mcs",
        pixels=pixels,
        pose=one.pose,
        space="smplx",
        joints=points,
        size=SIZE,
    )


def threedpw() -> Sample:
    """A sequence of 3DPW: a list of people, a moving camera that one frame does not know."""
    one = person(upright=(0, 0, 0))
    turns = Rotation.from_rotvec([[3.1, 0.1, 0.0], [3.0, 0.1, 0.1], [2.9, 0.2, 0.1]]).as_matrix()
    cameras = np.tile(np.eye(4), (FRAMES, 1, 1))
    cameras[:, :3, :3], cameras[:, :3, 3] = turns, SHIFT
    content = {"cam_poses": cameras, "cam_intrinsics": LENS, "genders": ["m", "f"]}
    content |= {"poses": [one.flat, np.zeros((FRAMES, 72))], "trans": [WALK, WALK + 1.0]}
    content |= {"betas": [one.betas[0], np.zeros(10)]}
    content |= {"campose_valid": [np.array([1, 0, 1]), np.ones(FRAMES)]}
    joints = world(one, WALK)
    pixels = see(joints @ turns.swapaxes(1, 2) + SHIFT[:, None], 900.0, MIDDLE)
    return Sample(
        data=pickle.dumps(content, protocol=2),
        name="downtown_walk_00.pkl",
        pixels=pixels[[0, 2]],
        pose=one.pose[[0, 2]],
        joints=joints[[0, 2]],
    )


def smpl_codec_at_rest() -> Sample:
    """The codec leaves out what is zero."""
    content = {"codecVersion": np.int32(2), "smplVersion": np.int32(0), "gender": np.int32(0)}
    pose, betas = np.zeros((1, 24, 3)), np.zeros((1, 10))
    return Sample(
        data=npz(**content),
        name="a.smpl",
        pixels=None,
        pose=pose,
        joints=skeleton(pose, betas, "smpl"),
    )


VARIANTS: dict[str, tuple[str, Callable[[], Sample]]] = {
    make.__name__: (name, make)
    for name, make in (
        ("3dpw", threedpw),
        ("romp", romp_list),
        ("romp", romp_without_joints),
        ("romp", romp_video),
        ("gvhmr", gvhmr_flat),
        ("multi-hmr", multi_hmr_json),
        ("amass", amass_y_up),
        ("easymocap", easymocap_smplx),
        ("easymocap", easymocap_layers),
        ("agora", agora_placed),
        ("layers", agora_truth),
        ("smpl-codec", smpl_codec_at_rest),
        ("mcs", mcs),
    )
}
"""Variant → the name of its format and what makes it."""
ALL = SAMPLES | VARIANTS
