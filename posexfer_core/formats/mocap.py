"""Motions in a world without a camera: AMASS, AIST++, SMPL-to-FBX, EasyMocap, MDM, PHC.

A camera is made up before the person (`camera_conversions.front_view`); the world stays the
file's own.
"""

from typing import Any

import numpy as np
import torch

from ..conventions import BETA_COUNT
from ..errors import ParamsError
from ..files.fields import Fields, as_axis_angles, as_rows, as_text
from ..geometry.camera_conversions import SURELY_UPRIGHT, front_view, rigid, up_axis
from ..geometry.rotations import matrix_to_axis_angle, rotation_6d_to_matrix
from ..geometry.so3 import exp_map, log_map
from .format import Format, has
from .hands_face import expressions, fill, hands_face_of_joints, hands_face_of_names
from .track import (
    WHOLE_BODY,
    Source,
    Track,
    TrackHandsFace,
    body_of,
    chain,
    full_pose,
    layer_pose,
    smpl_pose,
)

AMASS_UP = "z"
MOST_FRAMES_A_SECOND = 10_000


def world_track(
    source: Source,
    pose: np.ndarray,
    betas: np.ndarray,
    transl: np.ndarray,
    beta_space: str,
    up: str | None = None,
    hands_face: TrackHandsFace | None = None,
) -> Track:
    """Build a track in a world without a camera; which way is up is guessed where not known."""
    pelvis = transl + source.pelvis(betas, beta_space)
    axis = up or up_axis(pose[:, 0])
    lens, camera = front_view(pose[:, 0], pelvis, axis, source.image_size)
    return Track(
        pose=pose,
        betas=betas,
        transl=transl,
        lens=lens,
        camera_from_world=camera,
        beta_space=beta_space,
        hands_face=hands_face,
    )


def _is_amass(content: Any) -> bool:
    return has("trans", "poses")(content) or has("trans", "root_orient", "pose_body")(content)


def _read_amass(source: Source) -> list[Track]:
    """Read SMPL-H (156 numbers a frame) or SMPL-X (165, or apart); z is up.

    Converters write the same names with y up, which the mean spine shows.
    """
    fields = source.fields
    if "poses" in fields:
        joints = fields.rotations("poses", joints=WHOLE_BODY)
        pose, hands_face = body_of(joints), hands_face_of_joints(joints)
        space = {24: "smpl", 55: "smplx"}.get(joints.shape[1], "smplh")
    else:
        pose, _ = layer_pose(fields, ("root_orient",), "pose_body", (21,))
        space = "smplx" if "pose_jaw" in fields else "smplh"
        hands_face = TrackHandsFace.rest(len(pose))
        fill(
            fields,
            pose_hand=hands_face.fingers,
            pose_jaw=hands_face.face[:, :1],
            pose_eye=hands_face.face[:, 1:],
        )
    if "surface_model_type" in fields:
        named = as_text(fields.raw("surface_model_type"))
        space = next((one for one in ("smplx", "smplh") if one in named), space)
    betas = fields.betas("betas", count=len(pose))
    transl = fields.rows("trans", width=3, count=len(pose))
    up = up_axis(pose[:, 0], SURELY_UPRIGHT, AMASS_UP)
    track = world_track(source, pose, betas, transl, space, up, hands_face)
    track.frame_rate = frame_rate(fields, "mocap_framerate", "mocap_frame_rate")
    if up != AMASS_UP:
        track.notes.append(
            f"{fields.name} has AMASS's names but people stand along {up}; that was taken for up."
        )
    return [track]


def frame_rate(fields: Fields, *keys: str) -> float | None:
    """Read frames per second, where they are there and can be meant."""
    for key in keys:
        if key in fields and 0.0 < fields.number(key) < MOST_FRAMES_A_SECOND:
            return fields.number(key)
    return None


def _read_aist(source: Source) -> list[Track]:
    """Read SMPL motions; AIST++ is in units of `smpl_scaling`, about centimetres."""
    fields = source.fields
    pose = full_pose(fields, "smpl_poses")
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
    return bool(people) and has("Rh", "Th", one_of=("poses", "body_pose"))(people[0])


def _read_easymocap(source: Source) -> list[Track]:
    """Read one file of people, each by `id`."""
    tracks: dict[str, list[Track]] = {}
    for at, person in enumerate(_easymocap_people(source.content)):
        fields = Fields(person, f"{source.path.name}[{at}]")
        name = as_text(fields.raw("id")) if "id" in fields else str(at)
        tracks.setdefault(name, []).append(_easymocap_person(source, fields))
    return [chain(parts) for parts in tracks.values()]


def _easymocap_person(source: Source, fields: Fields) -> Track:
    """Read `V = R(Rh) M(poses, shapes) + Th`: the turn is about the origin, not the pelvis.

    So it is part of the camera here, `camera_from_world = view [R(Rh) | Th]`, and the pose has no
    root rotation: that is exact for every body, wherever its pelvis is.
    """
    pose, space, hands_face = _easymocap_pose(fields)
    count = len(pose)
    turn = fields.rows("Rh", width=3, count=count)
    shift = fields.rows("Th", width=3, count=count)
    betas = fields.betas("shapes", "betas", count=count)
    rotation = exp_map(turn)
    pelvis = (rotation @ source.pelvis(betas, space)[..., None])[..., 0] + shift
    facing = log_map(rotation @ exp_map(pose[:, 0]))
    lens, view = front_view(facing, pelvis, up_axis(facing), source.image_size)
    return Track(
        pose=pose,
        betas=betas,
        transl=np.zeros((count, 3)),
        lens=lens,
        camera_from_world=view @ rigid(rotation, shift),
        beta_space=space,
        hands_face=hands_face,
    )


