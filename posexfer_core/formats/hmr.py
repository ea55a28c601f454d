"""HMR2 and what is built on it: 4D-Humans' output, PHALP's tracks, Champ's motions.

All give rotation matrices of SMPL and the translation of a full-image pinhole, whose focal
length is 5000 px in an image of 256: `5000 / 256 * max(height, width)` in the whole image.
"""

from typing import Any

import numpy as np

from ..body.hands_face import SHAPES
from ..errors import ParamsError
from ..files.containers import read_container
from ..files.fields import Fields, as_array, as_axis_angles, as_rows, as_text, keys_of
from ..geometry.camera_conversions import crop_camera_translation, pinhole
from .track import Format, Source, Track, TrackDetails, smpl_pose

CROP_SIZE = 256
CROP_FOCAL = 5000.0


def full_focal(size: tuple[int, int]) -> float:
    """Scale HMR2's focal length up from its crop to an image of (height, width)."""
    return CROP_FOCAL / CROP_SIZE * max(size)


def read_smpl(fields: Fields) -> tuple[np.ndarray, np.ndarray]:
    """Read pose and shape from a dict of `global_orient`, `body_pose` and `betas`."""
    root = as_axis_angles(fields.array("global_orient"), (1,), f"{fields.name}: global_orient")
    body = as_axis_angles(
        fields.array("body_pose"), (23, 21), f"{fields.name}: body_pose", count=len(root)
    )
    return smpl_pose(root, body), fields.betas("betas", count=len(root))


def _outputs(content: Any) -> list[Any]:
    """Give the outputs of all frames: a list of them, or one."""
    return content if isinstance(content, list) else [content]


def _is_hmr2(content: Any) -> bool:
    outputs = _outputs(content)
    return bool(outputs) and "pred_smpl_params" in keys_of(outputs[0])


def _read_hmr2(source: Source) -> list[Track]:
    frames = [
        _hmr2_people(source, Fields(output, f"{source.path.name}[{at}]"))
        for at, output in enumerate(_outputs(source.content))
    ]
    return _join_frames(frames)


def _join_frames(frames: list[list[Track]]) -> list[Track]:
    """Chain the n-th persons of all frames that have as many; images must be of one size."""
    persons = max((len(people) for people in frames), default=0)
    return [
        chain([people[person] for people in frames if len(people) > person])
        for person in range(persons)
    ]


def chain(tracks: list[Track]) -> Track:
    """Put tracks of one person one after the other."""
    first = tracks[0]
    if any(track.image_size != first.image_size for track in tracks):
        raise ParamsError(
            "The frames have images of several sizes, "
            f"{sorted({track.image_size for track in tracks})[:4]} (height, width); expected one."
        )
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(track, name) for track in tracks])
        for name in ("pose", "betas", "transl", "intrinsics")
    }
    notes = list(dict.fromkeys(note for track in tracks for note in track.notes))
    return Track(
        **joined,
        image_size=first.image_size,
        beta_space=first.beta_space,
        details=_chained_details(tracks),
        frame_rate=first.frame_rate,
        notes=notes,
    )


def _chained_details(tracks: list[Track]) -> TrackDetails | None:
    """Put details one after the other, at rest where a frame has none."""
    if all(track.details is None for track in tracks):
        return None
    parts = [track.details or TrackDetails.rest(len(track.pose)) for track in tracks]
    return TrackDetails(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in SHAPES}
    )


def _hmr2_people(source: Source, fields: Fields) -> list[Track]:
    """Read every person of one output."""
    pose, betas = read_smpl(fields.part("pred_smpl_params"))
    people = len(pose)
    transl, intrinsics, size = _hmr2_camera(source, fields, people)
    return [
        Track(
            pose=pose[one],
            betas=betas[one],
            transl=transl[one],
            intrinsics=intrinsics[one],
            image_size=size,
        )
        for one in (slice(person, person + 1) for person in range(people))
    ]


