"""Tools whose own camera is a weak perspective: FrankMocap, VIBE and its family.

Two kinds are in use, and mixing them moves a body by up to half the image: VIBE's family scales
after shifting, `s (x + t)`; FrankMocap and UPGPT before, `s x + t`.
"""

from typing import Any

import numpy as np

from ..errors import ParamsError
from ..files.fields import Fields
from ..geometry.camera_conversions import far_pinhole
from .format import Format, first_value, has
from .track import Source, Track, full_pose

FRANKMOCAP_HALF = 112.0
"""Half the side of FrankMocap's crop, pixels."""


def weak_track(
    source: Source,
    pose: np.ndarray,
    betas: np.ndarray,
    scale: np.ndarray,
    offset: np.ndarray,
    size: tuple[int, int],
    notes: list[str],
    beta_space: str = "smpl",
) -> Track:
    """Build a track whose source sees `u = scale x + offset`, pixels."""
    if not (scale > 0).all():
        raise ParamsError(f"{source.path.name}: a camera has a scale that is not positive.")
    intrinsics, transl = far_pinhole(scale, offset, source.pelvis(betas, beta_space))
    return Track(
        pose=pose,
        betas=betas,
        transl=transl,
        lens=(intrinsics, size),
        beta_space=beta_space,
        notes=notes,
    )


def _frankmocap_list(content: Any) -> list[Any]:
    people = content.get("pred_output_list") if isinstance(content, dict) else content
    return [one for one in people if isinstance(one, dict)] if isinstance(people, list) else []


def _is_frankmocap(content: Any) -> bool:
    people = _frankmocap_list(content)
    return bool(people) and has("pred_body_pose", "pred_camera", "bbox_top_left")(people[0])


def _read_frankmocap(source: Source) -> list[Track]:
    """Read `u = ((s x + t) + 1) * 112 / bbox_scale_ratio + bbox_top_left`."""
    tracks = []
    is_smplx = isinstance(source.content, dict) and source.content.get("smpl_type") == "smplx"
    for at, person in enumerate(_frankmocap_list(source.content)):
        fields, notes = Fields(person, f"{source.path.name}[{at}]"), []
        pose = full_pose(fields, "pred_body_pose")[:1]
        camera = fields.rows("pred_camera", width=3)[0]
        px_per_ndc = FRANKMOCAP_HALF / fields.number("bbox_scale_ratio")
        corner = fields.rows("bbox_top_left", width=2)[0]
        size = source.size_or_box(notes, *(corner + 2 * px_per_ndc))
        tracks.append(
            weak_track(
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


def _is_vibe(content: Any) -> bool:
    return has("orig_cam", "pose")(first_value(content))


def _read_vibe(source: Source) -> list[Track]:
    """Read `u = (sx (x + tx) + 1) W / 2`, `v = (sy (y + ty) + 1) H / 2`."""
    tracks = []
    for name, person in source.content.items():
        fields, notes = Fields(person, f"{source.path.name}: person {name}"), []
        pose = full_pose(fields, "pose")
        camera = fields.rows("orig_cam", width=4, count=len(pose))
        size = _size_from_boxes(fields, camera)
        size = size or source.size_or_default(notes, "its camera is relative to")
        half = np.array([size[1] / 2, size[0] / 2])
        scale = camera[:, :2] * half
        offset = scale * camera[:, 2:] + half
        betas = fields.betas("betas", count=len(pose))
        tracks.append(weak_track(source, pose, betas, scale.mean(axis=1), offset, size, notes))
    return tracks


def _size_from_boxes(fields: Fields, camera: np.ndarray) -> tuple[int, int] | None:
    """Solve `sx = s h / W`, `sy = s h / H`, which took the crop's camera to the whole image."""
    if "pred_cam" not in fields or "bboxes" not in fields or (camera[:, :2] <= 0).any():
        return None
    crop = fields.rows("pred_cam", width=3, count=len(camera))
    boxes = fields.rows("bboxes", width=4, count=len(camera))
    width, height = np.median((crop[:, :1] * boxes[:, 2:3]) / camera[:, :2], axis=0)
    if not (1 <= height < 1e5 and 1 <= width < 1e5):
        return None
    return round(height), round(width)


FORMATS = (
    Format(
        name="frankmocap",
        title="FrankMocap / UPGPT",
        matches=_is_frankmocap,
        read=_read_frankmocap,
        told_by=("pred_body_pose", "pred_camera", "bbox_top_left"),
    ),
    Format(
        name="vibe",
        title="VIBE / PARE / PyMAF",
        matches=_is_vibe,
        read=_read_vibe,
        told_by=("pose", "orig_cam"),
    ),
)
