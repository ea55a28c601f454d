"""HMR2 and what is built on it: 4D-Humans' output, PHALP's tracks, Champ's motions; HybrIK.

All give rotation matrices of SMPL and the translation of a full-image pinhole, whose focal length
is 5000 px in an image of 256: `5000 / 256 * max(height, width)` in the whole image. HybrIK's is
1000 px in a person's box.
"""

import itertools
from typing import Any

import numpy as np

from ..files.containers import read_container
from ..files.fields import Fields, as_array, as_rows, as_text, keys_of
from ..geometry.camera_conversions import crop_camera_translation, pinhole
from .format import Format, has
from .hands_face import hands_face_of_joints
from .track import WHOLE_BODY, Lens, Source, Track, body_of, chain, chain_people, layer_pose

MOST_EMPTY = 1000
"""Frames without anybody in front of a track."""
CROP_SIZE = 256
CROP_FOCAL = 5000.0
HYBRIK_FOCAL = 1000.0
SMPLX_JOINTS = 55


def full_focal(size: tuple[int, int]) -> float:
    """Scale HMR2's focal length up from its crop to an image of (height, width)."""
    return CROP_FOCAL / CROP_SIZE * max(size)


def _outputs(content: Any) -> list[Any]:
    """Give the outputs of all frames: a list of them, or one."""
    return content if isinstance(content, list) else [content]


def _is_hmr2(content: Any) -> bool:
    outputs = _outputs(content)
    return bool(outputs) and has("pred_smpl_params")(outputs[0])


def _read_hmr2(source: Source) -> list[Track]:
    """Read every person of every output."""
    frames = []
    for at, output in enumerate(_outputs(source.content)):
        fields = Fields(output, f"{source.path.name}[{at}]")
        shown = fields.part("pred_smpl_params")
        pose, _ = layer_pose(shown)
        lens, transl = _hmr2_camera(source, fields, len(pose))
        track = Track(
            pose=pose, betas=shown.betas("betas", count=len(pose)), transl=transl, lens=lens
        )
        frames.append(track.people())
    return chain_people(frames)


def _hmr2_camera(source: Source, fields: Fields, people: int) -> tuple[Lens, np.ndarray]:
    """Find lens and translation: of the whole image if the file tells the box, else of the crop."""
    size = source.image_size
    if "img_size" in fields:
        width, height = fields.rows("img_size", width=2)[0]
        size = (round(height), round(width))
    center, side = np.full((people, 2), CROP_SIZE / 2), np.full(people, float(CROP_SIZE))
    whole, boxed = "pred_cam_t_full" in fields, "box_center" in fields and "box_size" in fields
    if size is not None and (whole or boxed):
        focal, ready = full_focal(size), "pred_cam_t_full"
        if "scaled_focal_length" in fields:
            focal = fields.number("scaled_focal_length")
        if not whole:
            center = fields.rows("box_center", width=2, count=people)
            side = fields.rows("box_size", width=1, count=people)[:, 0]
    else:
        size, ready = (CROP_SIZE, CROP_SIZE), "pred_cam_t"
        focal = fields.number("focal_length") if "focal_length" in fields else CROP_FOCAL
    lens = pinhole(focal, size, people), size
    if ready in fields:
        return lens, fields.rows(ready, width=3, count=people)
    camera = fields.rows("pred_cam", width=3, count=people)
    return lens, crop_camera_translation(camera, center, side, size, focal)


def _is_phalp(content: Any) -> bool:
    frames = content.values() if isinstance(content, dict) else ()
    return any(map(has("tid", "smpl", "camera"), itertools.islice(frames, MOST_EMPTY)))


