"""Tools that place people before the camera of a whole video frame.

CLIFF, WHAM, TRAM, GVHMR (and ComfyUI-MotionCapture, which wraps it) and PromptHMR: a pinhole that
looks through the middle of the image, and a translation in its frame.
"""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ParamsError
from ..files.containers import read_container
from ..files.fields import Fields, as_axis_angles, as_text, keys_of, six_numbers_to_axis_angles
from ..geometry.camera_conversions import front_view, pinhole, rigid
from ..geometry.so3 import exp_map
from .hands_face import details_of_joints
from .track import Format, Source, Track, all_joints, body_of, full_pose, smpl_pose

WIDE = (9.0, 16.0)
"""Shape of the image taken where only its diagonal is known."""


def _is_cliff(content: Any) -> bool:
    return {"pose", "shape", "global_t", "focal_l"} <= keys_of(content)


def _read_cliff(source: Source) -> list[Track]:
    """Read rows of people; the n-th row of every image makes the n-th person."""
    fields, notes = source.fields, []
    pose = full_pose(fields.array("pose"), f"{fields.name}: pose")
    count = len(pose)
    betas = fields.betas("shape", count=count)
    transl = fields.rows("global_t", width=3, count=count)
    focal = fields.rows("focal_l", width=1, count=count)[:, 0]
    size = source.image_size
    if size is None:
        height, width = (max(1, round(focal[0] * side / np.hypot(*WIDE))) for side in WIDE)
        size = (height, width)
        notes.append(
            f"{fields.name} holds only the diagonal of its image (the focal length); a 16:9 "
            f"image of {size[1]}x{size[0]} was taken. Give image_size=(height, width)."
        )
    people: dict[int, list[int]] = {}
    for row, rank in enumerate(_ranks(fields, count)):
        people.setdefault(rank, []).append(row)
    return [
        Track(
            pose=pose[rows],
            betas=betas[rows],
            transl=transl[rows],
            intrinsics=pinhole(focal[rows], size, len(rows)),
            image_size=size,
            notes=notes,
        )
        for rows in people.values()
    ]


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
    persons = list(content.values()) if isinstance(content, dict) else []
    return bool(persons) and {"pose", "trans", "betas"} <= keys_of(persons[0])


def _read_wham(source: Source) -> list[Track]:
    """Read people in the camera frame; the focal length is the image's diagonal."""
    tracks = []
    for name, person in source.content.items():
        fields, notes = Fields(person, f"{source.path.name}: person {name}"), []
        pose = full_pose(fields.array("pose"), f"{fields.name}: pose")
        size = source.size_or_default(notes, "sets the focal length")
        tracks.append(
            Track(
                pose=pose,
                betas=fields.betas("betas", count=len(pose)),
                transl=fields.rows("trans", width=3, count=len(pose)),
                intrinsics=pinhole(float(np.hypot(*size)), size, len(pose)),
                image_size=size,
                notes=notes,
            )
        )
    return tracks


def _is_tram(content: Any) -> bool:
    keys = keys_of(content)
    return {"pred_trans", "pred_shape"} <= keys and bool({"pred_rotmat", "pred_pose"} & keys)


def _read_tram(source: Source) -> list[Track]:
    """Read one track; the lens is in `camera.npy`, beside it or one folder up."""
    fields, notes = source.fields, []
    if "pred_rotmat" in fields:
        pose = full_pose(fields.array("pred_rotmat"), f"{fields.name}: pred_rotmat")
    else:
        pose = six_numbers_to_axis_angles(
            fields.array("pred_pose"), 24, f"{fields.name}: pred_pose"
        )
    count = len(pose)
    size, center = source.image_size, None
    lens = _tram_camera(source.path)
    if lens is not None:
        focal, center = lens.number("img_focal"), lens.rows("img_center", width=2)[0]
        size = source.size_around(center)
    else:
        size = source.size_or_default(notes, "would be in camera.npy, which is not beside it,")
        focal = float(np.hypot(*size))
        notes.append(f"{source.path.name}: the focal length {focal:.0f} px is a guess.")
    return [
        Track(
            pose=pose,
            betas=fields.betas("pred_shape", count=count),
            transl=fields.rows("pred_trans", width=3, count=count),
            intrinsics=pinhole(focal, size, count, center),
            image_size=size,
            notes=notes,
        )
    ]


def _tram_camera(path: Path) -> Fields | None:
    for folder in (path.parent, path.parent.parent):
        if (folder / "camera.npy").is_file() and folder / "camera.npy" != path:
            return Fields(read_container(folder / "camera.npy"), "camera.npy")
    return None


INCAM = "smpl_params_incam"


def _is_gvhmr(content: Any) -> bool:
    keys = keys_of(content)
    return INCAM in keys or f"{INCAM}_global_orient" in keys


