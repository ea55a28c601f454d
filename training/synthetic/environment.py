"""Light from a whole surrounding: its irradiance, its sun, and what it looks like out of focus.

A surrounding is a panorama of radiance, (height, width, 3), linear: y down from the zenith, x once
around. Procedural ones need nothing; a folder of CC0 panoramas (`hdri/` of npm @pmndrs/assets, or
`.exr` files of one's own) is read with the package OpenEXR.
"""

import base64
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from posexfer_core.errors import ConfigError

from .noise import value_noise
from .paint import Array, draw_colour, linear
from .scene import Size

SMALL, DRAWN = (16, 32), (64, 128)
"""Sizes of the panorama that irradiance is summed over, and of procedural ones."""
SUN_DEG, SUN_SHARE = 14.0, (0.08, 0.75)
"""Angle around the brightest place that counts as the sun; bounds of its share of the light."""
BRIGHT = 1e4
BRIGHTEST = 0.5
"""Mean of the brightest background, linear."""
LEVEL = (0.75, 1.15)
"""Irradiance, over pi, on what faces the camera, a little of what looks up and to the sun."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Light from all around, in the camera frame (x right, y down, z forward)."""

    harmonics: Array
    """(9, 3), of the irradiance over pi without the sun, by `basis`."""
    sun_direction: Array
    """(3,), unit vector toward the sun."""
    sun: Array
    """(3,), irradiance over pi of what faces it."""
    panorama: Array
    """As the class `Environment` sees it, scaled as the light is."""
    world_from_camera: Array
    """(3, 3), to the panorama's axes: y up, the middle column toward +z."""

    def irradiance(self, normals: Array) -> Array:
        """Give the light on surfaces, over pi, without the sun; (points, 3)."""
        return np.maximum(basis(normals) @ self.harmonics, 0.0)

    def view(self, intrinsics: Array, size: Size, blur: float) -> Array:
        """Render what lies behind the person, out of focus: (height, width, 3), linear, 0 to 1.

        `blur` is a share of the image's height.
        """
        small = (64, max(8, round(64 * size[1] / size[0])))
        scale = np.array([small[1] / size[1], small[0] / size[0], 1.0])
        y, x = np.mgrid[: small[0], : small[1]] + 0.5
        rays = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(intrinsics * scale[:, None]).T
        seen = _look_up(self.panorama, rays @ self.world_from_camera.T)
        seen = seen * min(1.0, BRIGHTEST / max(float(seen.mean()), 1e-6))
        levels = (np.clip(seen, 0.0, 1.0) ** (1.0 / 2.2) * 255.0).astype(np.uint8)
        soft = Image.fromarray(levels).filter(ImageFilter.GaussianBlur(64.0 * blur))
        shown = soft.resize((size[1], size[0]), Image.Resampling.BICUBIC)
        return (np.asarray(shown, np.float32) / 255.0) ** np.float32(2.2)


def draw_environment(
    rng: np.random.Generator, world_from_camera: Array, folder: Path | None = None
) -> Environment:
    """Draw a surrounding, turned any way about the vertical.

    Args:
        rng: decides everything.
        world_from_camera: (3, 3), y up.
        folder: of panoramas; procedural ones alone without it.

    Raises:
        ConfigError: the folder holds none, or OpenEXR is missing.
    """
    if folder is not None and rng.random() < 0.6:
        paths = panoramas(folder)
        panorama = _read(paths[rng.integers(len(paths))])
    else:
        maker = _outdoors if rng.random() < 0.6 else _studio
        panorama = maker(rng).reshape(*DRAWN, 3)
    panorama = np.roll(panorama, int(rng.integers(panorama.shape[1])), axis=1)
    if rng.random() < 0.5:
        panorama = panorama[:, ::-1]
    return _lit_by(panorama, world_from_camera, float(rng.uniform(*LEVEL)))


def panoramas(folder: Path) -> list[Path]:
    """Find the panoramas of a folder, by name.

    Raises:
        ConfigError: there is none.
    """
    paths = sorted([*folder.glob("*.exr"), *folder.glob("*.exr.js")])
    if not paths:
        raise ConfigError(
            f"{folder} holds no *.exr and no *.exr.js. Unpack `hdri/` of the npm package "
            "@pmndrs/assets there, or leave the folder out: procedural light needs no files."
        )
    return paths


