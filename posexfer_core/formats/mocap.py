"""Motions in a world without a camera: AMASS, AIST++, SMPL-to-FBX, EasyMocap.

A camera is made up before the person (`cameras.front_view`); the world stays the file's own.
"""

from typing import Any

import numpy as np

from ..files.fields import Fields, as_axis_angles, keys_of
from ..geometry.camera_conversions import front_view, rigid, up_axis
from ..geometry.so3 import exp_map, log_map
from .hands_face import details_of_joints, details_of_names, expressions, fill
from .hmr import chain
from .track import Format, Source, Track, TrackDetails, all_joints, body_of, full_pose, smpl_pose

AMASS_UP = "z"
MOST_FRAMES_A_SECOND = 10_000
SURELY_UPRIGHT = 0.75
"""Share of the mean spine that must lie along another axis before AMASS's own is doubted."""


def world_track(
    source: Source,
    pose: np.ndarray,
    betas: np.ndarray,
    transl: np.ndarray,
    beta_space: str,
    up: str | None = None,
    details: TrackDetails | None = None,
) -> Track:
    """Build a track in a world without a camera; which way is up is guessed where not known."""
    pelvis = transl + source.pelvis(betas, beta_space)
    axis = up or up_axis(pose[:, 0])
    intrinsics, size, camera = front_view(pose[:, 0], pelvis, axis, source.image_size)
    return Track(
        pose=pose,
        betas=betas,
        transl=transl,
        intrinsics=intrinsics,
        image_size=size,
        camera_from_world=camera,
        beta_space=beta_space,
        details=details,
    )


def _is_amass(content: Any) -> bool:
    keys = keys_of(content)
    return "trans" in keys and ("poses" in keys or {"root_orient", "pose_body"} <= keys)


def _read_amass(source: Source) -> list[Track]:
    """Read SMPL-H (156 numbers a frame) or SMPL-X (165, or apart); z is up.

    Converters write the same names with y up; that is told by how people stand.
    """
    fields = source.fields
    if "poses" in fields:
        joints = all_joints(fields.array("poses"), f"{fields.name}: poses")
        pose, details = body_of(joints), details_of_joints(joints)
        space = {24: "smpl", 55: "smplx"}.get(joints.shape[1], "smplh")
    else:
        root = as_axis_angles(fields.array("root_orient"), (1,), f"{fields.name}: root_orient")
        body = as_axis_angles(
            fields.array("pose_body"), (21,), f"{fields.name}: pose_body", count=len(root)
        )
        pose, space = smpl_pose(root, body), "smplx" if "pose_jaw" in fields else "smplh"
        details = _amass_details(fields, len(pose))
    if "surface_model_type" in fields:
        named = fields.text("surface_model_type")
        space = next((one for one in ("smplx", "smplh") if one in named), space)
    betas = fields.betas("betas", count=len(pose))
    transl = fields.rows("trans", width=3, count=len(pose))
    up = up_axis(pose[:, 0], SURELY_UPRIGHT, AMASS_UP)
    track = world_track(source, pose, betas, transl, space, up, details)
    rate = next((key for key in ("mocap_framerate", "mocap_frame_rate") if key in fields), None)
    if rate is not None and 0.0 < fields.number(rate) < MOST_FRAMES_A_SECOND:
        track.frame_rate = fields.number(rate)
    if up != AMASS_UP:
        track.notes.append(
            f"{fields.name} has AMASS's names but people stand along {up}; that was taken for up."
        )
    return [track]


def _amass_details(fields: Fields, count: int) -> TrackDetails:
    """Read fingers, jaw and eyes under AMASS's names."""
    details = TrackDetails.rest(count)
    for name, part in (
        ("pose_hand", details.fingers),
        ("pose_jaw", details.face[:, :1]),
        ("pose_eye", details.face[:, 1:]),
    ):
        fill(part, fields, name)
    return details


def _is_aist(content: Any) -> bool:
    return {"smpl_poses", "smpl_trans"} <= keys_of(content)