def _hmr2_camera(
    source: Source, fields: Fields, people: int
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Find the camera: of the whole image if the file tells the box, else of the crop."""
    size = source.image_size
    if "img_size" in fields:
        width, height = fields.rows("img_size", width=2)[0]
        size = (round(height), round(width))
    focal = full_focal(size) if size is not None else 0.0
    if "scaled_focal_length" in fields:
        focal = fields.number("scaled_focal_length")
    if size is not None and "pred_cam_t_full" in fields:
        transl = fields.rows("pred_cam_t_full", width=3, count=people)
        return transl, pinhole(focal, size, people), size
    if size is not None and "box_center" in fields and "box_size" in fields:
        transl = crop_camera_translation(
            fields.rows("pred_cam", width=3, count=people),
            fields.rows("box_center", width=2, count=people),
            fields.rows("box_size", width=1, count=people)[:, 0],
            size,
            focal,
        )
        return transl, pinhole(focal, size, people), size
    crop = (CROP_SIZE, CROP_SIZE)
    crop_focal = fields.number("focal_length") if "focal_length" in fields else CROP_FOCAL
    if "pred_cam_t" in fields:
        transl = fields.rows("pred_cam_t", width=3, count=people)
    else:
        camera = fields.rows("pred_cam", width=3, count=people)
        middle = np.full((people, 2), CROP_SIZE / 2)
        side = np.full(people, float(CROP_SIZE))
        transl = crop_camera_translation(camera, middle, side, crop, crop_focal)
    return transl, pinhole(crop_focal, crop, people), crop


def _is_phalp(content: Any) -> bool:
    frames = list(content.values()) if isinstance(content, dict) else []
    return bool(frames) and {"tid", "smpl", "camera"} <= keys_of(frames[0])


def _read_phalp(source: Source) -> list[Track]:
    """Collect each track id over the frames it was seen in, in the order of first appearance."""
    tracks: dict[Any, list[Track]] = {}
    for name, frame in source.content.items():
        fields = Fields(frame, f"{source.path.name}: {as_text(name)[-40:]}")
        ids, people, cameras = (fields.raw(key) for key in ("tid", "smpl", "camera"))
        sizes = fields.raw("size") if "size" in fields else []
        for at, (track, person, camera) in enumerate(zip(ids, people, cameras, strict=False)):
            shown = Fields(person, f"{fields.name}: smpl[{at}]")
            size = source.image_size
            if at < len(sizes):
                rows = as_rows(as_array(sizes[at], fields.name), 2, None, f"{fields.name}: size")
                size = (int(rows[0, 0]), int(rows[0, 1]))
            tracks.setdefault(int(track), []).append(_phalp_person(shown, camera, size, source))
    return [chain(parts) for parts in tracks.values()]


def _phalp_person(
    fields: Fields, camera: Any, size: tuple[int, int] | None, source: Source
) -> Track:
    """Read one person; PHALP sees the image padded to a square, centred to whole pixels."""
    notes: list[str] = []
    pose, betas = read_smpl(fields)
    size = size or source.size_or_default(notes, "sets the focal length")
    height, width = size
    side = max(size)
    center = (side / 2 - (side - width) // 2, side / 2 - (side - height) // 2)
    transl = as_rows(as_array(camera, fields.name), 3, 1, f"{fields.name}: camera")
    return Track(
        pose=pose[:1],
        betas=betas[:1],
        transl=transl,
        intrinsics=pinhole(full_focal(size), size, 1, center),
        image_size=size,
        notes=notes,
    )


def _is_champ(content: Any) -> bool:
    keys = keys_of(content)
    return {"smpls", "cam_t"} <= keys or {"smpl", "camera"} == keys - {"scaled_focal_length"}


def _read_champ(source: Source) -> list[Track]:
    """Read one frame's people (`0001.npy`) or a motion (`smpls_group.npz`)."""
    fields = source.fields
    if "smpls" in fields:
        return _champ_people(source, fields, fields.part("smpls"), fields.array("cam_t"), fields)
    neighbour = _neighbour(source)
    people, cameras = fields.raw("smpl"), fields.raw("camera")
    if isinstance(people, dict):
        people = [people]
    lens = fields if "scaled_focal_length" in fields or neighbour is None else neighbour
    frames = []
    for at, (smpl, camera) in enumerate(zip(people, cameras, strict=False)):
        shown = Fields(smpl, f"{source.path.name}: smpl[{at}]")
        shown = shown.part("smpls") if "smpls" in shown else shown
        name = f"{source.path.name}: camera[{at}]"
        rows = as_rows(as_array(camera, name), 3, None, name)
        frames.append(_champ_people(source, lens, shown, rows, neighbour)[:1])
    return _join_frames(frames)


def _neighbour(source: Source) -> Fields | None:
    """Open the first frame beside a motion file: it knows the image's size."""
    for path in sorted(source.path.parent.glob("*.npy"))[:1]:
        content = read_container(path)
        if _is_champ(content):
            return Fields(content, path.name)
    return None


def _champ_people(
    source: Source, lens: Fields, smpl: Fields, cameras: np.ndarray, sized: Fields | None
) -> list[Track]:
    """Read the people of one frame."""
    notes: list[str] = []
    pose, betas = read_smpl(smpl)
    size = source.image_size
    if sized is not None and "render_res" in sized:
        width, height = sized.rows("render_res", width=2)[0]
        size = (round(height), round(width))
    size = size or source.size_or_default(notes, "sets the focal length")
    focal = full_focal(size)
    if "scaled_focal_length" in lens:
        focal = lens.array("scaled_focal_length").flat[0]
    transl = as_rows(cameras, 3, None, f"{smpl.name}: cam_t")
    people = min(len(pose), len(transl))
    return [
        Track(
            pose=pose[one],
            betas=betas[one],
            transl=transl[one],
            intrinsics=pinhole(float(focal), size, 1),
            image_size=size,
            notes=notes,
        )
        for one in (slice(person, person + 1) for person in range(people))
    ]


FORMATS = (
    Format(name="hmr2", title="HMR2 / 4D-Humans", matches=_is_hmr2, read=_read_hmr2),
    Format(name="phalp", title="PHALP tracks", matches=_is_phalp, read=_read_phalp),
    Format(name="champ", title="Champ", matches=_is_champ, read=_read_champ),
)
