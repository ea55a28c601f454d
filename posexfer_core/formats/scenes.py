"""People of one image, before a pinhole: Multi-HMR, NLF, SMPLify-X."""

from typing import Any

import numpy as np

from ..errors import ParamsError
from ..files.fields import Fields, as_axis_angles, keys_of
from ..geometry.camera import focal_from_fov
from ..geometry.camera_conversions import pinhole, rigid, solve_pinhole
from ..geometry.so3 import exp_map
from .hands_face import details_of_joints, details_of_names, expressions
from .track import Format, Source, Track, all_joints, body_of, full_pose, smpl_pose

MULTI_HMR_SIZE = 896
MULTI_HMR_FOV_DEG = 60.0
NLF_FOV_DEG = 55.0
SMPLIFYX_FOCAL = 5000.0
VPOSER_NUMBERS = 32
FARTHEST_M = 200.0
"""A depth beyond this is not metres but millimetres."""


def _humans(content: Any) -> list[Any]:
    people = content.get("humans", content) if isinstance(content, dict) else content
    if isinstance(people, dict) and "rotvec" in people:
        people = [people]
    return people if isinstance(people, list) else []


def _is_multi_hmr(content: Any) -> bool:
    people = _humans(content)
    keys = keys_of(people[0]) if people else set()
    return {"rotvec", "transl_pelvis"} <= keys or {
        "rotation_vector",
        "translation_pelvis",
    } <= keys


def _read_multi_hmr(source: Source) -> list[Track]:
    """Read SMPL-X people; the file says where the posed pelvis is, not the translation."""
    tracks = []
    for at, human in enumerate(_humans(source.content)):
        fields, notes = Fields(human, f"{source.path.name}: human {at}"), []
        key = fields.first("rotvec", "rotation_vector")
        joints = all_joints(fields.array(key), f"{fields.name}: {key}")
        pose, count = body_of(joints), len(joints)
        betas = fields.betas("shape", "betas", count=count)
        pelvis = fields.rows("transl_pelvis", "translation_pelvis", width=3, count=count)
        intrinsics, size = _multi_hmr_lens(source, fields, count, notes)
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
                intrinsics=intrinsics,
                image_size=size,
                beta_space="smplx",
                details=details_of_joints(joints, expressions(fields, "expression", count)),
                notes=notes,
            )
        )
    return tracks


def _multi_hmr_lens(
    source: Source, human: Fields, count: int, notes: list[str]
) -> tuple[np.ndarray, tuple[int, int]]:
    """Take `K` from the file, or find it from joints in 3D and 2D, or take 60 degrees."""
    holder = Fields(source.content, source.path.name) if isinstance(source.content, dict) else human
    if "K" in holder or "camera_intrinsics" in holder:
        matrices = holder.rows("K", "camera_intrinsics", width=9, count=count).reshape(-1, 3, 3)
        size = source.size_around(matrices[0, :2, 2])
        return matrices, size
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
) -> tuple[np.ndarray, tuple[int, int]]:
    """Solve for the pinhole that shows the file's 3D joints at its 2D joints."""
    size = source.image_size
    if any(key in fields for key in keys_3d) and any(key in fields for key in keys_2d):
        points = fields.rows(*keys_3d, width=3)
        pixels = fields.rows(*keys_2d, width=2)
        solved = solve_pinhole(points, pixels) if len(points) == len(pixels) else None
        if solved is not None:
            focal, center = solved
            size = source.size_around(center)
            return pinhole(focal, size, count, center), size
    if size is None:
        size = (MULTI_HMR_SIZE, MULTI_HMR_SIZE)
        notes.append(
            f"{source.path.name} holds no camera; {fov_deg:.0f} degrees in an image of "
            f"{size[1]}x{size[0]} were taken. Give image_size=(height, width)."
        )
    return pinhole(focal_from_fov(np.radians(fov_deg), max(size)), size, count), size


def _is_nlf(content: Any) -> bool:
    keys = keys_of(content)
    return {"pose", "betas"} <= keys and bool({"trans", "transl"} & keys) and "poses" not in keys


def _read_nlf(source: Source) -> list[Track]:
    """Read the SMPL people of one image."""
    fields, notes = source.fields, []
    pose = full_pose(fields.array("pose"), f"{fields.name}: pose")
    count = len(pose)
    betas = fields.betas("betas", count=count)
    transl = fields.rows("trans", "transl", width=3, count=count)
    if np.abs(transl).max() > FARTHEST_M:
        transl = transl / 1000.0
    intrinsics, size = _lens_from_joints(
        source, fields, ("joints3d",), ("joints2d",), NLF_FOV_DEG, count, notes
    )
    return [
        Track(
            pose=pose[one],
            betas=betas[one],
            transl=transl[one],
            intrinsics=intrinsics[one],
            image_size=size,
            notes=notes,
        )
        for one in (slice(person, person + 1) for person in range(count))
    ]


def _is_smplifyx(content: Any) -> bool:
    return {"camera_rotation", "camera_translation", "global_orient", "body_pose"} <= keys_of(
        content
    )


def _read_smplifyx(source: Source) -> list[Track]:
    """Read one fit: `u = 5000 (R x + t)_x / (R x + t)_z + W / 2`."""
    fields, notes = source.fields, []
    body = fields.array("body_pose")
    if body.size == VPOSER_NUMBERS:
        raise ParamsError(
            f"{fields.name}: body_pose holds 32 numbers of VPoser, whose network is needed to "
            "make joint rotations of them. Decode them with SMPLify-X (vposer.decode), write "
            "body_pose as 63 numbers, and load that."
        )
    root = as_axis_angles(fields.array("global_orient"), (1,), f"{fields.name}: global_orient")
    angles = as_axis_angles(body, (21, 23), f"{fields.name}: body_pose", count=len(root))
    count = len(root)
    turn = as_axis_angles(fields.array("camera_rotation"), (1,), f"{fields.name}: camera_rotation")
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
            pose=smpl_pose(root, angles),
            betas=fields.betas("betas", count=count),
            transl=transl,
            intrinsics=pinhole(focal, size, count),
            image_size=size,
            camera_from_world=camera,
            beta_space=space,
            details=details_of_names(fields, count),
            notes=notes,
        )
    ]


FORMATS = (
    Format(name="multi-hmr", title="Multi-HMR", matches=_is_multi_hmr, read=_read_multi_hmr),
    Format(name="smplify-x", title="SMPLify-X", matches=_is_smplifyx, read=_read_smplifyx),
    Format(name="nlf", title="NLF", matches=_is_nlf, read=_read_nlf),
)
