"""Tools whose own camera is a weak perspective: FrankMocap, VIBE and its family, ROMP and BEV.

Two kinds are in use, and mixing them moves a body by up to half the picture: VIBE's family scales
after shifting, `s (x + t)`; FrankMocap, UPGPT and ROMP before, `s x + t`.
"""

from typing import Any

import numpy as np

from ...errors import ParamsError
from .cameras import far_pinhole, pinhole
from .fields import Fields, as_rows
from .hmr import chain
from .track import Format, Source, Track, full_pose, keys_of

FRANKMOCAP_HALF = 112.0
"""Half the side of FrankMocap's crop, pixels."""
BEV_FOCAL = 443.4
"""BEV's focal length in its picture of 512, 60 degrees."""
BEV_SIZE = 512.0


def _weak_track(
    source: Source,
    pose: np.ndarray,
    betas: np.ndarray,
    scale: np.ndarray,
    offset: np.ndarray,
    size: tuple[int, int],
    notes: list[str] | None = None,
    beta_space: str = "smpl",
) -> Track:
    """Build a track whose source sees `u = scale x + offset`."""
    if not (scale > 0).all():
        raise ParamsError(f"{source.path.name}: a camera has a scale that is not positive.")
    intrinsics, transl = far_pinhole(scale, offset, source.pelvis(betas, beta_space))
    return Track(
        pose=pose,
        betas=betas,
        transl=transl,
        intrinsics=intrinsics,
        picture_size=size,
        beta_space=beta_space,
        notes=notes or [],
    )


def _frankmocap_list(content: Any) -> list[Any]:
    people = content.get("pred_output_list") if isinstance(content, dict) else content
    return [one for one in people if isinstance(one, dict)] if isinstance(people, list) else []


def _is_frankmocap(content: Any) -> bool:
    people = _frankmocap_list(content)
    return bool(people) and {"pred_body_pose", "pred_camera", "bbox_top_left"} <= keys_of(people[0])


def _read_frankmocap(source: Source) -> list[Track]:
    """Read `u = ((s x + t) + 1) * 112 / bbox_scale_ratio + bbox_top_left`."""
    tracks = []
    is_smplx = isinstance(source.content, dict) and source.content.get("smpl_type") == "smplx"
    for at, person in enumerate(_frankmocap_list(source.content)):
        fields = Fields(person, f"{source.path.name}[{at}]")
        pose = full_pose(fields.array("pred_body_pose"), f"{fields.name}: pred_body_pose")[:1]
        camera = fields.rows("pred_camera", width=3)[0]
        px_per_ndc = FRANKMOCAP_HALF / fields.number("bbox_scale_ratio")
        corner = fields.rows("bbox_top_left", width=2)[0]
        size = source.picture_size
        notes = []
        if size is None:
            right, bottom = corner + 2 * px_per_ndc
            size = (max(1, int(np.ceil(bottom))), max(1, int(np.ceil(right))))
            notes.append(
                f"{source.path.name} does not hold the size of its picture; one that ends with "
                f"the person's box, {size[1]}x{size[0]}, was taken. Give picture_size."
            )
        tracks.append(
            _weak_track(
                source,
                pose,
                fields.betas("pred_betas", count=1),
                np.array([camera[0] * px_per_ndc]),
                ((camera[1:] + 1.0) * px_per_ndc + corner)[None],
                size,
                notes,
                "smplx" if is_smplx else "smpl",
            )
        )
    return tracks


def _persons(content: Any) -> list[tuple[Any, Any]]:
    """Give the persons of a dict keyed by person, in the order of the file."""
    return list(content.items()) if isinstance(content, dict) else []


def _is_vibe(content: Any) -> bool:
    persons = _persons(content)
    return bool(persons) and {"orig_cam", "pose"} <= keys_of(persons[0][1])


def _read_vibe(source: Source) -> list[Track]:
    """Read `u = (sx (x + tx) + 1) W / 2`, `v = (sy (y + ty) + 1) H / 2`."""
    tracks = []
    for name, person in _persons(source.content):
        fields = Fields(person, f"{source.path.name}: person {name}")
        pose = full_pose(fields.array("pose"), f"{fields.name}: pose")
        camera = fields.rows("orig_cam", width=4, count=len(pose))
        notes: list[str] = []
        size = _size_from_boxes(fields, camera)
        size = size or source.size_or_default(notes, "its camera is relative to")
        half = np.array([size[1] / 2, size[0] / 2])
        scale = camera[:, :2] * half
        offset = scale * camera[:, 2:] + half
        betas = fields.betas("betas", count=len(pose))
        tracks.append(_weak_track(source, pose, betas, scale.mean(axis=1), offset, size, notes))
    return tracks


def _size_from_boxes(fields: Fields, camera: np.ndarray) -> tuple[int, int] | None:
    """Undo how the crop's camera was carried over: `sx = s h / W`, `sy = s h / H`."""
    if "pred_cam" not in fields or "bboxes" not in fields:
        return None
    crop = fields.rows("pred_cam", width=3, count=len(camera))
    boxes = fields.rows("bboxes", width=4, count=len(camera))
    if (camera[:, :2] <= 0).any():
        return None
    width, height = np.median((crop[:, :1] * boxes[:, 2:3]) / camera[:, :2], axis=0)
    if not (1 <= height < 1e5 and 1 <= width < 1e5):
        return None
    return round(height), round(width)


