"""The lens of a file by the usual names of its parts: a matrix, or focal length, middle and size.

Names are compared without case and underscores. Focal lengths are pixels; millimetres where the
sensor is beside them or where no image could be meant; or an angle of view.
"""

import contextlib
import math
import re
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import ParamsError
from ..files.fields import Fields
from ..geometry.camera import focal_from_fov
from ..geometry.camera_conversions import pinhole
from ..keypoints.raw_people import plain_key, written_size
from .track import Lens, Source

_OF = "(?:img|image|cam|camera|pred|est|estimated|scaled|full)?"
MATRIX = re.compile(
    f"{_OF}(?:k|kfull|kfullimg|intrinsics?|intrinsicmatrix|intrins|mtx|calib)|(?:cam(?:era)?|k|"
    "calib(?:ration)?|intrinsics)matrix|camint|p|proj(?:ection)?(?:matrix)?"
)
FOCAL = re.compile(f"{_OF}(?:focal|focallength|focall|focalpx|flength|fl|f|fx|fxfy)")
FOCAL_PX = re.compile("focallength(?:in)?px")
FOCAL_MM = re.compile("focal(?:length)?(?:in)?mm")
SENSOR = re.compile("sensor(?:width|size)?(?:mm)?")
CENTER = re.compile(
    f"{_OF}(?:princpt|principalpoint|center|centre|cxcy|pp)|opticalcenter|principal"
)
FOV = re.compile(f"{_OF}[hx]?fov[xh]?(?:deg|rad)?")
FOV_UP = re.compile(f"{_OF}(?:[vy]fov|fov[yv])(?:deg|rad)?")
"""Of the image's height."""
HOLDERS = re.compile(
    "cam(?:era)?(?:params|parameters|intrinsics)?|intrinsics?|lens|calib(?:ration)?"
)
"""Of dicts that hold the lens."""
FILM_MM = 36.0
"""Width of the sensor that focal lengths in millimetres mean, where the file has none."""
FEWEST_PX = 100.0
"""Shorter focal lengths are millimetres."""
SHARES_UP_TO = 10.0
"""Shorter ones are shares of the image's width."""


def with_lens(fields: Fields) -> Fields:
    """Take the values of a dict that holds the lens to those around it."""
    for key, value in fields.values.items():
        if isinstance(value, Mapping) and HOLDERS.fullmatch(plain_key(key)):
            return Fields({**fields.values, **value}, fields.name)
    return fields


def named_matrix(fields: Fields, count: int) -> Float[ndarray, "frames 3 3"] | None:
    """Find an intrinsic matrix: 3x3, in the corner of a larger one, transposed, or fx fy cx cy."""
    for value in _values(fields, MATRIX):
        if value.shape[-2:] in ((3, 3), (3, 4), (4, 4)):
            found = value[..., :3, :3].reshape(-1, 3, 3)
        elif value.shape in ((9,), (count, 9)):
            found = value.reshape(-1, 3, 3)
        elif value.shape[-1:] == (4,):
            rows = value.reshape(-1, 4)
            found = pinhole(rows[:, :2], (0, 0), len(rows), rows[:, 2:])
        else:
            continue
        if not found[:, :2, 2].any() and found[:, 2, :2].any():
            found = found.swapaxes(-1, -2)
        turned = np.abs(found[:, [1, 2, 2], [0, 0, 1]]) > 1e-3
        if len(found) in (1, count) and (found[:, [0, 1], [0, 1]] > 1.0).all() and not turned.any():
            return np.broadcast_to(found, (count, 3, 3))
    return None


def named_center(fields: Fields) -> Float[ndarray, " 2"] | None:
    """Find the principal point; a centre beside a scale is that of a person's box."""
    if "cx" in fields and "cy" in fields:
        return np.array([fields.number("cx"), fields.number("cy")])
    boxed = "scale" in fields or "bbox_center" in fields
    for value in _values(fields, CENTER) if not boxed else ():
        if value.size and value.shape[-1] == 2:
            return value.reshape(-1, 2)[0]
    return None


def named_size(fields: Fields) -> tuple[int, int] | None:
    """Find height and width of the image."""
    small = {key: _few(value) for key, value in fields.values.items() if key != "shape"}
    return written_size(small)


def named_lens(
    source: Source, fields: Fields, size: tuple[int, int], count: int, notes: list[str]
) -> Lens | None:
    """Make a lens of a focal length or an angle of view; None where the file has neither.

    Args:
        source: the file.
        fields: where the names are.
        size: height and width of the image, pixels.
        count: frames.
        notes: what had to be assumed.
    """
    focal = _focal(source, fields, size, count, notes)
    if focal is None:
        return None
    center = named_center(fields)
    return pinhole(focal, size, count, center), size


def _focal(
    source: Source, fields: Fields, size: tuple[int, int], count: int, notes: list[str]
) -> Float[ndarray, "frames 2"] | None:
    name = source.path.name
    if "fx" in fields and "fy" in fields:
        return np.tile([fields.number("fx"), fields.number("fy")], (count, 1))
    film = next((float(one.flat[0]) for one in _values(fields, SENSOR) if one.size), 0.0)
    for value in _values(fields, FOCAL_MM):
        if len(rows := value.reshape(-1, 1)) in (1, count) and (rows > 0.0).all():
            return np.broadcast_to(rows * size[1] / (film if film > 0.0 else FILM_MM), (count, 2))
    for value in (*_values(fields, FOCAL_PX), *_values(fields, FOCAL)):
        rows = value.reshape(-1, 2) if value.size in (2, 2 * count) else value.reshape(-1, 1)
        if len(rows) not in (1, count) or not (rows > 0.0).all():
            continue
        if rows.max() < SHARES_UP_TO:
            notes.append(f"{name}: the focal length {rows.max():.4g} is taken for image widths.")
            rows = rows * size[1]
        elif film > 0.0 and rows.max() < FEWEST_PX * SHARES_UP_TO:
            rows = rows * size[1] / film
        elif rows.max() < FEWEST_PX:
            notes.append(
                f"{name}: the focal length {rows.max():.4g} is taken for millimetres before a film "
                f"{FILM_MM:.0f} mm wide."
            )
            rows = rows * size[1] / FILM_MM
        return np.broadcast_to(rows, (count, 2))
    for names, side, of in ((FOV, size[1], "width"), (FOV_UP, size[0], "height")):
        for value in _values(fields, names):
            if value.size == 1 and 0.0 < (angle := float(value.flat[0])) < 179.0:
                angle = math.radians(angle) if angle > math.pi else angle
                notes.append(f"{name}: the angle of view is taken for that of the image's {of}.")
                return np.full((count, 2), focal_from_fov(angle, side))
    return None


def _values(fields: Fields, names: re.Pattern[str]) -> list[Float[ndarray, "..."]]:
    """List the numbers under keys of these names, in the order of the file; others are passed."""
    found = []
    for key in fields.values:
        if isinstance(key, str) and key in fields and names.fullmatch(plain_key(key)):
            with contextlib.suppress(ParamsError):
                found.append(np.atleast_1d(fields.array(key)))
    return found


def _few(value: object) -> object:
    """Write small arrays as numbers and lists."""
    return value.tolist() if isinstance(value, ndarray) and value.size <= 3 else value