def _read_phalp(source: Source) -> list[Track]:
    """Collect each track id over the frames it was seen in, in the order of first appearance.

    While a track is lost, PHALP repeats its last detection, counts `tracked_time` up, and leaves it
    out of `tracked_ids`. Frames and people that were not found may be numbers.
    """
    tracks: dict[Any, list[Track]] = {}
    for name, frame in source.content.items():
        if not has("tid", "smpl", "camera")(frame):
            continue
        fields = Fields(frame, f"{source.path.name}: {as_text(name)[-40:]}")
        ids, people, cameras = (fields.raw(key) for key in ("tid", "smpl", "camera"))
        sizes = fields.array("size").reshape(-1, 2) if "size" in fields else np.empty((0, 2))
        lost = list(fields.array("tracked_time").flat) if "tracked_time" in fields else []
        if not lost and "tracked_ids" in fields:
            tracked = set(fields.array("tracked_ids").flat)
            lost = [float(track not in tracked) for track in ids]
        for at, (track, person, camera) in enumerate(zip(ids, people, cameras, strict=False)):
            if (at < len(lost) and lost[at] > 0) or not isinstance(person, dict):
                continue
            shown = Fields(person, f"{fields.name}: smpl[{at}]")
            size = source.image_size
            if len(sizes):
                height, width = sizes[min(at, len(sizes) - 1)]
                size = (int(height), int(width))
            tracks.setdefault(int(track), []).append(_phalp_person(shown, camera, size, source))
    return [chain(parts) for parts in tracks.values()]


def _phalp_person(
    fields: Fields, camera: Any, size: tuple[int, int] | None, source: Source
) -> Track:
    """Read one person; PHALP pads the image to a square, centred to whole pixels."""
    notes: list[str] = []
    pose, _ = layer_pose(fields)
    size = size or source.size_or_default(notes, "sets the focal length")
    height, width = size
    side = max(size)
    center = (side / 2 - (side - width) // 2, side / 2 - (side - height) // 2)
    return Track(
        pose=pose[:1],
        betas=fields.betas("betas", count=len(pose))[:1],
        transl=as_rows(as_array(camera, fields.name), 3, 1, f"{fields.name}: camera"),
        lens=(pinhole(full_focal(size), size, 1, center), size),
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
    return chain_people(frames)


def _neighbour(source: Source) -> Fields | None:
    """Open the first frame beside a motion file: it holds the image's size."""
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
    pose, _ = layer_pose(smpl)
    betas = smpl.betas("betas", count=len(pose))
    size = source.image_size
    if sized is not None and "render_res" in sized:
        width, height = sized.rows("render_res", width=2)[0]
        size = (round(height), round(width))
    size = size or source.size_or_default(notes, "sets the focal length")
    focal = full_focal(size)
    if "scaled_focal_length" in lens:
        focal = lens.array("scaled_focal_length").flat[0]
    transl = as_rows(cameras, 3, None, f"{smpl.name}: cam_t")
    count = min(len(pose), len(transl))
    track = Track(
        pose=pose[:count],
        betas=betas[:count],
        transl=transl[:count],
        lens=(pinhole(float(focal), size, count), size),
        notes=notes,
    )
    return track.people()


def _read_hybrik(source: Source) -> list[Track]:
    """Read HybrIK's `res.pk`: one person's rows, matrices joint by joint.

    The lens has 1000 px in a crop of 256, `1000 / 256 * width of the box` in the whole image, and
    looks through its middle.
    """
    fields, notes = source.fields, []
    joints = fields.rotations("pred_thetas", joints=WHOLE_BODY)
    pose, count = body_of(joints), len(joints)
    size = source.image_size
    if "height" in fields and "width" in fields:
        size = (round(fields.number("height")), round(fields.number("width")))
    size = size or source.size_or_default(notes, "its lens looks through the middle of")
    left, _, right, _ = fields.rows("bbox", width=4, count=count).T
    return [
        Track(
            pose=pose,
            betas=fields.betas("pred_betas", count=count),
            transl=fields.rows("transl", "pred_cam_root", width=3, count=count),
            lens=(pinhole(HYBRIK_FOCAL / CROP_SIZE * (right - left), size, count), size),
            beta_space="smplx" if joints.shape[1] == SMPLX_JOINTS else "smpl",
            hands_face=hands_face_of_joints(joints),
            notes=notes,
        )
    ]


FORMATS = (
    Format(
        name="hmr2",
        title="HMR2 / 4D-Humans",
        matches=_is_hmr2,
        read=_read_hmr2,
        told_by=("pred_smpl_params",),
    ),
    Format(
        name="phalp",
        title="PHALP tracks",
        matches=_is_phalp,
        read=_read_phalp,
        told_by=("tid", "smpl", "camera"),
    ),
    Format(
        name="champ", title="Champ", matches=_is_champ, read=_read_champ, told_by=("smpls", "cam_t")
    ),
    Format(
        name="hybrik",
        title="HybrIK",
        matches=has("pred_thetas", "bbox", one_of=("transl", "pred_cam_root")),
        read=_read_hybrik,
    ),
)