def _easymocap_pose(fields: Fields) -> tuple[np.ndarray, str, TrackHandsFace | None]:
    """Read the pose under EasyMocap's name or smplx's; hands may be principal components."""
    if "poses" not in fields:
        body = fields.rotations("body_pose", joints=(23, 21))
        root = np.zeros((len(body), 1, 3))
        if "global_orient" in fields:
            root = fields.rows("global_orient", width=3, count=len(body))[:, None]
        space = "smpl" if body.shape[1] == 23 else "smplx"
        return smpl_pose(root, body), space, hands_face_of_names(fields, len(body))
    poses = fields.array("poses")
    width = poses.shape[-1] if poses.ndim else 0
    if width in (78, 87):
        poses = poses[..., :66]
    elif width == 69:
        poses = np.concatenate([np.zeros((*poses.shape[:-1], 3)), poses], axis=-1)
    space = {78: "smplh", 156: "smplh", 87: "smplx", 165: "smplx"}.get(width, "smpl")
    joints = as_axis_angles(poses, WHOLE_BODY, f"{fields.name}: poses")
    hands_face = hands_face_of_joints(joints, expressions(fields, "expression", len(joints)))
    return body_of(joints), space, hands_face


def _read_mdm(source: Source) -> list[Track]:
    """Read MDM's SMPL fit, frames last: 6D rotations are the first two rows of a matrix; y up."""
    fields = source.fields
    numbers = fields.array("thetas")
    if numbers.ndim != 3 or numbers.shape[:2] != (24, 6):
        raise ParamsError(f"thetas has shape {numbers.shape}, expected (24, 6, frames).")
    six = torch.from_numpy(np.moveaxis(numbers, -1, 0).copy())
    pose = matrix_to_axis_angle(rotation_6d_to_matrix(six).mT).numpy()
    transl = as_rows(fields.array("root_translation").T, 3, len(pose), "root_translation")
    betas = np.zeros((len(pose), BETA_COUNT))
    return [world_track(source, pose, betas, transl, "smpl", "y")]


def _phc_motions(content: Any) -> dict[Any, Any]:
    return content if isinstance(content, dict) and "pose_aa" not in content else {"": content}


def _is_phc(content: Any) -> bool:
    motion = next(iter(_phc_motions(content).values()), None)
    return has("pose_aa", one_of=("trans_orig", "root_trans_offset"))(motion)


def _read_phc(source: Source) -> list[Track]:
    """Read PHC's motions, SMPL in a z-up world, each as a person.

    `root_trans_offset` places the pelvis, `trans_orig` is SMPL's translation. What PHC, PBHC and
    ASAP retarget to a robot has the same names and no person in it.
    """
    tracks = []
    for name, motion in _phc_motions(source.content).items():
        fields = Fields(motion, f"{source.path.name}: {as_text(name)[-40:]}".rstrip(": "))
        poses = fields.array("pose_aa")
        if poses.shape[1:] not in ((24, 3), (72,)):
            raise ParamsError(
                f"{fields.name} has pose_aa of shape {poses.shape}: the motion of a robot, as PBHC "
                "and ASAP write it, not of SMPL's 24 joints. Give the human motion that it was "
                "retargeted from (AMASS, GVHMR or WHAM)."
            )
        pose = full_pose(fields, "pose_aa")
        betas = fields.betas("beta", "betas", count=len(pose))
        transl = fields.rows("trans_orig", "root_trans_offset", width=3, count=len(pose))
        if "trans_orig" not in fields:
            transl = transl - source.pelvis(betas, "smpl")
        up = up_axis(pose[:, 0], SURELY_UPRIGHT, AMASS_UP)
        track = world_track(source, pose, betas, transl, "smpl", up)
        track.frame_rate = frame_rate(fields, "fps")
        tracks.append(track)
    return tracks


FORMATS = (
    Format(name="mdm", title="MDM", matches=has("thetas", "root_translation"), read=_read_mdm),
    Format(
        name="amass",
        title="AMASS (SMPL-H and SMPL-X)",
        matches=_is_amass,
        read=_read_amass,
        told_by=("poses", "trans"),
    ),
    Format(
        name="aist",
        title="AIST++ / SMPL-to-FBX",
        matches=has("smpl_poses", "smpl_trans"),
        read=_read_aist,
    ),
    Format(
        name="phc",
        title="PHC / PBHC",
        matches=_is_phc,
        read=_read_phc,
        told_by=("pose_aa", "trans_orig"),
    ),
    Format(
        name="easymocap",
        title="EasyMocap",
        matches=_is_easymocap,
        read=_read_easymocap,
        told_by=("Rh", "Th", "poses"),
    ),
)