def basis(normals: Array) -> Array:
    """Give the nine real spherical harmonics up to degree 2, (points, 9)."""
    x, y, z = normals.T
    one = np.full_like(x, 0.282095)
    return np.stack(
        [one, 0.488603 * y, 0.488603 * z, 0.488603 * x, 1.092548 * x * y, 1.092548 * y * z,
         0.315392 * (3.0 * z * z - 1.0), 1.092548 * x * z, 0.546274 * (x * x - y * y)],
        axis=-1,
    )  # fmt: skip


def _lit_by(panorama: Array, world_from_camera: Array, level: float) -> Environment:
    """Sum a panorama's light: a sun, and harmonics of the rest (Ramamoorthi 2001, eq. 7-9)."""
    small = _shrunk(panorama).reshape(-1, 3)
    directions, solid = _sphere(SMALL)
    power = small * solid[:, None]
    peak = directions[small.sum(-1).argmax()]
    near = directions @ peak > np.cos(np.radians(SUN_DEG))
    sun = np.clip(small - 2.0 * np.median(small, axis=0), 0.0, None) * (near * solid)[:, None]
    share = float(sun.sum() / power.sum())
    sun *= min(1.0, SUN_SHARE[1] / max(share, 1e-6)) if share > SUN_SHARE[0] else 0.0
    toward = _unit((sun.sum(1)[:, None] * directions).sum(0) + 1e-9 * peak)
    band = np.array([1.0, *[2.0 / 3.0] * 3, *[0.25] * 5])
    projected = basis(directions @ world_from_camera).T @ (power - sun)
    harmonics = band[:, None] * projected
    to_sun = toward @ world_from_camera
    probes = np.stack([(0.0, 0.0, -1.0), _unit(np.array([0.0, -1.0, -1.0])), to_sun])
    lit = (
        basis(probes) @ harmonics + np.clip(probes @ to_sun, 0.0, 1.0)[:, None] * sun.sum(0) / np.pi
    )
    gain = level / max(float(lit.mean(1) @ (0.7, 0.2, 0.1)), 1e-4)
    return Environment(
        harmonics=(harmonics * gain).astype(np.float32),
        sun_direction=to_sun.astype(np.float32),
        sun=(sun.sum(0) / np.pi * gain).astype(np.float32),
        panorama=(panorama * gain).astype(np.float32),
        world_from_camera=world_from_camera,
    )


def _unit(vector: Array) -> Array:
    return vector / np.linalg.norm(vector)


@cache
def _sphere(size: Size) -> tuple[Array, Array]:
    """Give direction (pixels, 3) and solid angle of every pixel of a small panorama."""
    height, width = size
    polar = (np.arange(height) + 0.5) * np.pi / height
    azimuth = (np.arange(width) + 0.5) * 2.0 * np.pi / width - np.pi
    polar, azimuth = np.meshgrid(polar, azimuth, indexing="ij")
    directions = np.stack(
        [np.sin(polar) * np.sin(azimuth), np.cos(polar), np.sin(polar) * np.cos(azimuth)], -1
    )
    solid = np.sin(polar) * (np.pi / height) * (2.0 * np.pi / width)
    return directions.reshape(-1, 3), solid.reshape(-1)


def _look_up(panorama: Array, rays: Array) -> Array:
    rays = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    height, width = panorama.shape[:2]
    row = np.arccos(np.clip(rays[..., 1], -1.0, 1.0)) / np.pi * height
    column = (np.arctan2(rays[..., 0], rays[..., 2]) / (2.0 * np.pi) + 0.5) * width
    row, column = np.clip(row - 0.5, 0.0, height - 1.001), (column - 0.5) % width
    top, left = row.astype(int), column.astype(int)
    down, right = (row - top)[..., None], (column - left)[..., None]
    beside = (left + 1) % width
    upper = panorama[top, left] * (1.0 - right) + panorama[top, beside] * right
    lower = panorama[top + 1, left] * (1.0 - right) + panorama[top + 1, beside] * right
    return upper * (1.0 - down) + lower * down