def _read_gvhmr(source: Source) -> list[Track]:
    """Read what lies before the camera; converters to `.npz` join the names of nested dicts."""
    fields = source.fields
    if INCAM in fields:
        return [_smplx_before_camera(source, fields.part(INCAM), fields)]
    names = ("global_orient", "body_pose", "transl", "betas")
    joined = {name: fields.values.get(f"{INCAM}_{name}") for name in names}
    return [_smplx_before_camera(source, Fields(joined, f"{fields.name}: {INCAM}"), fields)]


def _is_motion_capture(content: Any) -> bool:
    keys = keys_of(content)
    flat = {"body_pose", "global_orient", "transl"} <= keys
    return flat and bool({"global_orient_incam", "K_fullimg", "R_cam2world"} & keys)


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
        turn = np.swapaxes(
            exp_map(as_axis_angles(fields.array("R_cam2world"), (1,), fields.name))[:, 0], 1, 2
        )
        turn = np.repeat(turn, count, axis=0) if len(turn) == 1 else turn
        place = fields.rows("t_cam2world", width=3, count=count)
        intrinsics, size = _lens(source, fields, count, notes)
        camera = rigid(turn, -(turn @ place[..., None])[..., 0])
    else:
        pelvis = transl + source.pelvis(betas, "smplx")
        intrinsics, size, camera = front_view(pose[:, 0], pelvis, "y", source.image_size)
    return [
        Track(
            pose=pose,
            betas=betas,
            transl=transl,
            intrinsics=intrinsics,
            image_size=size,
            camera_from_world=camera,
            beta_space="smplx",
            notes=notes,
        )
    ]


def _smplx_parts(fields: Fields) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read pose, shape and translation of the flat SMPL-X names."""
    root = as_axis_angles(fields.array("global_orient"), (1,), f"{fields.name}: global_orient")
    body = as_axis_angles(
        fields.array("body_pose"), (21, 23), f"{fields.name}: body_pose", count=len(root)
    )
    count = len(root)
    transl = fields.rows("transl", width=3, count=count)
    return smpl_pose(root, body), fields.betas("betas", count=count), transl


def _lens(
    source: Source, fields: Fields, count: int, notes: list[str]
) -> tuple[np.ndarray, tuple[int, int]]:
    """Read `K_fullimg`; the image's size is in the file, or twice the principal point."""
    matrices = fields.rows("K_fullimg", width=9, count=count).reshape(-1, 3, 3)
    if "img_height" in fields and "img_width" in fields:
        return matrices, (round(fields.number("img_height")), round(fields.number("img_width")))
    return matrices, source.size_around(matrices[0, :2, 2])


def _smplx_before_camera(source: Source, person: Fields, fields: Fields) -> Track:
    """Read SMPL-X in the camera frame, with `K_fullimg` or, without it, CLIFF's focal length."""
    pose, betas, transl = _smplx_parts(person)
    count, notes = len(pose), []
    if "K_fullimg" in fields:
        intrinsics, size = _lens(source, fields, count, notes)
    else:
        size = source.size_or_default(notes, "sets the focal length")
        intrinsics = pinhole(float(np.hypot(*size)), size, count)
    return Track(
        pose=pose,
        betas=betas,
        transl=transl,
        intrinsics=intrinsics,
        image_size=size,
        beta_space="smplx",
        notes=notes,
    )


def _is_prompthmr(content: Any) -> bool:
    return {"people", "camera_world"} <= keys_of(content) or {"people", "camera"} <= keys_of(
        content
    )


def _read_prompthmr(source: Source) -> list[Track]:
    """Read SMPL-X people in the camera frame; the lens is the camera's."""
    fields = source.fields
    lens = fields.part(fields.first("camera_world", "camera"))
    focal, center = lens.number("img_focal"), lens.rows("img_center", width=2)[0]
    size = source.size_around(center)
    people = fields.raw("people")
    if not isinstance(people, dict):
        raise ParamsError(f"{fields.name}: people is no dict of persons.")
    tracks = []
    for name, person in people.items():
        shown = Fields(person, f"{fields.name}: person {name}").part("smplx_cam")
        key = shown.first("rotmat", "pose")
        joints = all_joints(shown.array(key), f"{shown.name}: {key}")
        pose = body_of(joints)
        tracks.append(
            Track(
                pose=pose,
                betas=shown.betas("shape", "betas", count=len(pose)),
                transl=shown.rows("trans", "transl", width=3, count=len(pose)),
                intrinsics=pinhole(focal, size, len(pose), center),
                image_size=size,
                beta_space="smplx",
                details=details_of_joints(joints),
            )
        )
    return tracks


FORMATS = (
    Format(name="cliff", title="CLIFF", matches=_is_cliff, read=_read_cliff),
    Format(name="wham", title="WHAM", matches=_is_wham, read=_read_wham),
    Format(name="tram", title="TRAM", matches=_is_tram, read=_read_tram),
    Format(name="gvhmr", title="GVHMR", matches=_is_gvhmr, read=_read_gvhmr),
    Format(
        name="motion-capture",
        title="ComfyUI-MotionCapture",
        matches=_is_motion_capture,
        read=_read_motion_capture,
    ),
    Format(name="prompthmr", title="PromptHMR", matches=_is_prompthmr, read=_read_prompthmr),
)
