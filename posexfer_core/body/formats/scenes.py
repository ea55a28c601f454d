"""People of one picture: Multi-HMR, NLF, SMPLify-X, AGORA, HumanData, SMPLer-X.

The last three share the names of smplx's layers: `global_orient`, `body_pose`, `betas`, `transl`.
"""

from typing import Any

import numpy as np

from ...errors import ParamsError
from .cameras import front_view, pinhole, rigid, solve_pinhole, up_axis
from .fields import Fields, as_axis_angles, to_matrices
from .track import Format, Source, Track, full_pose, keys_of, smpl_pose

MULTI_HMR_SIZE = 896
MULTI_HMR_FOV_DEG = 60.0
NLF_FOV_DEG = 55.0
SMPLIFYX_FOCAL = 5000.0
VPOSER_NUMBERS = 32
FARTHEST_M = 200.0
"""A depth beyond this is not metres but millimetres."""


def _focal(fov_deg: float, side: int) -> float:
    return side / 2 / float(np.tan(np.radians(fov_deg / 2)))


def _humans(content: Any) -> list[Any]:
    people = content.get("humans", content) if isinstance(content, dict) else content
    if isinstance(people, dict) and "rotvec" in people:
        people = [people]
    return people if isinstance(people, list) else []


def _is_multi_hmr(content: Any) -> bool:
    people = _humans(content)
    return bool(people) and {"rotvec", "transl_pelvis"} <= keys_of(people[0])


def _read_multi_hmr(source: Source) -> list[Track]:
    """Read SMPL-X people; the file says where the posed pelvis is, not the translation."""
    tracks = []
    for at, human in enumerate(_humans(source.content)):
        fields, notes = Fields(human, f"{source.path.name}: human {at}"), []
        pose = full_pose(fields.array("rotvec"), f"{fields.name}: rotvec")
        count = len(pose)
        betas = fields.betas("shape", "betas", count=count)
        pelvis = fields.rows("transl_pelvis", width=3, count=count)
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
                picture_size=size,
                beta_space="smplx",
                notes=notes,
            )
        )
    return tracks


def _multi_hmr_lens(
    source: Source, human: Fields, count: int, notes: list[str]
) -> tuple[np.ndarray, tuple[int, int]]:
    """Take `K` from the file, or find it from joints in 3D and 2D, or take 60 degrees."""
    holder = Fields(source.content, source.path.name) if isinstance(source.content, dict) else human
    if "K" in holder:
        matrices = holder.rows("K", width=9, count=count).reshape(-1, 3, 3)
        size = source.size_around(matrices[0, :2, 2])
        return matrices, size
    return _lens_from_joints(
        source, human, ("j3d", "j3d_smplx"), ("j2d", "j2d_smplx"), MULTI_HMR_FOV_DEG, count, notes
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
    size = source.picture_size
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
            f"{source.path.name} holds no camera; {fov_deg:.0f} degrees in a picture of "
            f"{size[1]}x{size[0]} were taken. Give picture_size=(height, width)."
        )
    return pinhole(_focal(fov_deg, max(size)), size, count), size


def _is_nlf(content: Any) -> bool:
    keys = keys_of(content)
    return {"pose", "betas"} <= keys and bool({"trans", "transl"} & keys) and "poses" not in keys


def _read_nlf(source: Source) -> list[Track]:
    """Read the SMPL people of one picture."""
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
            picture_size=size,
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
    camera = rigid(np.broadcast_to(to_matrices(turn[:, 0]), (count, 3, 3)), shift)
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
            picture_size=size,
            camera_from_world=camera,
            beta_space=space,
            notes=notes,
        )
    ]


def _layer_part(content: Any) -> str | None:
    """Find where the names of smplx's layers are: on top, or one level down."""
    if {"global_orient", "body_pose"} <= keys_of(content):
        return ""
    for name in ("params", "smplx", "smpl", "smpl_params", "smplx_params"):
        inner = content.get(name) if isinstance(content, dict) else None
        if {"global_orient", "body_pose"} <= keys_of(inner):
            return name
    return None