def _shrunk(panorama: Array) -> Array:
    rows, columns = panorama.shape[0] // SMALL[0], panorama.shape[1] // SMALL[1]
    if rows * columns <= 1:
        return panorama
    cut = panorama[: rows * SMALL[0], : columns * SMALL[1]]
    return cut.reshape(SMALL[0], rows, SMALL[1], columns, 3).mean((1, 3))


def _outdoors(rng: np.random.Generator) -> Array:
    """Draw a sky with or without a sun, a skyline, and ground of any colour."""
    directions, _ = _sphere(DRAWN)
    up, clouded = directions[:, 1:2], rng.random() < 0.35
    horizon = linear(rng.uniform((0.7, 0.7, 0.7), (1.0, 0.95, 0.95)))
    zenith = linear(rng.uniform((0.25, 0.4, 0.65), (0.5, 0.65, 0.95)))
    colours = horizon + (1.0 - 0.9 * clouded) * np.clip(up, 0.0, 1.0) ** 0.5 * (zenith - horizon)
    skyline = 0.1 + 0.15 * value_noise(directions * (1.0, 0.2, 1.0), rng.uniform(2.0, 6.0))
    mottled = 1.0 + 0.4 * value_noise(directions, 8.0)[:, None]
    trees = linear(rng.uniform((0.15, 0.2, 0.1), (0.5, 0.5, 0.45)))
    ground = draw_colour(rng, saturation=(0.0, 0.5), value=(0.2, 0.7))
    colours = np.where(up < skyline[:, None], trees * mottled, colours)
    colours = np.where(up < -0.06, ground * (0.7 + 0.3 * mottled), colours)
    toward = _unit(np.array([*rng.normal(size=2), rng.uniform(0.2, 2.0)])[[0, 2, 1]])
    tint = 1.0 - rng.uniform(0.0, 0.25) * np.array([0.0, 1.0, 2.0])
    strength = 0.0 if clouded else rng.uniform(15.0, 90.0)
    return colours + strength * tint * np.exp((directions @ toward - 1.0) * 120.0)[:, None]


def _studio(rng: np.random.Generator) -> Array:
    """Draw a room with one to three soft lamps."""
    directions, _ = _sphere(DRAWN)
    wall = draw_colour(rng, saturation=(0.0, 0.35), value=(0.4, 0.9))
    floor = wall * rng.uniform(0.3, 0.9)
    colours = np.where(directions[:, 1:2] < -0.1, floor, wall) * rng.uniform(0.15, 0.8)
    colours = colours * (1.0 + 0.3 * value_noise(directions, 3.0)[:, None])
    for _ in range(int(rng.integers(1, 4))):
        toward = _unit(rng.normal((0.0, 0.6, 0.0), (1.0, 0.4, 1.0)))
        sharp, strength = rng.uniform(8.0, 60.0), rng.uniform(4.0, 20.0)
        tint = 1.0 + rng.normal(0.0, 0.06) * np.array([1.0, 0.0, -1.0])
        colours = colours + strength * tint * np.exp((directions @ toward - 1.0) * sharp)[:, None]
    return colours


@cache
def _read(path: Path) -> Array:
    """Read one panorama; `.exr.js` holds it in base64."""
    try:
        reader = import_module("OpenEXR")
    except ImportError as error:
        raise ConfigError(
            f"{path.name} needs OpenEXR (`pip install OpenEXR`, or the extra panoramas): "
            f"{error}. Without a folder of panoramas the light is procedural."
        ) from error
    if path.suffix == ".exr":
        return _pixels(reader, path)
    encoded = path.read_text().partition("base64,")[2].split("'")[0].split('"')[0]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "panorama.exr"
        copy.write_bytes(base64.b64decode(encoded))
        return _pixels(reader, copy)


def _pixels(reader: object, path: Path) -> Array:
    channels = reader.File(str(path)).channels()  # pyright: ignore[reportAttributeAccessIssue]
    pixels = np.asarray(channels["RGB"].pixels, np.float32)
    return np.nan_to_num(pixels, nan=0.0, posinf=BRIGHT).clip(0.0, BRIGHT)  # lamps overflow