def _romp_frames(content: Any) -> list[Any]:
    """Give the results of each picture."""
    if isinstance(content, dict) and "results" in content:
        content = content["results"]
    if isinstance(content, dict) and "cam" not in content:
        return list(content.values())
    if isinstance(content, list):
        return content
    return [content]


def _is_romp(content: Any) -> bool:
    frames = _romp_frames(content)
    keys = keys_of(frames[0]) if frames else set()
    return "cam" in keys and bool({"smpl_thetas", "poses", "pose"} & keys)


def _read_romp(source: Source) -> list[Track]:
    """Collect people over pictures, by track id where there is one, else by their order."""
    tracks: dict[Any, list[Track]] = {}
    for at, frame in enumerate(_romp_frames(source.content)):
        fields = Fields(frame, f"{source.path.name}: results[{at}]")
        people = _romp_people(source, fields)
        ids: Any = range(len(people))
        if "track_ids" in fields:
            ids = [int(number) for number in fields.array("track_ids").ravel()]
        for name, person in zip(ids, people, strict=False):
            tracks.setdefault(name, []).append(person)
    return [chain(parts) for parts in tracks.values()]


def _romp_people(source: Source, fields: Fields) -> list[Track]:
    """Read everyone in one picture; it was padded to a centred square before."""
    key = fields.first("smpl_thetas", "poses", "pose")
    pose = full_pose(fields.array(key), f"{fields.name}: {key}")
    people = len(pose)
    camera = fields.rows("cam", width=3, count=people)
    betas = fields.betas("smpl_betas", "betas", count=people)
    notes: list[str] = []
    side, corner, size = _romp_square(source, fields, camera, notes)
    if "cam_trans" in fields:
        transl = fields.rows("cam_trans", width=3, count=people)
        flat = 2.0 / np.maximum(camera[:, :1], 1e-6)
        rough = np.concatenate([camera[:, 1:], np.ones((people, 1))], axis=1) * flat
        if not np.allclose(transl, rough, rtol=1e-3, atol=1e-3):
            center = (side / 2 - corner[0], side / 2 - corner[1])
            intrinsics = pinhole(BEV_FOCAL / BEV_SIZE * side, size, people, center)
            return _split(pose, betas, transl, intrinsics, size, notes)
    scale = camera[:, 0] * side / 2
    offset = (camera[:, 1:] + 1.0) * side / 2 - corner
    whole = _weak_track(source, pose, betas, scale, offset, size, notes)
    return _split(pose, betas, whole.transl, whole.intrinsics, size, notes)


def _split(
    pose: np.ndarray,
    betas: np.ndarray,
    transl: np.ndarray,
    intrinsics: np.ndarray,
    size: tuple[int, int],
    notes: list[str],
) -> list[Track]:
    """Make a track of each row."""
    return [
        Track(
            pose=pose[one],
            betas=betas[one],
            transl=transl[one],
            intrinsics=intrinsics[one],
            picture_size=size,
            notes=notes,
        )
        for one in (slice(row, row + 1) for row in range(len(pose)))
    ]


def _romp_square(
    source: Source, fields: Fields, camera: np.ndarray, notes: list[str]
) -> tuple[int, np.ndarray, tuple[int, int]]:
    """Find the padded square: its side, where the picture lies in it, the picture's size."""
    if "pj2d_org" in fields and ("pj2d" in fields or "joints" in fields):
        seen = fields.array("pj2d_org")
        seen = as_rows(seen, seen.shape[-1] if seen.ndim else 1, None, fields.name)[:, :2]
        if "pj2d" in fields:
            flat = fields.array("pj2d")
            flat = as_rows(flat, flat.shape[-1] if flat.ndim else 1, None, fields.name)[:, :2]
        else:
            joints = fields.array("joints").reshape(len(camera), -1, 3)[..., :2]
            flat = (camera[:, None, :1] * joints + camera[:, None, 1:]).reshape(-1, 2)
        if flat.shape == seen.shape and len(flat) >= 2:
            spread = flat - flat.mean(axis=0)
            half = (spread * (seen - seen.mean(axis=0))).sum() / max((spread**2).sum(), 1e-9)
            side = round(float(2 * half))
            corner = np.round(side / 2 * (1 + flat.mean(axis=0)) - seen.mean(axis=0))
            width, height = side - 2 * corner
            if side > 0 and (corner >= 0).all() and min(width, height) > 0:
                return side, corner, (int(height), int(width))
    size = source.picture_size
    if size is None:
        size = (int(BEV_SIZE), int(BEV_SIZE))
        notes.append(
            f"{source.path.name} does not hold the size of its picture; the padded square of "
            f"{size[0]} pixels that the network saw was taken. Give picture_size."
        )
    side = max(size)
    return side, np.array([(side - size[1]) // 2, (side - size[0]) // 2]), size


FORMATS = (
    Format(
        name="frankmocap", title="FrankMocap / UPGPT", matches=_is_frankmocap, read=_read_frankmocap
    ),
    Format(name="vibe", title="VIBE / PARE / PyMAF", matches=_is_vibe, read=_read_vibe),
    Format(name="romp", title="ROMP / BEV", matches=_is_romp, read=_read_romp),
)
