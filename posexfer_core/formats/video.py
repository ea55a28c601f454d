"""Tools that place people before the camera of a whole video frame.

CLIFF, WHAM, TRAM, GVHMR (and ComfyUI-MotionCapture, which wraps it) and PromptHMR: a pinhole that
looks through the middle of the image, and a translation in its frame.
"""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ParamsError
from ..files.containers import read_container
from ..files.fields import Fields, as_text, six_numbers_to_axis_angles
from ..geometry.camera_conversions import (
    SURELY_UPRIGHT,
    front_view,
    pinhole,
    rigid,
    up_axis,
)
from ..geometry.so3 import exp_map
from .format import Format, first_value, has
from .hands_face import hands_face_of_joints
from .mocap import world_track
from .track import WHOLE_BODY, Lens, Source, Track, body_of, full_pose, layer_pose

WIDE = (9.0, 16.0)
"""Shape of the image taken where only its diagonal is known."""


def _read_cliff(source: Source) -> list[Track]:
    """Read rows of people; the n-th row of every image makes the n-th person."""
    fields, notes = source.fields, []
    pose = full_pose(fields, "pose")
    count = len(pose)
    betas = fields.betas("shape", count=count)
    transl = fields.rows("global_t", width=3, count=count)
    focal = fields.rows("focal_l", width=1, count=count)[:, 0]
    height, width = (max(1, round(focal[0] * side / np.hypot(*WIDE))) for side in WIDE)
    size = source.size_or_default(notes, "has its focal length as diagonal", (height, width))
    track = Track(
        pose=pose, betas=betas, transl=transl, lens=(pinhole(focal, size, count), size), notes=notes
    )
    people: dict[int, list[int]] = {}
    for row, rank in enumerate(_ranks(fields, count)):
        people.setdefault(rank, []).append(row)
    return [track.part(rows) for rows in people.values()]


def _ranks(fields: Fields, count: int) -> list[int]:
    """Number the people of each image; rows without an image name are frames of one person."""
    names = fields.raw("imgname") if "imgname" in fields else range(count)
    names = [as_text(name) for name in names][:count]
    seen: dict[str, int] = {}
    ranks = []
    for name in names:
        ranks.append(seen.get(name, 0))
        seen[name] = ranks[-1] + 1
    return ranks if len(ranks) == count else [0] * count


def _is_wham(content: Any) -> bool:
    return has("pose", "trans", "betas")(first_value(content))


def _read_wham(source: Source) -> list[Track]:
    """Read people in the camera frame; the focal length is the image's diagonal."""
    tracks = []
    for name, person in source.content.items():
        fields, notes = Fields(person, f"{source.path.name}: person {name}"), []
        pose = full_pose(fields, "pose")
        lens = source.diagonal_lens(notes, len(pose))
        tracks.append(
            Track(
                pose=pose,
                betas=fields.betas("betas", count=len(pose)),
                transl=fields.rows("trans", width=3, count=len(pose)),
                lens=lens,
                notes=notes,
            )
        )
    return tracks


def _read_tram(source: Source) -> list[Track]:
    """Read one track; the lens is in `camera.npy`, beside it or one folder up."""
    fields, notes = source.fields, []
    if "pred_rotmat" in fields:
        pose = full_pose(fields, "pred_rotmat")
    else:
        pose = six_numbers_to_axis_angles(
            fields.array("pred_pose"), 24, f"{fields.name}: pred_pose"
        )
    count = len(pose)
    camera = _tram_camera(source.path)
    if camera is None:
        lens = source.diagonal_lens(notes, count)
        notes.append(f"{source.path.name}: no camera.npy beside it; the focal length is a guess.")
    else:
        lens = _image_lens(source, camera, count)
    return [
        Track(
            pose=pose,
            betas=fields.betas("pred_shape", count=count),
            transl=fields.rows("pred_trans", width=3, count=count),
            lens=lens,
            notes=notes,
        )
    ]


def _tram_camera(path: Path) -> Fields | None:
    for folder in (path.parent, path.parent.parent):
        if (folder / "camera.npy").is_file() and folder / "camera.npy" != path:
            return Fields(read_container(folder / "camera.npy"), "camera.npy")
    return None


def _image_lens(source: Source, lens: Fields, count: int) -> Lens:
    """Read a focal length and a principal point, `img_focal` and `img_center`."""
    center = lens.rows("img_center", width=2)[0]
    size = source.size_around(center)
    return pinhole(lens.number("img_focal"), size, count, center), size


INCAM, WORLD = "smpl_params_incam", "smpl_params_global"


def _read_gvhmr(source: Source) -> list[Track]:
    """Read what lies before the camera; converters to `.npz` join the names of nested dicts."""
    fields = source.fields
    if INCAM in fields:
        return [_smplx_before_camera(source, fields.part(INCAM), fields)]
    if WORLD in fields and f"{INCAM}_global_orient" not in fields:
        return [world_track(source, *_smplx_parts(fields.part(WORLD)), "smplx", "y")]
    names = ("global_orient", "body_pose", "transl", "betas")
    joined = {name: fields.values.get(f"{INCAM}_{name}") for name in names}
    return [_smplx_before_camera(source, Fields(joined, f"{fields.name}: {INCAM}"), fields)]


