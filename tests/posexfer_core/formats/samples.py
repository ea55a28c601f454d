"""Files as other tools write them, and the pixels where each tool sees the joints.

Poses, skeletons and cameras are computed here with scipy and plain formulas, not with the code
under test. `SAMPLES` maps the name of a format to what makes its sample.
"""

import io
import json
import pickle
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from posexfer_core.body.joints import PARENTS
from posexfer_core.body.model import BodyModel

SIZE = (600, 800)
FRAMES = 3


@cache
def tagged_body(beta_space: str) -> BodyModel:
    """The bundled body, pretending to be of another family."""
    body = BodyModel.bundled()
    body.beta_space = beta_space
    return body


@dataclass(kw_only=True)
class Sample:
    """A file and what must come out of it."""

    data: bytes
    name: str
    pixels: np.ndarray | None
    """(frames, joints, 2), or None where the tool has no camera."""
    pose: np.ndarray
    """(frames, 24, 3) axis-angle."""
    space: str = "smpl"
    joints: np.ndarray | None = None
    """(frames, 24, 3) in the file's own world, where there is one."""
    size: tuple[int, int] | None = None
    """To be given by the caller."""
    beside: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Person:
    """Random poses, upright before a camera, and the skeleton they make."""

    pose: np.ndarray
    betas: np.ndarray
    joints: np.ndarray

    @property
    def matrices(self) -> np.ndarray:
        return Rotation.from_rotvec(self.pose.reshape(-1, 3)).as_matrix().reshape(-1, 24, 3, 3)

    @property
    def flat(self) -> np.ndarray:
        return self.pose.reshape(len(self.pose), -1)


def skeleton(pose: np.ndarray, betas: np.ndarray, space: str) -> np.ndarray:
    """Joints of each frame; the root turns about the pelvis."""
    _, rest = tagged_body(space).rest(torch.from_numpy(betas).float())
    rest = rest.double().numpy()
    joints = np.zeros_like(rest)
    for frame in range(len(pose)):
        world = []
        for joint, parent in enumerate(PARENTS):
            turn = Rotation.from_rotvec(pose[frame, joint])
            if parent < 0:
                world.append(turn)
                joints[frame, joint] = rest[frame, joint]
            else:
                world.append(world[parent] * turn)
                bone = rest[frame, joint] - rest[frame, parent]
                joints[frame, joint] = joints[frame, parent] + world[parent].apply(bone)
    return joints


def person(
    frames: int = FRAMES, space: str = "smpl", seed: int = 0, upright: Any = (np.pi, 0, 0)
) -> Person:
    """Make a person whose spine points along the file's up; SMPL-H and -X have no hand joints."""
    return deepcopy(_person(frames, space, seed, upright))


@cache
def _person(frames: int, space: str, seed: int, upright: Any) -> Person:
    random = np.random.default_rng(seed)
    pose = random.normal(0, 0.35, (frames, 24, 3))
    root = Rotation.from_rotvec(random.normal(0, 0.2, (frames, 3)))
    pose[:, 0] = (Rotation.from_rotvec(upright) * root).as_rotvec()
    if space != "smpl":
        pose[:, 22:] = 0.0
    betas = np.repeat(random.normal(0, 1, (1, 10)), frames, axis=0)
    return Person(pose, betas, skeleton(pose, betas, space))


def see(points: np.ndarray, focal: Any, center: Any) -> np.ndarray:
    """Pinhole: `f x / z + c`."""
    return focal * points[..., :2] / points[..., 2:] + np.asarray(center)


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy(value: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, value, allow_pickle=True)
    return file.getvalue()


