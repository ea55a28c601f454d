"""ROMP and BEV: people of one image, which both pad to a centred square.

ROMP's camera is a weak perspective, `s x + t` in the padded square from -1 to 1; its `cam_trans` is
a pinhole fitted to that afterwards. BEV's is a pinhole, and places the middle between the hips. The
camera that projects the joints to `pj2d_org` decides which of the two wrote a file; without joints,
the number of betas.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ..files.fields import Fields, keys_of
from ..geometry.camera_conversions import pinhole
from .format import Format
from .track import Source, Track, chain, full_pose
from .weak_perspective import weak_track

FOCAL = 443.4
"""BEV's focal length in its square of 512, 60 degrees."""
SQUARE = 512
LARGEST_MISS = 0.005
"""Misfit of the joints, in sides of the square, up to which a camera explains where they were."""
BEV_BETAS = 11
"""BEV has one more, for how much of a child the person is."""
SAME_PELVIS_M = 0.12
"""How far the pelvis of one person may lie from the mean shape's, metres."""


@dataclass(frozen=True, kw_only=True)
class _Square:
    """The padded square: its side, the image's corner in it, pixels, and how joints fit it."""

    side: int
    corner: np.ndarray
    size: tuple[int, int]
    miss: float = np.inf

    @classmethod
    def around(cls, size: tuple[int, int]) -> "_Square":
        """Pad an image of (height, width)."""
        side = max(size)
        return cls(
            side=side, corner=np.array([(side - size[1]) // 2, (side - size[0]) // 2]), size=size
        )

    @classmethod
    def fitted(
        cls,
        flat: Float[np.ndarray, "points 2"],
        seen: Float[np.ndarray, "points 2"],
        given: tuple[int, int] | None,
    ) -> "_Square | None":
        """Find the square from joints in it (-1 to 1) and in the image, pixels."""
        spread = flat - flat.mean(axis=0)
        half = (spread * (seen - seen.mean(axis=0))).sum() / max((spread**2).sum(), 1e-9)
        side = round(float(2 * half))
        corner = np.round(side / 2 * (1 + flat.mean(axis=0)) - seen.mean(axis=0))
        width, height = (int(length) for length in side - 2 * corner)
        if side < 1 or (corner < 0).any() or min(width, height) < 1:
            return None
        size = (height, width)
        if given is not None and np.abs(np.subtract(given, size)).max() <= 1:  # padded unevenly
            size = given
        miss = np.abs(side / 2 * (1 + flat) - corner - seen).max() / side
        return cls(side=side, corner=corner, size=size, miss=float(miss))


def _images(content: Any) -> list[list[Any]]:
    """Give what was found in each image: one dict of all people, or one of each."""
    if isinstance(content, dict) and "results" in content:
        content = content["results"]
    if isinstance(content, dict) and "cam" not in content:
        return [found if isinstance(found, list) else [found] for found in content.values()]
    return [content if isinstance(content, list) else [content]]


def _is_romp(content: Any) -> bool:
    found = next((one for image in _images(content) for one in image), None)
    keys = keys_of(found)
    return "cam" in keys and bool({"smpl_thetas", "poses", "pose"} & keys)


def _read_romp(source: Source) -> list[Track]:
    """Collect people over images, by track id where there is one, else by their order."""
    tracks: dict[Any, list[Track]] = {}
    for at, image in enumerate(_images(source.content)):
        names: list[Any] = []
        people: list[Track] = []
        for found in image:
            fields = Fields(found, f"{source.path.name}: results[{at}]")
            if "track_ids" in fields:
                names += [int(number) for number in fields.array("track_ids").ravel()]
            people += _people(source, fields)
        if len(names) != len(people):
            names = list(range(len(people)))
        for name, person in zip(names, people, strict=True):
            tracks.setdefault(name, []).append(person)
    return [chain(parts) for parts in tracks.values()]


def _people(source: Source, fields: Fields) -> list[Track]:
    """Read everyone in one dict."""
    pose = full_pose(fields, "smpl_thetas", "poses", "pose")
    count = len(pose)
    camera = fields.rows("cam", width=3, count=count)
    betas = fields.betas("smpl_betas", "betas", count=count)
    joints = _joints(fields, count)
    shift = np.zeros((count, 3))
    if joints is not None:
        pelvis = source.pelvis(betas, "smpl")
        shift = joints[:, 0] - pelvis
        shift[np.linalg.norm(shift, axis=1) < SAME_PELVIS_M] = 0.0
    flat, deep = _squares(source, fields, camera, joints)
    if deep.miss < flat.miss or (flat.miss == deep.miss and _is_bev(fields)):
        square = deep
        center = (deep.side / 2 - deep.corner[0], deep.side / 2 - deep.corner[1])
        track = Track(
            pose=pose,
            betas=betas,
            transl=fields.rows("cam_trans", width=3, count=count) + shift,
            lens=(pinhole(FOCAL / SQUARE * deep.side, deep.size, count, center), deep.size),
        )
    else:
        square = flat
        scale = camera[:, 0] * flat.side / 2
        offset = (camera[:, 1:] + 1.0) * flat.side / 2 - flat.corner + scale[:, None] * shift[:, :2]
        track = weak_track(source, pose, betas, scale, offset, flat.size, [])
    if not np.isfinite(square.miss):
        source.size_or_default(track.notes, "the network pads to a square", (SQUARE, SQUARE))
    return track.people()


def _is_bev(fields: Fields) -> bool:
    key = fields.first("smpl_betas", "betas")
    return "cam_trans" in fields and fields.array(key).shape[-1:] == (BEV_BETAS,)


def _joints(fields: Fields, count: int) -> Float[np.ndarray, "people joints 3"] | None:
    """Give the joints of everyone, the pelvis first, if they are there."""
    if "joints" not in fields:
        return None
    return fields.rows("joints", width=3).reshape(count, -1, 3)


def _squares(
    source: Source, fields: Fields, camera: np.ndarray, joints: np.ndarray | None
) -> tuple[_Square, _Square]:
    """Find the square as ROMP's camera and as BEV's explains the joints that were seen."""
    given = source.image_size
    unknown = _Square.around(given or (SQUARE, SQUARE))
    if joints is None or "pj2d_org" not in fields:
        return unknown, unknown
    seen = fields.rows("pj2d_org", width=fields.array("pj2d_org").shape[-1])[:, :2]
    if len(seen) != joints.shape[0] * joints.shape[1] or len(seen) < 2:
        return unknown, unknown
    weak = camera[:, None, :1] * joints[..., :2] + camera[:, None, 1:]
    found = [_Square.fitted(weak.reshape(-1, 2), seen, given), None]
    if "cam_trans" in fields:
        points = joints + fields.rows("cam_trans", width=3, count=len(joints))[:, None]
        deep = FOCAL / SQUARE * 2 * points[..., :2] / points[..., 2:]
        found[1] = _Square.fitted(deep.reshape(-1, 2), seen, given)
    flat, deep = (
        unknown if square is None or not square.miss < LARGEST_MISS else square for square in found
    )
    return flat, deep


FORMATS = (
    Format(
        name="romp",
        title="ROMP / BEV",
        matches=_is_romp,
        read=_read_romp,
        told_by=("cam", "smpl_thetas"),
    ),
)
