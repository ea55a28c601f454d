"""People before a pinhole that the file has: Multi-HMR, NLF, SMPLify-X, 3DPW."""

from typing import Any

import numpy as np

from ..errors import ParamsError
from ..files.fields import Fields, as_array
from ..geometry.camera import focal_from_fov
from ..geometry.camera_conversions import pinhole, rigid, solve_pinhole
from ..geometry.so3 import exp_map
from .format import Format, has
from .hands_face import expressions, hands_face_of_joints, hands_face_of_names
from .track import WHOLE_BODY, Lens, Source, Track, body_of, full_pose, layer_pose

MULTI_HMR_SIZE = (896, 896)
MULTI_HMR_FOV_DEG = 60.0
NLF_FOV_DEG = 55.0
SMPLIFYX_FOCAL = 5000.0
VPOSER_NUMBERS = 32
FRAMES_A_SECOND_3DPW = 30.0
FARTHEST_M = 200.0
"""Depths beyond this are millimetres."""


def _humans(content: Any) -> list[Any]:
    people = content.get("humans", content) if isinstance(content, dict) else content
    if isinstance(people, dict) and "rotvec" in people:
        people = [people]
    return people if isinstance(people, list) else []


def _is_multi_hmr(content: Any) -> bool:
    people = _humans(content)
    ours = (has("rotvec", "transl_pelvis"), has("rotation_vector", "translation_pelvis"))
    return bool(people) and any(matches(people[0]) for matches in ours)


def _read_multi_hmr(source: Source) -> list[Track]:
    """Read SMPL-X people; the file says where the posed pelvis is, not the translation."""
    tracks = []
    for at, human in enumerate(_humans(source.content)):
        fields, notes = Fields(human, f"{source.path.name}: human {at}"), []
        joints = fields.rotations("rotvec", "rotation_vector", joints=WHOLE_BODY)
        pose, count = body_of(joints), len(joints)
        betas = fields.betas("shape", "betas", count=count)
        pelvis = fields.rows("transl_pelvis", "translation_pelvis", width=3, count=count)
        lens = _multi_hmr_lens(source, fields, count, notes)
        if source.body is None or source.body.beta_space != "smplx":
            notes.append(
                f"{source.path.name} places the pelvis; the translation was found with the mean "
                "SMPL-X body. For millimetres, give the body file of these betas."
            )
        tracks.append(
            Track(
                pose=pose,
                betas=betas,
                transl=pelvis - source.pelvis(betas, "smplx"),
                lens=lens,
                beta_space="smplx",
                hands_face=hands_face_of_joints(joints, expressions(fields, "expression", count)),
                notes=notes,
            )
        )
    return tracks


def _multi_hmr_lens(source: Source, human: Fields, count: int, notes: list[str]) -> Lens:
    """Take `K` from the file, or find it from joints in 3D and 2D, or take 60 degrees."""
    holder = Fields(source.content, source.path.name) if isinstance(source.content, dict) else human
    if "K" in holder or "camera_intrinsics" in holder:
        return source.lens(holder, "K", "camera_intrinsics", count=count)
    return _lens_from_joints(
        source,
        human,
        ("j3d", "j3d_smplx", "joints_3d"),
        ("j2d", "j2d_smplx", "joints_2d"),
        MULTI_HMR_FOV_DEG,
        count,
        notes,
    )


def _lens_from_joints(
    source: Source,
    fields: Fields,
    keys_3d: tuple[str, ...],
    keys_2d: tuple[str, ...],
    fov_deg: float,
    count: int,
    notes: list[str],
) -> Lens:
    """Solve for the pinhole that shows the file's 3D joints at its 2D joints."""
    if any(key in fields for key in keys_3d) and any(key in fields for key in keys_2d):
        points = fields.rows(*keys_3d, width=3)
        pixels = fields.rows(*keys_2d, width=2)
        solved = solve_pinhole(points, pixels) if len(points) == len(pixels) else None
        if solved is not None:
            focal, center = solved
            size = source.size_around(center)
            return pinhole(focal, size, count, center), size
    size = source.size_or_default(notes, f"its lens sees {fov_deg:.0f} degrees of", MULTI_HMR_SIZE)
    return pinhole(focal_from_fov(np.radians(fov_deg), max(size)), size, count), size


