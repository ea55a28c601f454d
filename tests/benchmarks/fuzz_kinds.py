"""Every kind of file that is read, and what reads it: what `fuzz_formats` spoils."""

import gzip
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from posexfer_core.body.model import BodyModel
from posexfer_core.body.smpl_files import load_body_model
from posexfer_core.export.skinned_glb import skinned_glb_bytes
from posexfer_core.files.containers import read_container
from posexfer_core.files.glb_skins import GlbSkins
from posexfer_core.files.images import load_image, load_mask
from posexfer_core.files.meshes import (
    posed_vertices,
    read_mesh,
    read_moving,
)
from posexfer_core.formats.read import read_params
from posexfer_core.keypoints.detections import read_keypoints
from posexfer_core.keypoints.joint_files import read_joint_file
from posexfer_core.network.autoencoder import AutoencoderConfig, PatchAutoencoder
from posexfer_core.network.model import PoseTransferNetwork
from posexfer_core.network.weights import load_bundle, save_bundle
from tests.posexfer_core.body.sample_params import random_params
from tests.posexfer_core.body.toy_body import toy_smpl_arrays
from tests.posexfer_core.files.glb_changes import changed, without_mesh
from tests.posexfer_core.files.joblib_files import dump, pretended_joblib
from tests.posexfer_core.formats.bvh_samples import MIXAMO, bvh_text
from tests.posexfer_core.formats.variants import ALL
from tests.posexfer_core.network.conftest import TOY_UNET, toy_config


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A sound file, and what reads it."""

    name: str
    """Of the file; its suffix may matter."""
    data: bytes
    read: Callable[[Path], Any]
    content: Any = None
    """What is in it, where its values can be changed and written as a pickle instead."""
    beside: dict[str, bytes] = field(default_factory=dict)
    """Files that lie in the same folder."""


def _params(name: str) -> Kind:
    """A file of another tool."""
    sample = ALL[name][1]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / sample.name
        path.write_bytes(sample.data)
        content = read_container(path)
    return Kind(
        name=sample.name,
        data=sample.data,
        read=lambda path: read_params(path, image_size=sample.size),
        content=content,
        beside=sample.beside,
    )


def _own_params() -> Kind:
    return Kind(name="own.npz", data=_written(random_params().save, "own.npz"), read=read_params)


def _joblib() -> Kind:
    with pretended_joblib() as wrapper:
        data = dump(_params("wham").content, wrapper)
    return Kind(name="wham.pkl", data=data, read=read_params)


def _old_torch() -> Kind:
    file, frames = io.BytesIO(), _params("gvhmr").content
    tensors = {
        name: {key: torch.from_numpy(value) for key, value in part.items()}
        for name, part in frames.items()
        if isinstance(part, dict)
    }
    torch.save(tensors, file, _use_new_zipfile_serialization=False)
    return Kind(name="old.pt", data=file.getvalue(), read=read_params)


def _body_npz() -> Kind:
    file = io.BytesIO()
    np.savez(file, **toy_smpl_arrays(BodyModel.bundled()))  # pyright: ignore[reportArgumentType]
    return Kind(name="toy.npz", data=file.getvalue(), read=load_body_model)


def _body_pickle() -> Kind:
    return Kind(
        name="toy.pkl", data=b"", read=load_body_model, content=toy_smpl_arrays(BodyModel.bundled())
    )


def _keypoints(content: Any, pack: Callable[[bytes], bytes] = bytes) -> Callable[[], Kind]:
    data = pack(json.dumps(content).encode())
    read = _keypoints_read
    return lambda: Kind(name="points.json", data=data, read=read)


def _keypoints_npy() -> Kind:
    file = io.BytesIO()
    np.save(file, np.random.default_rng(0).random((2, 17, 3)) * 300)
    return Kind(name="points.npy", data=file.getvalue(), read=_keypoints_read)


def _keypoints_read(path: Path) -> Any:
    found = read_keypoints(path)
    return found.people(len(found) - 1), found.observation(image_size=(400, 300))


def _joints(content: Any) -> Callable[[], Kind]:
    def read(path: Path) -> Any:
        file = read_joint_file(path)
        return file.joints(len(file) - 1, 0), file.observations(0, (400, 300)).person(0)

    def make() -> Kind:
        file = io.BytesIO()
        np.savez(file, **content)
        return Kind(name="joints.npz", data=file.getvalue(), read=read, content=content)

    return make


def _weights() -> Kind:
    torch.manual_seed(0)
    network = PoseTransferNetwork(toy_config())
    autoencoder = PatchAutoencoder(AutoencoderConfig(latent_channels=4, width=8, blocks=1))

    def save(path: Path) -> None:
        save_bundle(
            path,
            network,
            unet_config={"layers_per_block": TOY_UNET.layers_per_block},
            unet_state={"conv_in.weight": torch.ones(2, 3)},
            autoencoder=autoencoder,
            recipe={"steps": 1},
            dtype=None,
        )

    return Kind(
        name="small.safetensors", data=_written(save, "small.safetensors"), read=load_bundle
    )


def _image(kind: str, mode: str, read: Callable[[Path], object] = load_image) -> Callable[[], Kind]:
    def make() -> Kind:
        levels = np.random.default_rng(0).integers(0, 255, (48, 40, 4), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(levels, "RGBA").convert(mode).save(file, kind)
        return Kind(name=f"a.{kind.lower()}", data=file.getvalue(), read=read)

    return make


def _mesh(suffix: str) -> Callable[[], Kind]:
    def make() -> Kind:
        import trimesh

        ball = trimesh.creation.icosphere(subdivisions=2)
        data = ball.export(file_type=suffix)
        data = data.encode() if isinstance(data, str) else bytes(data)
        return Kind(name=f"ball.{suffix}", data=data, read=read_mesh)

    return make


def _bvh(respell: Callable[[str], str] = str) -> Callable[[], Kind]:
    def make() -> Kind:
        text = bvh_text(BodyModel.bundled(), random_params(frames=2), MIXAMO)
        return Kind(name="walk.bvh", data=respell(text).encode(), read=read_params)

    return make


def _animated(keep_mesh: bool) -> Callable[[], Kind]:
    def read(path: Path) -> Any:
        moving = read_moving(path)
        if isinstance(moving, GlbSkins):
            frames = (None, *range(moving.frames))
            return [posed_vertices(moving, path.name, at) for at in frames][-1]
        return moving

    def make() -> Kind:
        data = skinned_glb_bytes(random_params(frames=2), BodyModel.bundled())
        data = data if keep_mesh else changed(data, without_mesh)
        return Kind(name="walk.glb", data=data, read=read)

    return make


def _reported(name: str) -> Callable[[], Kind]:
    """A file that was reported, as it is; joints are cut to one frame."""

    def make() -> Kind:
        data = (REPORTED / name).read_bytes()
        if name.endswith("joints.npy"):
            file = io.BytesIO()
            np.save(file, np.load(REPORTED / name)[:1])
            data = file.getvalue()
        return Kind(name=name, data=data, read=read_params)

    return make


def _phc() -> Kind:
    motion = {"pose_aa": np.zeros((2, 24, 3)), "trans_orig": np.zeros((2, 3)), "fps": 30}
    return Kind(name="phc.pkl", data=b"", read=read_params, content={"walk": motion})


def _features() -> Kind:
    file, features = io.BytesIO(), np.zeros((2, 263))
    features[:, 3] = 0.9
    joints = np.load(REPORTED / "humanml_joints.npy")[:2]
    joints = joints - joints[:, :1] * (1.0, 0.0, 1.0) + (0.0, 0.9, 0.0)
    features[:, 4:67] = joints[:, 1:].reshape(2, 63)
    np.save(file, features)
    return Kind(name="vecs.npy", data=file.getvalue(), read=read_params)


def _labels() -> Kind:
    rows = np.random.default_rng(0).random((2, 56)).round(4)
    text = "\n".join(" ".join(map(str, row)) for row in rows)
    return Kind(name="labels.txt", data=text.encode(), read=_keypoints_read)


def _written(save: Callable[[Path], None], name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder) / name)
        return (Path(folder) / name).read_bytes()


LANDMARKS = [
    {"x": 0.2 + 0.02 * at, "y": 0.9 - 0.02 * at, "z": 0.1 - 0.01 * at, "visibility": 0.9}
    for at in range(33)
]
MEDIAPIPE = {
    "width": 300,
    "height": 400,
    "frames": [{"pose_landmarks": [LANDMARKS], "pose_world_landmarks": [LANDMARKS]}],
}
JOINTS = np.random.default_rng(0).random((2, 1, 70, 3)) + 2.0
FLAT = [value for at in range(25) for value in (20.0 + 4 * at, 300.0 - 7 * at, 0.9)]
OPENPOSE = {"people": [{"pose_keypoints_2d": FLAT}]}
POSE_KEYPOINT = [{**OPENPOSE, "canvas_height": 400, "canvas_width": 300}]
COCO = {
    "images": [{"id": 1, "height": 400, "width": 300}],
    "annotations": [{"image_id": 1, "keypoints": FLAT[:51], "category_id": 1}],
}
BOXED = [value + 100.0 * (at % 3 == 0) for at, value in enumerate(FLAT)]
LETTERBOX = [{"people": [{"pose_keypoints_2d": BOXED}], "canvas_height": 640, "canvas_width": 640}]
"""A canvas in whose middle the image of 300x400 is 480 pixels wide."""

ULTRALYTICS = [
    {"name": "person", "keypoints": {"x": FLAT[:51:3], "y": FLAT[1:51:3], "visible": [0.9] * 17}}
]
REPORTED = Path(__file__).parents[1] / "data/reported_cases"

KINDS: dict[str, Callable[[], Kind]] = {
    **{name: (lambda name=name: _params(name)) for name in ALL},
    "own": _own_params,
    "joblib": _joblib,
    "old_torch": _old_torch,
    "body_npz": _body_npz,
    "body_pickle": _body_pickle,
    "openpose": _keypoints(OPENPOSE),
    "pose_keypoint": _keypoints(POSE_KEYPOINT),
    "coco": _keypoints(COCO),
    "packed_coco": _keypoints(COCO, gzip.compress),
    "letterbox": _keypoints(LETTERBOX),
    "mediapipe": _keypoints(MEDIAPIPE),
    "nlf_joints": _joints({"joints3d_nonparam": JOINTS[:, :, :24]}),
    "mhr_joints": _joints(
        {"pred_keypoints_3d": JOINTS[0, 0], "pred_cam_t": np.zeros(3), "focal_length": 900.0}
    ),
    "joint_arrays": _joints({"joints_3d": JOINTS[:, :, :33]}),
    "keypoints_npy": _keypoints_npy,
    "ultralytics": _keypoints(ULTRALYTICS),
    "yolo_labels": _labels,
    "hybrik": _reported("hybrik_res.pkl"),
    "mdm": _reported("mdm_smpl_params.npy"),
    "humanml_joints": _reported("humanml_joints.npy"),
    "humanml_features": _features,
    "phc": _phc,
    "weights": _weights,
    "bvh": _bvh(),
    "bvh_remarks": _bvh(lambda text: "# exported\n" + text.replace("\n", "\n// a remark\n")),
    "bvh_at_rest": _bvh(lambda text: text.partition("MOTION")[0]),
    "obj": _mesh("obj"),
    "ply": _mesh("ply"),
    "glb": _mesh("glb"),
    "stl": _mesh("stl"),
    "animated_glb": _animated(keep_mesh=True),
    "skeleton_glb": _animated(keep_mesh=False),
    "png": _image("PNG", "RGBA"),
    "mask": _image("PNG", "LA", load_mask),
    "jpeg": _image("JPEG", "RGB"),
    "webp": _image("WEBP", "RGB"),
    "gif": _image("GIF", "P"),
    "tiff": _image("TIFF", "RGB"),
    "bmp": _image("BMP", "RGB"),
}
"""Name → what makes the file."""


@cache
def kind(name: str) -> Kind:
    """Make a kind once."""
    return KINDS[name]()