def _is_humandata(content: Any) -> bool:
    part = _layer_part(content)
    return part in ("smpl", "smplx") and bool({"meta", "config", "bbox_xywh"} & keys_of(content))


def _is_agora(content: Any) -> bool:
    return _layer_part(content) == "params"


def _is_layers(content: Any) -> bool:
    return _layer_part(content) is not None


def _read_humandata(source: Source) -> list[Track]:
    """Read rows of SMPL or SMPL-X as frames; HumanData keeps no camera of the whole picture."""
    return _read_layers(source)


def _read_agora(source: Source) -> list[Track]:
    return _read_layers(source)


def _read_layers(source: Source) -> list[Track]:
    """Read rows as frames of one person, with the camera if the file has one."""
    part = _layer_part(source.content)
    if part is None:
        raise ParamsError(f"{source.path.name} has no global_orient and body_pose.")
    whole = source.fields
    fields = whole.part(part) if part else whole
    notes: list[str] = []
    root = as_axis_angles(fields.array("global_orient"), (1,), f"{fields.name}: global_orient")
    count = len(root)
    body = as_axis_angles(
        fields.array("body_pose"), (23, 21), f"{fields.name}: body_pose", count=count
    )
    pose = smpl_pose(root, body)
    space = "smpl" if body.shape[1] == 23 else "smplx"
    betas = fields.betas("betas", count=count)
    placed = "transl" in fields or "cam_trans" in fields
    transl = np.zeros((count, 3))
    if placed:
        transl = fields.rows("transl", "cam_trans", width=3, count=count)
    lens = _layer_lens(source, whole, count)
    up = up_axis(pose[:, 0])
    before_camera = placed and up == "-y" and float(transl[:, 2].min()) > 0.3
    camera = None
    if lens is not None:
        intrinsics, size = lens
    elif before_camera:
        size = source.size_or_default(notes, "sets the focal length")
        intrinsics = pinhole(float(np.hypot(*size)), size, count)
        notes.append(f"{source.path.name} holds no focal length; the diagonal was taken.")
    else:
        pelvis = transl + source.pelvis(betas, space)
        intrinsics, size, camera = front_view(pose[:, 0], pelvis, up, source.picture_size)
    return [
        Track(
            pose=pose,
            betas=betas,
            transl=transl,
            intrinsics=intrinsics,
            picture_size=size,
            camera_from_world=camera,
            beta_space=space,
            notes=notes,
        )
    ]


def _layer_lens(
    source: Source, fields: Fields, count: int
) -> tuple[np.ndarray, tuple[int, int]] | None:
    """Read the lens under the names in use: `K`, `intrinsics`, or `focal` with `princpt`."""
    for key in ("K", "intrinsics", "K_fullimg", "cam_int"):
        if key in fields:
            matrices = fields.rows(key, width=9, count=count).reshape(-1, 3, 3)
            center = matrices[0, :2, 2]
            size = source.size_around(center)
            return matrices, size
    if "focal" in fields and "princpt" in fields:
        focal = fields.array("focal").reshape(-1)[:2]
        center = fields.rows("princpt", width=2)[0]
        size = source.size_around(center)
        both = np.broadcast_to(focal, (count, 2)) if focal.size else focal
        return pinhole(np.array(both), size, count, center), size
    return None


FORMATS = (
    Format(name="multi-hmr", title="Multi-HMR", matches=_is_multi_hmr, read=_read_multi_hmr),
    Format(name="smplify-x", title="SMPLify-X", matches=_is_smplifyx, read=_read_smplifyx),
    Format(name="nlf", title="NLF", matches=_is_nlf, read=_read_nlf),
    Format(name="agora", title="AGORA", matches=_is_agora, read=_read_agora),
    Format(
        name="humandata", title="mmhuman3d HumanData", matches=_is_humandata, read=_read_humandata
    ),
    Format(
        name="layers",
        title="names of smplx's layers, as SMPLer-X and SMPLest-X write",
        matches=_is_layers,
        read=_read_layers,
    ),
)
