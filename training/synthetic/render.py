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


def draw_picture(figure: Figure, scene: Scene, intrinsics: Array) -> Array:
    """Draw one person before the background.

    Args:
        figure: who, and where.
        scene: background, light and camera.
        intrinsics: (3, 3), pixels of the picture.

    Returns:
        (height, width, 3) bytes.
    """
    size = (scene.background.shape[0], scene.background.shape[1])
    colours, depth = _shade(figure, scene.light, intrinsics, size)
    covered = np.isfinite(depth)
    colours *= _openness(depth, intrinsics[0, 0], scene.light.occlusion)[..., None]
    alpha = _averaged(covered[..., None].astype(np.float32))
    background = scene.background * _floor_shadow(figure, scene, intrinsics)[..., None]
    picture = _averaged(colours) + (1.0 - alpha) * background
    shown = np.clip(picture, 0.0, 1.0) ** np.float32(1.0 / GAMMA)
    return (shown * 255.0 + 0.5).astype(np.uint8)


def _shade(figure: Figure, light: Light, intrinsics: Array, size: Size) -> tuple[Array, Array]:
    """Give linear colours, 0 outside, and depth, infinite outside, for every sample."""
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
    depth = visibility.depth[0].numpy()
    covered = np.isfinite(depth)
    samples = blended[covered]
    albedo, shine = figure.person.surface(samples[:, :3])
    normals = samples[:, 3:]
    normals = normals / np.sqrt(np.maximum((normals**2).sum(1, keepdims=True), 1e-12))
    colours = np.zeros((*depth.shape, 3), np.float32)
    colours[covered] = _lit(albedo, shine, normals, light)
    return colours, depth


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


def _openness(depth: Array, focal_px: float, strength: float) -> Array:
    """Darken samples beside nearer ones, as in the corner of an arm and the chest it rests on."""
    near = depth[::SUPERSAMPLING, ::SUPERSAMPLING]
    filled = np.where(np.isfinite(near), near, np.float32(1e3))
    typical = float(np.median(near[np.isfinite(near)])) if np.isfinite(near).any() else 1.0
    step = max(1, round(0.035 * focal_px / typical))
    blocked = np.zeros_like(filled)
    for dy, dx in ((-2, 0), (2, 0), (0, -2), (0, 2), (-1, -1), (-1, 1), (1, -1), (1, 1)):
        beside = np.roll(filled, (dy * step, dx * step), (0, 1))
        drop = filled - beside
        blocked += ((drop > 0.015) & (drop < 0.5)) * np.minimum(drop / OCCLUSION_REACH_M, 1.0)
    openness = 1.0 - strength * np.minimum(blocked / 6.0, 1.0)
    openness = _smoothed(openness.astype(np.float32), max(1, step))
    return openness.repeat(SUPERSAMPLING, 0).repeat(SUPERSAMPLING, 1)


def _smoothed(values: Array, radius: int) -> Array:
    """Average over a square by running sums."""
    side = 2 * radius + 1
    for axis in (0, 1):
        padding = [(radius + 1, radius) if a == axis else (0, 0) for a in (0, 1)]
        sums = np.cumsum(np.pad(values, padding, mode="edge"), axis=axis, dtype=np.float64)
        high, low = [slice(None)] * 2, [slice(None)] * 2
        high[axis], low[axis] = slice(side, None), slice(None, -side)
        values = ((sums[tuple(high)] - sums[tuple(low)]) / side).astype(np.float32)
    return values


def _floor_shadow(figure: Figure, scene: Scene, intrinsics: Array) -> Array:
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


def _averaged(samples: Array) -> Array:
    """Average the samples of each pixel."""
    total = samples[0::2, 0::2] + samples[0::2, 1::2] + samples[1::2, 0::2] + samples[1::2, 1::2]
    return total * np.float32(0.25)
