"""Files with the names of smplx's layers: `global_orient`, `body_pose`, `betas`, `transl`.

AGORA, mmhuman3d's HumanData, SMPLer-X, SMPLest-X, ExPose, SHAPY, and whatever else
keeps what it hands to smplx.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from ..body.model import BodyModel
from ..errors import ParamsError
from ..files.containers import read_container
from ..files.fields import Fields, keys_of
from ..geometry.camera_conversions import far_pinhole, front_view, same_view, up_axis
from ..geometry.so3 import exp_map
from .format import Format, has
from .hands_face import hands_face_of_names
from .named_lens import named_center, named_lens, named_matrix, named_size, with_lens
from .track import Lens, Source, Track, layer_pose

ROOT = ("global_orient", "root_pose")
"""The second is how SMPL-X's converter to SMPL names it, and AGORA's own people."""
PLACE = ("transl", "translation", "cam_trans", "trans", "cam_t", "pred_cam_t", "camera_translation")
PARTS = ("params", "smplx", "smpl", "smpl_params", "smplx_params", "smplx_param", "smpl_param")
AGORA_SIZE = (2160, 3840)
USE = "its lens looks through the middle of"
SHARED_JOINTS = 22
"""Joints at the front of SMPL's and SMPL-X's lists that are the same in both."""


_is_layer = has("body_pose", one_of=ROOT)


def _layer_part(content: Any) -> str | None:
    """Find where the names of smplx's layers are: on top, or one level down."""
    if _is_layer(content):
        return ""
    if isinstance(content, dict):
        return next((name for name in PARTS if _is_layer(content.get(name))), None)
    return None


def _is_humandata(content: Any) -> bool:
    part = _layer_part(content)
    return part in ("smpl", "smplx") and bool({"meta", "config", "bbox_xywh"} & keys_of(content))


def _is_agora(content: Any) -> bool:
    return _layer_part(content) == "params"


def _is_layers(content: Any) -> bool:
    return _layer_part(content) is not None


def _read_agora(source: Source) -> list[Track]:
    """Read one person; without a translation, it is solved from the joints in the image."""
    (track,) = _read_layers(source)
    fields = source.fields
    if "joints" not in fields or (track.transl**2).sum() > 0:
        return [track]
    joints = fields.array("joints")
    if joints.shape[-1:] != (2,) or joints.size < 2 * SHARED_JOINTS:
        return [track]
    return [_placed(track, joints.reshape(-1, 2)[:SHARED_JOINTS], source)]


def _read_layers(source: Source) -> list[Track]:
    """Read rows as frames of one person, with the camera if the file has one.

    HumanData keeps no camera of the whole image.
    """
    part = _layer_part(source.content)
    if part is None:
        raise ParamsError(f"{source.path.name} has no global_orient and body_pose.")
    whole = source.fields
    fields = whole.part(part) if part else whole
    pose, joints = layer_pose(fields, ROOT)
    count = len(pose)
    placed = any(name in fields for name in PLACE)
    track = Track(
        pose=pose,
        betas=fields.betas("betas", count=count),
        transl=fields.rows(*PLACE, width=3, count=count) if placed else np.zeros((count, 3)),
        lens=(np.zeros((count, 3, 3)), (1, 1)),
        beta_space="smpl" if joints == 23 else "smplx",
        hands_face=hands_face_of_names(fields, count),
    )
    return [_seen(track, source, whole)]


def _seen(track: Track, source: Source, fields: Fields) -> Track:
    """Add the camera: the file's, one with a guessed lens, or a made-up one."""
    count, notes = len(track.pose), []
    up = up_axis(track.pose[:, 0])
    pelvis = track.transl + source.pelvis(track.betas, track.beta_space)
    lens, camera = _layer_lens(source, fields, count, notes), None
    if lens is None and up == "-y" and track.transl[:, 2].min() > 0.3:  # in a camera's frame
        lens = source.diagonal_lens(notes, count)
        notes.append(f"{source.path.name} holds no focal length; the diagonal was taken.")
    elif lens is None and up == "-y" and not track.transl.any():
        lens, camera = same_view(pelvis, source.image_size)
    elif lens is None:
        lens, camera = front_view(track.pose[:, 0], pelvis, up, source.image_size)
    return replace(track, lens=lens, camera_from_world=camera, notes=notes)


