"""Motions of joints alone: HumanML3D's and MDM's, and arrays of SMPL's joints under usual names.

The body is fitted to the joints, with one shape in all frames. Joints in a world are seen by a
made-up camera; the axis along which people stand tells the one from the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import ParamsError
from ..files.fields import Fields, as_array, keys_of
from ..fit.video.fit_motion import fit_motion
from ..geometry.camera_conversions import (
    Lens,
    front_view,
    pinhole,
    solve_pinhole,
)
from ..geometry.so3 import exp_map, log_map
from ..keypoints.joint_files import JointFrames, array_person, to_metres
from ..keypoints.joints3d import standing_axis
from ..keypoints.layouts import LAYOUTS_3D, SMPL22
from ..keypoints.rig_joints import RawJoints
from .fitted import FittedPerson
from .format import Format
from .track import Source, Track

ARRAY_KEYS = ("allSmplJoints3d", "smpl_joints", "joints3d", "joints_3d", "joints", "arr_0")
PIXEL_KEYS = ("joints2d", "joints_2d", "joints")
FEATURES = 263
"""Numbers a frame of HumanML3D's representation for 22 joints."""
ROOT_HEIGHT_M = (0.1, 2.0)
"""Of features that are not normalised, on average."""
BONES = ((1, 4), (2, 5), (4, 7), (5, 8), (16, 18), (17, 19), (18, 20), (19, 21))
"""Thighs, shins, arms and forearms in SMPL's order."""
STEADY = 0.08
"""Spread of a bone's length over the frames, as a share of it, up to which rows are places."""
SMPL_COUNTS = tuple(count for count, names in LAYOUTS_3D.items() if names[:22] == SMPL22)


def decode_features(
    features: Float[ndarray, "frames 263"],
) -> Float[ndarray, "frames 22 3"]:
    """Decode HumanML3D's features to joints, y up (arXiv:2205.08537 and its published code).

    Of each frame: the turn of the root about y since the last one, its step in x and z in its own
    frame, its height, the places of the other 21 joints about it, and numbers that are not needed.
    The turn is half the angle.
    """
    half = np.concatenate([[0.0], np.cumsum(features[:-1, 0])])
    turns = exp_map(-2.0 * half[:, None] * np.array([0.0, 1.0, 0.0]))
    steps = np.zeros((len(features), 3))
    steps[1:, [0, 2]] = features[:-1, 1:3]
    root = np.cumsum((turns @ steps[..., None])[..., 0], axis=0)
    root[:, 1] = features[:, 3]
    others = features[:, 4:67].reshape(-1, 21, 3) @ turns.swapaxes(1, 2)
    others[..., [0, 2]] += root[:, None, [0, 2]]
    return np.concatenate([root[:, None], others], axis=1)


def _people(content: Any, name: str) -> list[Float[ndarray, "frames joints 3"]] | None:
    """Find the joints of everyone over the frames; None where this is another format."""
    if isinstance(content, Mapping) and {"motion", "lengths"} <= keys_of(content):
        return _mdm_samples(Fields(content, name))
    if isinstance(content, Mapping):
        found = (content[key] for key in ARRAY_KEYS if key in content)
        arrays = [one for one in found if isinstance(one, ndarray) and one.shape[-1:] == (3,)]
        content = arrays[0] if arrays else None
    if not isinstance(content, ndarray) or content.dtype.kind not in "fiu" or not content.size:
        return None
    if content.ndim in (2, 3) and content.shape[-1] == FEATURES:
        return [_decoded(one, name) for one in content.reshape(-1, *content.shape[-2:])]
    if content.ndim not in (2, 3, 4) or content.shape[-1] != 3:
        return None
    if content.shape[-2] not in SMPL_COUNTS:
        return None
    people = content.astype(np.float64).reshape(-1, *content.shape[-3:])
    if content.ndim == 2:
        people = people.reshape(1, 1, *content.shape)
    return list(people) if all(map(_are_places, people)) else None


def _mdm_samples(fields: Fields) -> list[Float[ndarray, "frames 22 3"]] | None:
    """Read MDM's `results.npy`: samples, joints, axes, frames, cut to their lengths."""
    motion = fields.array("motion")
    if motion.ndim != 4 or motion.shape[1:3] != (22, 3):
        return None
    lengths = fields.rows("lengths", width=1, count=len(motion))[:, 0].astype(int)
    samples = np.moveaxis(motion, -1, 1)
    return [one[: max(count, 1)] for one, count in zip(samples, lengths, strict=True)]


def _decoded(features: ndarray, name: str) -> Float[ndarray, "frames 22 3"]:
    height = float(features[:, 3].mean())
    if not ROOT_HEIGHT_M[0] < height < ROOT_HEIGHT_M[1]:
        raise ParamsError(
            f"{name} holds HumanML3D's {FEATURES} features a frame, with the root {height:.2f} m "
            "high on average: they are normalised. Multiply them by Std.npy, add Mean.npy, and "
            "save that."
        )
    return decode_features(features.astype(np.float64))


def _are_places(joints: Float[ndarray, "frames joints 3"]) -> bool:
    """Tell places from rotations, which are as many numbers: bones keep their length."""
    ends = np.array(BONES)
    lengths = np.linalg.norm(joints[:, ends[:, 0]] - joints[:, ends[:, 1]], axis=-1)
    left, right = (_lengths(lengths[:, side::2]) for side in (0, 1))
    known = (left[0] > 0.0) & (right[0] > 0.0)
    steady = [(spread < STEADY * mean)[known].all() for mean, spread in (left, right)]
    even = (np.abs(left[0] - right[0]) < 2.0 * STEADY * left[0])[known].all()
    return bool(known.sum() >= 2 and all(steady) and even)