def _read_aist(source: Source) -> list[Track]:
    """Read SMPL motions; AIST++ is in units of `smpl_scaling`, about centimetres."""
    fields = source.fields
    pose = full_pose(fields.array("smpl_poses"), f"{fields.name}: smpl_poses")
    transl = fields.rows("smpl_trans", width=3, count=len(pose))
    if "smpl_scaling" in fields:
        transl = transl / max(fields.number("smpl_scaling"), 1e-6)
    betas = fields.betas("smpl_betas", "betas", count=len(pose))
    return [world_track(source, pose, betas, transl, "smpl")]


def _easymocap_people(content: Any) -> list[Any]:
    people = content.get("annots", []) if isinstance(content, dict) else content
    if isinstance(content, dict) and "Rh" in content:
        people = [content]
    return people if isinstance(people, list) else []


def _is_easymocap(content: Any) -> bool:
    people = _easymocap_people(content)
    keys = keys_of(people[0]) if people else set()
    return {"Rh", "Th", "poses"} <= keys or {"Rh", "Th", "body_pose"} <= keys


def _read_easymocap(source: Source) -> list[Track]:
    """Read one file of people, each by `id`."""
    tracks: dict[str, list[Track]] = {}
    for at, person in enumerate(_easymocap_people(source.content)):
        fields = Fields(person, f"{source.path.name}[{at}]")
        name = fields.text("id") if "id" in fields else str(at)
        tracks.setdefault(name, []).append(_easymocap_person(source, fields))
    return [_chain_worlds(parts) for parts in tracks.values()]


def _easymocap_person(source: Source, fields: Fields) -> Track:
    """Read `V = R(Rh) M(poses, shapes) + Th`: the turn is about the origin, not the pelvis.

    So it is part of the camera here, `camera_from_world = view [R(Rh) | Th]`, and the pose has no
    root rotation: that is exact for every body, wherever its pelvis is.
    """
    pose, space, details = _easymocap_pose(fields)
    count = len(pose)
    turn = fields.rows("Rh", width=3, count=count)
    shift = fields.rows("Th", width=3, count=count)
    betas = fields.betas("shapes", "betas", count=count)
    rotation = exp_map(turn)
    pelvis = (rotation @ source.pelvis(betas, space)[..., None])[..., 0] + shift
    facing = log_map(rotation @ exp_map(pose[:, 0]))
    intrinsics, size, view = front_view(facing, pelvis, up_axis(facing), source.image_size)
    return Track(
        pose=pose,
        betas=betas,
        transl=np.zeros((count, 3)),
        intrinsics=intrinsics,
        image_size=size,
        camera_from_world=view @ rigid(rotation, shift),
        beta_space=space,
        details=details,
    )


def _easymocap_pose(fields: Fields) -> tuple[np.ndarray, str, TrackDetails | None]:
    """Read the pose under EasyMocap's name or smplx's; hands may be principal components."""
    if "poses" not in fields:
        body = as_axis_angles(fields.array("body_pose"), (23, 21), f"{fields.name}: body_pose")
        root = np.zeros((len(body), 1, 3))
        if "global_orient" in fields:
            root = fields.rows("global_orient", width=3, count=len(body))[:, None]
        space = "smpl" if body.shape[1] == 23 else "smplx"
        return smpl_pose(root, body), space, details_of_names(fields, len(body))
    poses = fields.array("poses")
    width = poses.shape[-1] if poses.ndim else 0
    if width in (78, 87):
        poses = poses[..., :66]
    elif width == 69:
        poses = np.concatenate([np.zeros((*poses.shape[:-1], 3)), poses], axis=-1)
    space = {78: "smplh", 156: "smplh", 87: "smplx", 165: "smplx"}.get(width, "smpl")
    joints = all_joints(poses, f"{fields.name}: poses")
    details = details_of_joints(joints, expressions(fields, "expression", len(joints)))
    return body_of(joints), space, details


def _chain_worlds(parts: list[Track]) -> Track:
    """Put frames of one person together, cameras too."""
    joined = chain(parts)
    cameras = [part.camera_from_world for part in parts if part.camera_from_world is not None]
    joined.camera_from_world = np.concatenate(cameras)
    return joined


FORMATS = (
    Format(name="amass", title="AMASS (SMPL-H and SMPL-X)", matches=_is_amass, read=_read_amass),
    Format(name="aist", title="AIST++ / SMPL-to-FBX", matches=_is_aist, read=_read_aist),
    Format(name="easymocap", title="EasyMocap", matches=_is_easymocap, read=_read_easymocap),
)