def _layer_lens(source: Source, fields: Fields, count: int, notes: list[str]) -> Lens | None:
    """Read the lens under the names in use: a matrix, or focal length and principal point."""
    if "focal" not in fields:
        fields = with_lens(_meta(source) or fields)
    matrices, written = named_matrix(fields, count), named_size(fields)
    if matrices is not None:
        return matrices, source.image_size or written or source.size_around(matrices[0, :2, 2])
    center = named_center(fields)
    size = source.image_size or written
    if size is None and center is not None:
        size = _box_size(source, fields, center, notes)
    told: list[str] = []
    lens = named_lens(source, fields, size or source.size_or_default(told, USE), count, told)
    notes += told if lens is not None else []
    return lens


def _meta(source: Source) -> Fields | None:
    """Open what SMPLer-X writes beside `smplx/00001_0.npz`: the lens, in `meta/00001_0.json`."""
    path = source.path.parent.parent / "meta" / f"{source.path.stem}.json"
    if source.path.parent.name != "smplx" or not path.is_file():
        return None
    return Fields(read_container(path), f"meta/{path.name}")


def _box_size(
    source: Source, fields: Fields, center: np.ndarray, notes: list[str]
) -> tuple[int, int]:
    """Guess the image: the lens looks through its middle, or through that of a person's box.

    ExPose tells the width and the height by how far the lens is shifted, in widths.
    """
    if "shift_x" in fields and "shift_y" in fields:
        width = center[0] / (0.5 - fields.number("shift_x"))
        height = 2.0 * (center[1] - fields.number("shift_y") * width)
        if 1.0 <= width < 1e5 and 1.0 <= height < 1e5:
            return round(height), round(width)
    if "bbox" not in fields:
        return round(2 * center[1]), round(2 * center[0])
    left, top, width, height = fields.rows("bbox", width=4)[0]
    return source.size_or_box(notes, left + width, top + height)


def _placed(track: Track, seen: Float[np.ndarray, "joints 2"], source: Source) -> Track:
    """Place one person by SMPL's joints in the image: a weak perspective by least squares.

    The skeleton is the caller's body's if that is of the file's family, else the bundled body's,
    whose proportions differ a little.
    """
    body = source.body
    exact = body is not None and body.beta_space == track.beta_space
    if body is None or not exact:
        body = BodyModel.bundled()
    betas = torch.from_numpy(track.betas[:1] * exact).to(body.v_template)
    rotations = torch.from_numpy(exp_map(track.pose[:1])).to(body.v_template)
    joints = body(rotations, betas, torch.zeros(1, 3).to(body.v_template)).joints[0]
    flat = (joints - joints[0])[: len(seen), :2].double().cpu().numpy()
    spread = flat - flat.mean(axis=0)
    scale = float((spread * (seen - seen.mean(axis=0))).sum() / (spread**2).sum())
    if not scale > 0:
        return track
    pelvis = source.pelvis(track.betas, track.beta_space)
    at = seen.mean(axis=0) - scale * flat.mean(axis=0)
    intrinsics, transl = far_pinhole(np.array([scale]), at - scale * pelvis[:, :2], pelvis)
    size = source.image_size or AGORA_SIZE
    notes = [
        f"{source.path.name} holds joints in the image but no camera; the person was placed by "
        "them. For exact pixels, give the body file of these betas."
    ]
    return replace(
        track,
        transl=transl,
        lens=(intrinsics, size),
        camera_from_world=None,
        notes=notes,
    )


FORMATS = (
    Format(name="agora", title="AGORA", matches=_is_agora, read=_read_agora),
    Format(name="humandata", title="mmhuman3d HumanData", matches=_is_humandata, read=_read_layers),
    Format(
        name="layers",
        title="names of smplx's layers, as SMPLer-X and SMPLest-X write",
        matches=_is_layers,
        read=_read_layers,
        told_by=("global_orient", "body_pose"),
    ),
)