def _is_nlf(content: Any) -> bool:
    known = has("pose", "betas", one_of=("trans", "transl"))
    return known(content) and "poses" not in content


def _read_nlf(source: Source) -> list[Track]:
    """Read the SMPL people of one image."""
    fields, notes = source.fields, []
    pose = full_pose(fields, "pose")
    count = len(pose)
    betas = fields.betas("betas", count=count)
    transl = fields.rows("trans", "transl", width=3, count=count)
    if np.abs(transl).max() > FARTHEST_M:
        transl = transl / 1000.0
    lens = _lens_from_joints(
        source, fields, ("joints3d",), ("joints2d",), NLF_FOV_DEG, count, notes
    )
    track = Track(pose=pose, betas=betas, transl=transl, lens=lens, notes=notes)
    return track.people()


def _read_smplifyx(source: Source) -> list[Track]:
    """Read one fit: `u = 5000 (R x + t)_x / (R x + t)_z + W / 2`."""
    fields, notes = source.fields, []
    if fields.array("body_pose").size == VPOSER_NUMBERS:
        raise ParamsError(
            f"{fields.name}: body_pose holds 32 numbers of VPoser, whose network is needed to "
            "make joint rotations of them. Decode them with SMPLify-X (vposer.decode), write "
            "body_pose as 63 numbers, and load that."
        )
    pose, _ = layer_pose(fields)
    count = len(pose)
    turn = fields.rotations("camera_rotation", joints=(1,))
    shift = fields.rows("camera_translation", width=3, count=count)
    camera = rigid(np.broadcast_to(exp_map(turn[:, 0]), (count, 3, 3)), shift)
    size = source.size_or_default(notes, "its camera looks through the middle of")
    focal = fields.number("focal_length") if "focal_length" in fields else SMPLIFYX_FOCAL
    space = "smplx" if "jaw_pose" in fields else "smplh" if "left_hand_pose" in fields else "smpl"
    transl = np.zeros((count, 3))
    if "transl" in fields:
        transl = fields.rows("transl", width=3, count=count)
    return [
        Track(
            pose=pose,
            betas=fields.betas("betas", count=count),
            transl=transl,
            lens=(pinhole(focal, size, count), size),
            camera_from_world=camera,
            beta_space=space,
            hands_face=hands_face_of_names(fields, count),
            notes=notes,
        )
    ]


def _read_3dpw(source: Source) -> list[Track]:
    """Read the SMPL people of a sequence, without frames whose camera is not known."""
    fields, tracks = source.fields, []
    people = fields.raw("poses")
    for at in range(len(people)):
        one = Fields(
            {name: fields.raw(name)[at] for name in ("poses", "trans", "betas")},
            f"{fields.name}: person {at}",
        )
        pose = full_pose(one, "poses")
        count = len(pose)
        camera = fields.rows("cam_poses", width=16, count=count).reshape(-1, 4, 4)
        track = Track(
            pose=pose,
            betas=one.betas("betas", count=count),
            transl=one.rows("trans", width=3, count=count),
            lens=source.lens(fields, "cam_intrinsics", count=count),
            camera_from_world=camera,
            frame_rate=FRAMES_A_SECOND_3DPW,
        )
        if "campose_valid" in fields:
            valid = as_array(fields.raw("campose_valid")[at], "campose_valid").ravel() > 0.5
            track = track.part(np.flatnonzero(valid[:count]).tolist())
            if not len(track.pose):
                raise ParamsError(f"{one.name} has no frame whose camera is known.")
        tracks.append(track)
    return tracks


_is_3dpw = has("poses", "trans", "cam_poses", "cam_intrinsics")
_is_smplifyx = has("camera_rotation", "camera_translation", "global_orient", "body_pose")

FORMATS = (
    Format(name="3dpw", title="3DPW", matches=_is_3dpw, read=_read_3dpw),
    Format(
        name="multi-hmr",
        title="Multi-HMR",
        matches=_is_multi_hmr,
        read=_read_multi_hmr,
        told_by=("rotvec", "transl_pelvis"),
    ),
    Format(name="smplify-x", title="SMPLify-X", matches=_is_smplifyx, read=_read_smplifyx),
    Format(
        name="nlf", title="NLF", matches=_is_nlf, read=_read_nlf, told_by=("pose", "betas", "trans")
    ),
)