def torch_file(value: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def objects(values: list[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


WIDTH_HEIGHT = np.array([SIZE[1], SIZE[0]], float)
MIDDLE = WIDTH_HEIGHT / 2
CENTER = np.array([470.0, 250.0])
BOX = 380.0
WEAK = np.array([0.85, 0.05, 0.12])
SHIFT = np.array([[0.2, 0.1, 6.0], [0.25, 0.1, 6.1], [0.3, 0.1, 6.2]])
HMR_FOCAL = 5000 / 256 * 800


def hmr2() -> Sample:
    one = person(2)
    rotations = one.matrices
    content = {
        "pred_smpl_params": {
            "global_orient": torch.from_numpy(rotations[:, :1]).float(),
            "body_pose": torch.from_numpy(rotations[:, 1:]).float(),
            "betas": torch.from_numpy(one.betas).float(),
        },
        "pred_cam": torch.tensor(np.tile(WEAK, (2, 1))),
        "box_center": torch.tensor(np.tile(CENTER, (2, 1))),
        "box_size": torch.tensor([BOX, BOX]),
        "img_size": torch.tensor(np.tile(WIDTH_HEIGHT, (2, 1))),
        "focal_length": torch.full((2, 2), 5000.0),
    }
    px_per_unit = BOX * WEAK[0]
    shift = np.append(WEAK[1:] + 2 * (CENTER - MIDDLE) / px_per_unit, 2 * HMR_FOCAL / px_per_unit)
    pixels = see(one.joints + shift, HMR_FOCAL, MIDDLE)
    return Sample(data=torch_file(content), name="out.pt", pixels=pixels[:1], pose=one.pose[:1])


def hmr2_crop() -> Sample:
    one = person(1)
    shift = np.array([WEAK[1], WEAK[2], 2 * 5000 / (256 * WEAK[0])])
    content = {
        "pred_smpl_params": {
            "global_orient": one.matrices[:, :1],
            "body_pose": one.matrices[:, 1:],
            "betas": one.betas,
        },
        "pred_cam_t": shift[None],
        "focal_length": np.full((1, 2), 5000.0),
    }
    pixels = see(one.joints + shift, 5000.0, (128.0, 128.0))
    return Sample(data=pickle.dumps(content), name="out.pkl", pixels=pixels, pose=one.pose)


def phalp() -> Sample:
    one, frames = person(), {}
    shift = np.array([0.1, -0.2, 110.0])
    for at in range(FRAMES):
        smpl = {
            "global_orient": one.matrices[at, :1],
            "body_pose": one.matrices[at, 1:],
            "betas": one.betas[at],
        }
        frames[f"img/{at:06d}.jpg"] = {
            "time": at,
            "shot": 0,
            "tid": [7],
            "bbox": [np.zeros(4)],
            "smpl": [smpl],
            "camera": [shift],
            "size": [[SIZE[0], SIZE[1]]],
        }
    pixels = see(one.joints + shift, HMR_FOCAL, MIDDLE)
    return Sample(data=pickle.dumps(frames), name="demo.pkl", pixels=pixels, pose=one.pose)


def champ_frame() -> Sample:
    one, shift = person(1), np.array([[0.1, 0.2, 90.0]])
    content = {
        "verts": np.zeros((1, 10, 3)),
        "cam_t": shift,
        "render_res": WIDTH_HEIGHT,
        "smpls": {
            "global_orient": one.matrices[:, :1],
            "body_pose": one.matrices[:, 1:],
            "betas": one.betas,
        },
        "scaled_focal_length": np.array(HMR_FOCAL),
    }
    pixels = see(one.joints + shift, HMR_FOCAL, MIDDLE)
    return Sample(data=npy(content), name="0001.npy", pixels=pixels, pose=one.pose)


def champ_group() -> Sample:
    one = person()
    people = [
        {
            "global_orient": one.matrices[at : at + 1, :1],
            "body_pose": one.matrices[at : at + 1, 1:],
            "betas": one.betas[at : at + 1],
        }
        for at in range(FRAMES)
    ]
    shift = np.array([[0.1, 0.2, 90.0]] * FRAMES)
    frame = champ_frame()
    return Sample(
        data=npz(smpl=objects(people), camera=shift),
        name="smpls_group.npz",
        pixels=see(one.joints + shift[:, None], HMR_FOCAL, MIDDLE),
        pose=one.pose,
        beside={"0001.npy": frame.data},
    )


def frankmocap() -> Sample:
    one = person(1)
    corner, ratio = np.array([120.0, 30.0]), 0.45
    content = [
        {
            "pred_body_pose": one.flat.astype(np.float32),
            "pred_rotmat": one.matrices,
            "pred_betas": one.betas,
            "pred_camera": WEAK,
            "bbox_top_left": corner,
            "bbox_scale_ratio": ratio,
            "faces": np.zeros((4, 3), np.int32),
        }
    ]
    ndc = WEAK[0] * one.joints[..., :2] + WEAK[1:]
    pixels = (ndc + 1) * 112 / ratio + corner
    return Sample(data=pickle.dumps(content), name="a.p", pixels=pixels, pose=one.pose, size=SIZE)


def vibe() -> Sample:
    one = person()
    boxes = np.tile([*CENTER, BOX, BOX], (FRAMES, 1))
    scale = WEAK[0] * BOX / WIDTH_HEIGHT
    shift = (CENTER - MIDDLE) / MIDDLE / scale + WEAK[1:]
    content = {
        1: {
            "pred_cam": np.tile(WEAK, (FRAMES, 1)),
            "orig_cam": np.tile([*scale, *shift], (FRAMES, 1)),
            "pose": one.flat,
            "betas": one.betas,
            "bboxes": boxes,
            "frame_ids": np.arange(FRAMES),
        }
    }
    pixels = (scale * (one.joints[..., :2] + shift) + 1) * MIDDLE
    return Sample(data=pickle.dumps(content), name="out.pkl", pixels=pixels, pose=one.pose)


def pare() -> Sample:
    sample, one = vibe(), person()
    content = pickle.loads(sample.data)
    content[1]["pose"] = one.matrices.astype(np.float32)
    sample.data = pickle.dumps(content)
    return sample


def cliff() -> Sample:
    one = person()
    content = {
        "imgname": np.array([f"{at}.jpg" for at in range(FRAMES)]),
        "pose": one.flat,
        "shape": one.betas,
        "global_t": SHIFT,
        "focal_l": np.full(FRAMES, 1000.0),
        "detection_all": np.zeros((FRAMES, 8)),
    }
    pixels = see(one.joints + SHIFT[:, None], 1000.0, MIDDLE)
    return Sample(
        data=npz(**content), name="a_cliff_hr48.npz", pixels=pixels, pose=one.pose, size=SIZE
    )


def romp_square() -> tuple[float, np.ndarray]:
    """800 x 600 is padded to a square of 800, 100 rows above."""
    return 800.0, np.array([0.0, 100.0])


def romp() -> Sample:
    one, (side, corner) = person(1), romp_square()
    flat = WEAK[0] * one.joints[..., :2] + WEAK[1:]
    pixels = (flat + 1) * side / 2 - corner
    results = {
        "cam": WEAK[None],
        "smpl_thetas": one.flat,
        "smpl_betas": one.betas,
        "cam_trans": 2.05 * np.array([[WEAK[1], WEAK[2], 1.0]]) / WEAK[0],  # fitted by itself
        "joints": one.joints,
        "pj2d_org": pixels,
    }
    return Sample(data=npz(results=results), name="a.npz", pixels=pixels, pose=one.pose)


def bev() -> Sample:
    one, (side, corner) = person(1), romp_square()
    shift = np.array([0.2, 0.3, 5.0])
    joints = one.joints - one.joints[:, 1:3].mean(axis=1)  # from the middle between the hips
    pixels = see(joints + shift, 443.4 / 512 * side, side / 2 - corner)
    results = {
        "cam": WEAK[None],
        "smpl_thetas": one.flat,
        "smpl_betas": np.pad(one.betas, np.array([(0, 0), (0, 1)])),
        "cam_trans": shift[None],
        "joints": joints,
        "pj2d_org": pixels,
    }
    return Sample(data=npz(results=results), name="a.npz", pixels=pixels, pose=one.pose)


def wham() -> Sample:
    one = person()
    content = defaultdict(dict)
    content[0] |= {
        "pose": one.flat,
        "trans": SHIFT,
        "pose_world": one.flat,
        "trans_world": SHIFT,
        "betas": one.betas,
        "frame_ids": np.arange(FRAMES),
    }
    pixels = see(one.joints + SHIFT[:, None], 1000.0, MIDDLE)
    return Sample(
        data=pickle.dumps(content), name="wham.pkl", pixels=pixels, pose=one.pose, size=SIZE
    )


def tram() -> Sample:
    one = person()
    content = {
        "pred_cam": torch.ones(FRAMES, 3),
        "pred_rotmat": torch.from_numpy(one.matrices).float(),
        "pred_shape": torch.from_numpy(one.betas),
        "pred_trans": torch.from_numpy(SHIFT[:, None]),
        "frame": torch.arange(FRAMES),
    }
    camera = {"img_focal": 950.0, "img_center": MIDDLE, "pred_cam_R": torch.eye(3)[None]}
    pixels = see(one.joints + SHIFT[:, None], 950.0, MIDDLE)
    return Sample(
        data=npy(content),
        name="hps_track_0.npy",
        pixels=pixels,
        pose=one.pose,
        beside={"camera.npy": npy(camera)},
    )


def tram_six_numbers() -> Sample:
    sample, one = tram(), person()
    interleaved = one.matrices[..., :2].reshape(FRAMES, -1)
    sample.data = npy(
        {"pred_pose": interleaved, "pred_shape": one.betas, "pred_trans": SHIFT[:, None]}
    )
    return sample


LENS = np.array([[900.0, 0, 400.0], [0, 900.0, 300.0], [0, 0, 1]])


def smplx_frames(one: Person, shift: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "body_pose": one.pose[:, 1:22].reshape(len(one.pose), 63),
        "betas": one.betas,
        "global_orient": one.pose[:, 0],
        "transl": shift,
    }


def gvhmr() -> Sample:
    one = person(space="smplx")
    frames = {
        key: torch.from_numpy(value).float() for key, value in smplx_frames(one, SHIFT).items()
    }
    content = {
        "smpl_params_global": frames,
        "smpl_params_incam": frames,
        "K_fullimg": torch.from_numpy(np.tile(LENS, (FRAMES, 1, 1))),
        "net_outputs": {"x": torch.zeros(2)},
    }
    pixels = see(one.joints + SHIFT[:, None], 900.0, MIDDLE)
    return Sample(
        data=torch_file(content),
        name="hmr4d_results.pt",
        pixels=pixels,
        pose=one.pose,
        space="smplx",
    )


def motion_capture() -> Sample:
    one = person(space="smplx")
    content = smplx_frames(one, SHIFT)
    content |= {"global_orient_incam": one.pose[:, 0], "transl_incam": SHIFT}
    content["global_orient"] = np.zeros((FRAMES, 3))
    content["K_fullimg"] = np.tile(LENS, (FRAMES, 1, 1))
    pixels = see(one.joints + SHIFT[:, None], 900.0, MIDDLE)
    return Sample(
        data=npz(**content, img_width=800, img_height=600),
        name="motion.npz",
        pixels=pixels,
        pose=one.pose,
        space="smplx",
    )


def motion_capture_world() -> Sample:
    one = person(space="smplx", upright=(0, 0, 0))
    shift = np.array([[0.1, 1.0, 0.2]] * FRAMES)
    turn = Rotation.from_euler("yx", [20, 180], degrees=True).as_matrix()
    place = np.array([0.5, 1.2, 5.0])
    content = smplx_frames(one, shift) | {
        "R_cam2world": np.tile(turn, (FRAMES, 1, 1)),
        "t_cam2world": np.tile(place, (FRAMES, 1)),
        "K_fullimg": np.tile(LENS, (FRAMES, 1, 1)),
    }
    points = (one.joints + shift[:, None] - place) @ turn  # R^T (x - t)
    pixels = see(points, 900.0, MIDDLE)
    return Sample(
        data=npz(**content), name="motion.npz", pixels=pixels, pose=one.pose, space="smplx"
    )


def prompthmr() -> Sample:
    one = person(space="smplx")
    rotations = np.tile(np.eye(3), (FRAMES, 55, 1, 1))
    rotations[:, :22] = one.matrices[:, :22]
    content = {
        "people": {
            1: {
                "frames": np.arange(FRAMES),
                "smplx_cam": {"rotmat": rotations, "shape": one.betas, "trans": SHIFT},
            }
        },
        "camera_world": {"img_focal": 870.0, "img_center": MIDDLE},
    }
    pixels = see(one.joints + SHIFT[:, None], 870.0, MIDDLE)
    return Sample(
        data=pickle.dumps(content), name="results.pkl", pixels=pixels, pose=one.pose, space="smplx"
    )


def multi_hmr() -> Sample:
    one = person(1, space="smplx")
    pelvis = np.array([0.3, -0.2, 4.0])
    vectors = np.zeros((53, 3))
    vectors[:22] = one.pose[0, :22]
    points = one.joints - one.joints[:, :1] + pelvis
    pixels = see(points, 776.0, (448.0, 448.0))
    human = {
        "scores": 0.9,
        "rotvec": torch.from_numpy(vectors),
        "shape": torch.from_numpy(one.betas[0]),
        "transl": torch.zeros(3),
        "transl_pelvis": torch.from_numpy(pelvis[None]),
        "j3d": torch.from_numpy(points[0]),
        "j2d": torch.from_numpy(pixels[0]),
    }
    return Sample(
        data=pickle.dumps([human]), name="humans.pkl", pixels=pixels, pose=one.pose, space="smplx"
    )


def nlf() -> Sample:
    one, shift = person(1), np.array([[0.2, 0.1, 4.0]])
    focal = 400 / np.tan(np.radians(27.5))
    content = {
        "pose": one.flat,
        "betas": one.betas,
        "trans": shift,
        "joints3d": one.joints + shift,
        "vertices3d": np.zeros((1, 9, 3)),
    }
    return Sample(
        data=npz(**content),
        name="nlf.npz",
        pixels=see(one.joints + shift, focal, MIDDLE),
        pose=one.pose,
        size=SIZE,
    )


def smplify_x() -> Sample:
    one = person(1, space="smplx")
    turn = Rotation.from_rotvec([0.0, 0.1, 0.0]).as_matrix()
    shift = np.array([0.1, 0.3, 30.0])
    content = {
        "camera_rotation": turn[None].astype(np.float32),
        "camera_translation": shift[None],
        "betas": one.betas,
        "global_orient": one.pose[:, 0],
        "body_pose": one.pose[:, 1:22].reshape(1, 63),
        "left_hand_pose": np.zeros((1, 12)),
        "jaw_pose": np.zeros((1, 3)),
        "expression": np.zeros((1, 10)),
    }
    points = one.joints @ turn.T + shift
    return Sample(
        data=pickle.dumps(content, protocol=2),
        name="000.pkl",
        pixels=see(points, 5000.0, MIDDLE),
        pose=one.pose,
        space="smplx",
        size=SIZE,
    )


def world(one: Person, shift: np.ndarray) -> np.ndarray:
    return one.joints + shift[:, None]


WALK = np.array([[0.0, 0.1, 0.9], [0.1, 0.1, 0.9], [0.2, 0.1, 0.9]])


def amass_h() -> Sample:
    one = person(space="smplh", upright=(np.pi / 2, 0, 0))
    content = {
        "poses": np.concatenate([one.flat[:, :66], np.zeros((FRAMES, 90))], axis=1),
        "betas": np.append(one.betas[0], np.ones(6)),
        "dmpls": np.zeros((FRAMES, 8)),
        "trans": WALK,
        "gender": np.array(b"male"),
        "mocap_framerate": 120.0,
    }
    return Sample(
        data=npz(**content),
        name="walk_poses.npz",
        pixels=None,
        pose=one.pose,
        space="smplh",
        joints=world(one, WALK),
    )


def amass_x() -> Sample:
    one = person(space="smplx", upright=(np.pi / 2, 0, 0))
    content = {
        "surface_model_type": "smplx",
        "root_orient": one.pose[:, 0],
        "pose_body": one.flat[:, 3:66],
        "pose_hand": np.zeros((FRAMES, 90)),
        "pose_jaw": np.zeros((FRAMES, 3)),
        "pose_eye": np.zeros((FRAMES, 6)),
        "betas": np.append(one.betas[0], np.zeros(6)),
        "trans": WALK,
        "gender": "neutral",
        "mocap_frame_rate": 120.0,
    }
    return Sample(
        data=npz(**content),
        name="walk_stageii.npz",
        pixels=None,
        pose=one.pose,
        space="smplx",
        joints=world(one, WALK),
    )


def aist() -> Sample:
    one = person(upright=(0, 0, 0))
    one.betas[:] = 0.0
    one.joints = skeleton(one.pose, one.betas, "smpl")
    content = {"smpl_poses": one.flat, "smpl_trans": WALK * 93.5, "smpl_scaling": np.array([93.5])}
    return Sample(
        data=pickle.dumps(content),
        name="gBR_sBM.pkl",
        pixels=None,
        pose=one.pose,
        joints=world(one, WALK),
    )


def easymocap() -> Sample:
    one = person(1, upright=(0, 0, 0))
    one.pose[:, 0] = 0.0
    joints = skeleton(one.pose, one.betas, "smpl")
    turn, shift = np.array([0.1, 1.2, 0.2]), np.array([0.4, 0.3, 0.2])
    content = [
        {
            "id": 3,
            "Rh": [turn.tolist()],
            "Th": [shift.tolist()],
            "poses": one.flat.tolist(),
            "shapes": one.betas.tolist(),
        }
    ]
    placed = joints @ Rotation.from_rotvec(turn).as_matrix().T + shift
    return Sample(
        data=json.dumps(content).encode(),
        name="000000.json",
        pixels=None,
        pose=one.pose,
        joints=placed,
    )


def agora() -> Sample:
    one = person(1)
    content = {
        "pose2rot": False,
        "num_betas": 10,
        "gender": "neutral",
        "params": {
            "global_orient": torch.from_numpy(one.matrices[:, None, :1]),
            "body_pose": torch.from_numpy(one.matrices[:, None, 1:]),
            "betas": torch.from_numpy(one.betas),
            "transl": torch.from_numpy(SHIFT[:1]),
        },
    }
    return Sample(
        data=pickle.dumps(content),
        name="a_personId_0.pkl",
        pixels=None,
        pose=one.pose,
        joints=world(one, SHIFT[:1]),
    )


def humandata() -> Sample:
    one = person()
    content = {
        "smpl": {
            "body_pose": one.pose[:, 1:].tolist(),
            "global_orient": one.pose[:, 0],
            "betas": one.betas,
            "transl": SHIFT,
        },
        "meta": {"gender": ["male"] * FRAMES},
        "bbox_xywh": np.zeros((FRAMES, 5)),
    }
    return Sample(
        data=npz(**content), name="a.npz", pixels=None, pose=one.pose, joints=world(one, SHIFT)
    )


def layers() -> Sample:
    one, focal = person(1, space="smplx"), np.array([820.0, 840.0])
    content = {
        "global_orient": one.pose[:, 0],
        "body_pose": one.pose[0, 1:22],
        "betas": one.betas,
        "transl": SHIFT[:1],
        "focal": focal,
        "princpt": MIDDLE,
    }
    pixels = see(one.joints + SHIFT[:1], focal, MIDDLE)
    return Sample(data=npz(**content), name="a.npz", pixels=pixels, pose=one.pose, space="smplx")


def smpl_codec() -> Sample:
    one = person(space="smplx", upright=(0, 0, 0))
    content = {
        "codecVersion": np.int32(2),
        "smplVersion": np.int32(2),
        "gender": np.int32(0),
        "shapeParameters": one.betas[0].astype(np.float32),
        "frameCount": np.int32(FRAMES),
        "frameRate": np.float32(30),
        "bodyTranslation": WALK.astype(np.float32),
        "bodyPose": one.pose[:, :22].astype(np.float32),
    }
    return Sample(
        data=npz(**content),
        name="a.smpl",
        pixels=None,
        pose=one.pose,
        space="smplx",
        joints=world(one, WALK),
    )


SAMPLES: dict[str, tuple[str, Callable[[], Sample]]] = {
    make.__name__: (name, make)
    for name, make in (
        ("hmr2", hmr2),
        ("hmr2", hmr2_crop),
        ("phalp", phalp),
        ("champ", champ_frame),
        ("champ", champ_group),
        ("frankmocap", frankmocap),
        ("vibe", vibe),
        ("vibe", pare),
        ("cliff", cliff),
        ("romp", romp),
        ("romp", bev),
        ("wham", wham),
        ("tram", tram),
        ("tram", tram_six_numbers),
        ("gvhmr", gvhmr),
        ("motion-capture", motion_capture),
        ("motion-capture", motion_capture_world),
        ("prompthmr", prompthmr),
        ("multi-hmr", multi_hmr),
        ("nlf", nlf),
        ("smplify-x", smplify_x),
        ("amass", amass_h),
        ("amass", amass_x),
        ("aist", aist),
        ("easymocap", easymocap),
        ("agora", agora),
        ("humandata", humandata),
        ("layers", layers),
        ("smpl-codec", smpl_codec),
    )
}
"""Sample → the name of its format and what makes it."""


def write(sample: Sample, folder: Path) -> Path:
    """Put a sample on disk."""
    for name, data in sample.beside.items():
        (folder / name).write_bytes(data)
    path = folder / sample.name
    path.write_bytes(sample.data)
    return path