def _lengths(lengths: Float[ndarray, "frames bones"]) -> tuple[ndarray, ndarray]:
    """Return mean and spread of every bone over the frames that have it; 0 where none has."""
    known = np.isfinite(lengths)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, lengths, 0.0).sum(0) / count
    return mean, np.sqrt((np.where(known, lengths - mean, 0.0) ** 2).sum(0) / count)


def _is_joints(content: Any) -> bool:
    try:
        return _people(content, "") is not None
    except ParamsError:
        return True


class _People(Sequence[FittedPerson]):
    """People who are looked at when they are asked for: MDM writes many samples."""

    def __init__(self, joints: list[ndarray], source: Source) -> None:
        self.joints, self.source = joints, source

    def __len__(self) -> int:
        return len(self.joints)

    def __getitem__(self, person: int) -> FittedPerson:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _person(to_metres(self.joints[person]), self.source)


def _read_joints(source: Source) -> Sequence[FittedPerson]:
    name = source.path.name
    people = _people(source.content, name)
    if people is None:
        raise ParamsError(
            f"{name} holds no places of SMPL's joints: expected (frames, joints, 3), with "
            f"{', '.join(map(str, SMPL_COUNTS))} joints, or HumanML3D's {FEATURES} features."
        )
    return _People(people, source)


def _person(joints: Float[ndarray, "frames joints 3"], source: Source) -> FittedPerson:
    """Place one person before the file's camera or a made-up one, from all frames."""
    notes: list[str] = []
    up = standing_axis(joints)
    lens, camera = _file_view(joints, up, source, notes), None
    if lens is None:
        root = np.repeat(_root(joints[0]), len(joints), axis=0)
        lens, camera = front_view(root, joints[:, 0], up or "y", source.image_size)
    seen = joints
    if camera is not None:
        seen = joints @ camera[:, :3, :3].swapaxes(1, 2) + camera[:, None, :3, 3]
    matrices, size = lens

    def place(track: Track, rows: list[int]) -> Track:
        track = replace(track, lens=(matrices[rows], size))
        return track if camera is None else _in_world(track, camera[rows], source)

    return FittedPerson(
        joints=JointFrames(
            name=source.path.name,
            frames=list(seen[:, None]),
            read=partial(_placed, focal_px=float(matrices[0, 0, 0])),
        ),
        number=0,
        frames=range(len(seen)),
        size=size,
        body=source.body,
        fit=fit_motion,
        place=place,
        notes=notes,
    )


def _placed(joints: Float[ndarray, "joints 3"], focal_px: float) -> RawJoints:
    raw = array_person(joints)
    return raw._replace(placed=raw.xyz, focal_px=focal_px)


def _file_view(
    joints: Float[ndarray, "frames joints 3"], up: str | None, source: Source, notes: list[str]
) -> Lens | None:
    """Find the lens of joints that stand before a camera; None where they are in a world."""
    if up not in (None, "-y") or not joints[..., 2].min() > 0.1:
        return None
    pixels = _pixels(source.content, joints.shape[:2])
    solved = None if pixels is None else solve_pinhole(joints.reshape(-1, 3), pixels)
    if solved is None:
        return source.diagonal_lens(notes, len(joints))
    focal, center = solved
    size = source.size_around(center)
    return pinhole(focal, size, len(joints), center), size


def _pixels(content: Any, shape: tuple[int, ...]) -> Float[ndarray, "points 2"] | None:
    """Find where the joints are in the image, where the file says."""
    for key in PIXEL_KEYS if isinstance(content, Mapping) else ():
        value = content.get(key)
        if isinstance(value, ndarray) and value.size == 2 * np.prod(shape):
            return as_array(value, key).reshape(-1, 2)
    return None


def _root(joints: Float[ndarray, "joints 3"]) -> Float[ndarray, "1 3"]:
    """Measure how the trunk is turned: x to the person's left, y up, z to the front."""
    left = joints[1] - joints[2] + joints[16] - joints[17]
    above = joints[16] + joints[17] - joints[1] - joints[2]
    front = np.cross(left, above)
    axes = [left, np.cross(front, left), front]
    if min(np.linalg.norm(axis) for axis in axes) < 1e-9:
        raise ParamsError("the hips and shoulders of the first frame are in one line.")
    return log_map(np.stack([axis / np.linalg.norm(axis) for axis in axes], 1))[None]


def _in_world(track: Track, camera: Float[ndarray, "frames 4 4"], source: Source) -> Track:
    """Move a track from the camera's frame to the world that the camera stands in."""
    back = camera[:, :3, :3].swapaxes(1, 2)
    pose = track.pose.copy()
    pose[:, 0] = log_map(back @ exp_map(pose[:, 0]))
    rest = source.pelvis(track.betas, track.beta_space)
    pelvis = (back @ (rest + track.transl - camera[:, :3, 3])[..., None])[..., 0]
    return replace(track, pose=pose, transl=pelvis - rest, camera_from_world=camera)


FORMATS = (
    Format(
        name="joints",
        title="HumanML3D, MDM and other motions of SMPL's joints",
        matches=_is_joints,
        read=_read_joints,
        told_by=("joints3d",),
    ),
)