def _read_motion_capture(source: Source) -> list[Track]:
    """Read the pose in the camera frame if it is there, else in the world, which is y up."""
    fields = source.fields
    if "global_orient_incam" in fields and "transl_incam" in fields:
        incam = {
            "global_orient": fields.raw("global_orient_incam"),
            "body_pose": fields.raw("body_pose"),
            "transl": fields.raw("transl_incam"),
            "betas": fields.values.get("betas"),
        }
        return [_smplx_before_camera(source, Fields(incam, fields.name), fields)]
    pose, betas, transl = _smplx_parts(fields)
    count, notes = len(pose), []
    if "R_cam2world" in fields and "t_cam2world" in fields and "K_fullimg" in fields:
        turn = exp_map(fields.rotations("R_cam2world", joints=(1,)))[:, 0].swapaxes(1, 2)
        turn = np.repeat(turn, count, axis=0) if len(turn) == 1 else turn
        place = fields.rows("t_cam2world", width=3, count=count)
        lens = _lens(source, fields, count)
        camera = rigid(turn, -(turn @ place[..., None])[..., 0])
    else:
        pelvis = transl + source.pelvis(betas, "smplx")
        seen = up_axis(pose[:, 0], SURELY_UPRIGHT) == "-y" and pelvis[:, 2].min() > 0.0
        if seen and "K_fullimg" in fields:
            return [_smplx_before_camera(source, fields, fields)]
        lens, camera = front_view(pose[:, 0], pelvis, "y", source.image_size)
    return [
        Track(
            pose=pose,
            betas=betas,
            transl=transl,
            lens=lens,
            camera_from_world=camera,
            beta_space="smplx",
            notes=notes,
        )
    ]


def _smplx_parts(fields: Fields) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read pose, shape and translation of the flat SMPL-X names."""
    pose, _ = layer_pose(fields)
    transl = fields.rows("transl", width=3, count=len(pose))
    return pose, fields.betas("betas", count=len(pose)), transl


def _lens(source: Source, fields: Fields, count: int) -> Lens:
    """Read `K_fullimg`; the image's size is in the file, or twice the principal point."""
    matrices, size = source.lens(fields, "K_fullimg", count=count)
    if "img_height" in fields and "img_width" in fields:
        size = round(fields.number("img_height")), round(fields.number("img_width"))
    return matrices, size


def _smplx_before_camera(source: Source, person: Fields, fields: Fields) -> Track:
    """Read SMPL-X in the camera frame, with `K_fullimg` or, without it, CLIFF's focal length.

    People who stand head down or behind the camera, in a file without a lens, are in a world: some
    tools write it under the names of the camera frame.
    """
    pose, betas, transl = _smplx_parts(person)
    count, notes = len(pose), []
    if "K_fullimg" in fields:
        lens = _lens(source, fields, count)
    else:
        up = up_axis(pose[:, 0], SURELY_UPRIGHT, "-y")
        if up != "-y" or (transl + source.pelvis(betas, "smplx"))[:, 2].min() <= 0.0:
            track = world_track(source, pose, betas, transl, "smplx", up)
            track.notes.append(
                f"{source.path.name} has no lens, and its people are no camera's: {up} is up, the "
                f"least depth {transl[:, 2].min():.2f} m. It is read as a motion in a world."
            )
            return track
        lens = source.diagonal_lens(notes, count)
    return Track(pose=pose, betas=betas, transl=transl, lens=lens, beta_space="smplx", notes=notes)


def _is_prompthmr(content: Any) -> bool:
    return has("people", one_of=("camera_world", "camera"))(content)


def _read_prompthmr(source: Source) -> list[Track]:
    """Read SMPL-X people in the camera frame; the lens is the camera's."""
    fields = source.fields
    camera = fields.part(fields.first("camera_world", "camera"))
    people = fields.raw("people")
    if not isinstance(people, dict):
        raise ParamsError(f"{fields.name}: people is no dict of persons.")
    tracks = []
    for name, person in people.items():
        shown = Fields(person, f"{fields.name}: person {name}").part("smplx_cam")
        joints = shown.rotations("rotmat", "pose", joints=WHOLE_BODY)
        pose = body_of(joints)
        lens = _image_lens(source, camera, len(pose))
        tracks.append(
            Track(
                pose=pose,
                betas=shown.betas("shape", "betas", count=len(pose)),
                transl=shown.rows("trans", "transl", width=3, count=len(pose)),
                lens=lens,
                beta_space="smplx",
                hands_face=hands_face_of_joints(joints),
            )
        )
    return tracks


MOTION_CAPTURE = has(
    "body_pose",
    "global_orient",
    "transl",
    one_of=("global_orient_incam", "K_fullimg", "R_cam2world"),
)
FORMATS = (
    Format(
        name="cliff",
        title="CLIFF",
        matches=has("pose", "shape", "global_t", "focal_l"),
        read=_read_cliff,
    ),
    Format(
        name="wham",
        title="WHAM",
        matches=_is_wham,
        read=_read_wham,
        told_by=("pose", "trans", "betas"),
    ),
    Format(
        name="tram",
        title="TRAM",
        matches=has("pred_trans", "pred_shape", one_of=("pred_rotmat", "pred_pose")),
        read=_read_tram,
    ),
    Format(
        name="gvhmr",
        title="GVHMR",
        matches=has(one_of=(INCAM, f"{INCAM}_global_orient", WORLD)),
        read=_read_gvhmr,
    ),
    Format(
        name="motion-capture",
        title="ComfyUI-MotionCapture",
        matches=MOTION_CAPTURE,
        read=_read_motion_capture,
    ),
    Format(
        name="prompthmr",
        title="PromptHMR",
        matches=_is_prompthmr,
        read=_read_prompthmr,
        told_by=("people", "camera_world"),
    ),
)
