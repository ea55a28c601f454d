"""Draw a dressed body: one visibility pass at twice the resolution, then colours per sample."""

from dataclasses import dataclass

import numpy as np
import torch

from posexfer_core.geometry.normals import vertex_normals
from posexfer_core.geometry.rasterize import interpolate, rasterize

from .paint import GAMMA, Array
from .people import Person
from .scene import Light, Scene, Size

SUPERSAMPLING = 2
OCCLUSION_REACH_M = 0.12
HIGHLIGHT_POWER = 24.0


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A dressed person in front of the camera."""

    vertices: torch.Tensor
    """(vertices, 3), metres, camera frame, cloth and hair on."""
    faces: torch.Tensor
    """(faces, 3)."""
    places: torch.Tensor
    """(vertices, 3), where each vertex lies on the rest body; see `paint`."""
    person: Person


def draw_image(figure: Figure, scene: Scene, intrinsics: Array) -> Array:
    """Draw one person before the background.

    Args:
        figure: who, and where.
        scene: background, light and camera.
        intrinsics: (3, 3), pixels of the image.

    Returns:
        (height, width, 3) bytes.
    """
    size = (scene.background.shape[0], scene.background.shape[1])
    samples = _samples(figure, intrinsics, size)
    albedo, shine = figure.person.surface(samples.attributes[:, :3])
    colours = _lit(albedo, shine, samples.attributes[:, 3:], scene.light)
    darkened = openness(samples.depth, intrinsics[0, 0], scene.light.occlusion)
    person, alpha = _gathered(colours, samples.pixels, size)
    background = scene.background * floor_shadow(figure, scene, intrinsics)[..., None]
    image = person * darkened[..., None] + (1.0 - alpha[..., None]) * background
    shown = np.clip(image, 0.0, 1.0) ** np.float32(1.0 / GAMMA)
    return (shown * 255.0 + 0.5).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What is seen at the samples that a person covers."""

    attributes: Array
    """(samples, 6), place on the rest body and unit normal in the camera frame."""
    pixels: Array
    """(samples,), number of the pixel, row by row."""
    depth: Array
    """(height, width), metres at one sample of each pixel, infinite outside."""


def _samples(figure: Figure, intrinsics: Array, size: Size) -> Samples:
    """Find what is seen at 2x2 samples a pixel."""
    matrix = np.array(intrinsics, np.float32)
    matrix[:2] *= SUPERSAMPLING
    vertices = figure.vertices[None]
    visibility = rasterize(
        vertices,
        figure.faces,
        torch.from_numpy(matrix)[None],
        (size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING),
    )
    attributes = torch.cat([figure.places[None], vertex_normals(vertices, figure.faces)], -1)
    blended = interpolate(visibility, figure.faces, attributes)[0].numpy()
    rows, columns = np.nonzero(visibility.mask[0].numpy())
    seen = blended[rows, columns]
    seen[:, 3:] /= np.sqrt(np.maximum((seen[:, 3:] ** 2).sum(1, keepdims=True), 1e-12))
    return Samples(
        attributes=seen,
        pixels=rows // SUPERSAMPLING * size[1] + columns // SUPERSAMPLING,
        depth=visibility.depth[0, ::SUPERSAMPLING, ::SUPERSAMPLING].numpy(),
    )


def _gathered(colours: Array, pixels: Array, size: Size) -> tuple[Array, Array]:
    """Average the samples of each pixel: colours times coverage, and coverage."""
    share, count = 1.0 / SUPERSAMPLING**2, size[0] * size[1]
    image = np.stack(
        [np.bincount(pixels, colour, count) for colour in np.clip(colours, 0.0, 1.0).T], axis=-1
    )
    alpha = np.bincount(pixels, minlength=count)
    return (
        (share * image).astype(np.float32).reshape(*size, 3),
        (share * alpha).astype(np.float32).reshape(size),
    )


def _lit(albedo: Array, shine: Array, normals: Array, light: Light) -> Array:
    """Light a surface: Lambert's law with a soft edge, a sky, a highlight and a rim."""
    toward = normals @ light.direction
    lamp = np.clip((toward + light.softness) / (1.0 + light.softness), 0.0, 1.0)[:, None]
    above = 0.5 - 0.5 * normals[:, 1:2]
    colours = albedo * (light.lamp * lamp + light.ground + above * (light.sky - light.ground))
    half = light.direction + np.array([0.0, 0.0, -1.0], np.float32)
    half = half / max(float(np.linalg.norm(half)), 1e-6)
    highlight = shine * np.clip(normals @ half, 0.0, 1.0) ** HIGHLIGHT_POWER
    edge = light.rim * np.clip(1.0 + normals[:, 2], 0.0, 1.0) ** 3
    return colours + light.lamp * highlight[:, None] + light.sky * edge[:, None] * albedo


def openness(depth: Array, focal_px: float, strength: float) -> Array:
    """Darken pixels beside nearer ones, as in the corner of an arm and the chest it rests on."""
    covered = np.isfinite(depth)
    if not covered.any():
        return np.ones_like(depth)
    filled = np.where(covered, depth, np.float32(1e3))
    typical = float(np.median(depth[covered]))
    step = max(1, round(0.035 * focal_px / typical))
    blocked = np.zeros_like(filled)
    for dy, dx in ((-2, 0), (2, 0), (0, -2), (0, 2), (-1, -1), (-1, 1), (1, -1), (1, 1)):
        beside = np.roll(filled, (dy * step, dx * step), (0, 1))
        drop = filled - beside
        blocked += ((drop > 0.015) & (drop < 0.5)) * np.minimum(drop / OCCLUSION_REACH_M, 1.0)
    openness = 1.0 - strength * np.minimum(blocked / 6.0, 1.0)
    return _smoothed(openness.astype(np.float32), step)


def _smoothed(values: Array, radius: int) -> Array:
    """Average over a square by running sums."""
    side = 2 * radius + 1
    for axis in (0, 1):
        padding = [(radius + 1, radius) if a == axis else (0, 0) for a in (0, 1)]
        sums = np.cumsum(
            np.pad(values, np.array(padding), mode="edge"), axis=axis, dtype=np.float64
        )
        high, low = [slice(None)] * 2, [slice(None)] * 2
        high[axis], low[axis] = slice(side, None), slice(None, -side)
        values = ((sums[tuple(high)] - sums[tuple(low)]) / side).astype(np.float32)
    return values


def floor_shadow(figure: Figure, scene: Scene, intrinsics: Array) -> Array:
    """Darken the floor around the lowest points of the body; 1 where there is no shadow."""
    height, width = scene.background.shape[:2]
    if scene.floor_shadow == 0.0:
        return np.ones((height, width), np.float32)
    vertices = figure.vertices.numpy()
    low = vertices[vertices[:, 1] > vertices[:, 1].max() - 0.12]
    centre, spread = low.mean(0), low.std(0) + 0.07
    focal = intrinsics[0, 0] / centre[2]
    x, y = intrinsics[:2, :2].diagonal() * centre[:2] / centre[2] + intrinsics[:2, 2]
    rows = (np.arange(height, dtype=np.float32) + 0.5 - (y + 0.02 * focal))[:, None]
    columns = (np.arange(width, dtype=np.float32) + 0.5 - x)[None]
    tall = focal * (0.03 + 0.25 * spread[2] + spread[2] * abs(np.sin(np.radians(scene.pitch_deg))))
    squared = (rows / tall) ** 2 + (columns / (1.6 * focal * spread[0])) ** 2
    return (1.0 - scene.floor_shadow * np.exp(-squared)).astype(np.float32)
