"""Render a clothed person: image, coverage, depth and labels.

One visibility pass over body, cloth and hair together, at twice the resolution. Light is summed
per vertex, colours are drawn per pixel or, where it matters, per sample.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import torch

from posexfer_core.geometry.normals import vertex_normals
from posexfer_core.geometry.rasterize import Visibility, interpolate, rasterize

from .environment import Environment
from .paint import GAMMA, Array, Paint
from .people import Person
from .render import HIGHLIGHT_POWER, Figure, floor_shadow, openness
from .scene import Scene, Size

LABELS = ("background", "body", "skirt", "dress", "coat", "top", "hair")
"""What `Portrait.labels` counts; the body is with what lies close to it."""
INSIDE = 0.45
"""Share of the light that reaches the inner side of cloth and hair."""
SHADOW_PX, SHADOW_BIAS_M, FAR_M = 128, 0.025, 30.0
CONTRAST, TONE = 0.03, np.array([0.31, 0.47, 0.22], np.float32)
"""Difference, linear, from which on the samples of a pixel are told apart, and of what."""
DISPLAYED = (np.linspace(0.0, 1.0, 65536) ** (1.0 / GAMMA) * 255.0 + 0.5).astype(np.uint8)
"""Bytes of linear values, 0 to 1 in even steps."""


@dataclass(frozen=True)
class Sheet:
    """Cloth or hair: a grid of vertices, seen from both sides."""

    vertices: Array
    """(rows, columns, 3), metres; rows down, columns anticlockwise from above."""
    places: Array
    """(rows, columns, 3), for the paint."""
    paint: Paint
    shine: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """A drawn person before a background, each (height, width)."""

    image: Array
    """Three bytes a pixel."""
    coverage: Array
    """Bytes: share of the pixel that body, cloth and hair cover, times 255."""
    depth: Array
    """Metres, of the nearest sample; infinite outside."""
    labels: Array
    """Bytes, of the same sample, by `LABELS`."""


@dataclass(frozen=True, kw_only=True)
class _Mesh:
    """Body and sheets; a sheet's inner side is a copy that looks the other way."""

    vertices: Array
    normals: Array
    places: Array
    open: Array
    """(vertices,), share of the light from around that arrives."""
    faces: Array
    owner: Array
    """(faces,), 0 for the body, then 1 and on for the sheets; one more, -1, for none."""


def draw_portrait(
    body: Figure,
    shade: Array,
    sheets: list[Sheet],
    scene: Scene,
    light: Environment,
    intrinsics: Array,
) -> Portrait:
    """Draw one person.

    Args:
        body: the body with what lies close to it.
        shade: (vertices,), share of the light from around that reaches the body's vertices.
        sheets: what hangs, in the camera's frame.
        scene: background and camera; its own lamp stays off.
        light: falls on the person.
        intrinsics: (3, 3), pixels of the image.
    """
    mesh, size = _joined(body, shade, sheets), scene.background.shape[:2]
    low, high = _window(mesh.vertices, intrinsics, size)
    shift = np.array([[2.0, 0.0, -2.0 * low[1]], [0.0, 2.0, -2.0 * low[0]], [0.0, 0.0, 1.0]])
    extent = (int(2 * (high[0] - low[0])), int(2 * (high[1] - low[1])))
    seen = _seen(mesh.vertices, mesh.faces, shift @ intrinsics, extent)
    faces, depths = _by_pixel(seen.face_id[0].numpy()), _by_pixel(seen.depth[0].numpy())
    owner, first = mesh.owner[faces], depths.argmin(0)[None]
    brush = _Brush(
        mesh, _lit(mesh, light), seen.barycentric[0].numpy(), body.person, sheets, light.sun
    )
    alpha = (faces >= 0).sum(0, dtype=np.float32) / len(faces)
    numbers = np.array([1, *(LABELS.index(sheet.label) for sheet in sheets), 0], np.uint8)
    window = slice(low[0], high[0]), slice(low[1], high[1])
    coverage, labels = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    depth = np.full(size, np.inf, np.float32)
    coverage[window] = alpha * 255.0 + 0.5
    labels[window] = numbers[np.take_along_axis(owner, first, 0)[0]]
    depth[window] = np.take_along_axis(depths, first, 0)[0]
    darkened = openness(depth[window], float(intrinsics[0, 0]), scene.light.occlusion)
    image = scene.background * floor_shadow(body, scene, intrinsics)[..., None]
    person = _painted(brush, faces, owner) * darkened[..., None]
    image[window] = person + (1.0 - alpha[..., None]) * image[window]
    levels = (np.clip(image, 0.0, 1.0) * (len(DISPLAYED) - 1)).astype(np.uint16)
    return Portrait(image=DISPLAYED[levels], coverage=coverage, depth=depth, labels=labels)


def _joined(body: Figure, shade: Array, sheets: list[Sheet]) -> _Mesh:
    normals = vertex_normals(body.vertices[None], body.faces)[0].numpy()
    parts = [(body.vertices.numpy(), normals, body.places.numpy(), shade)]
    faces, start = [body.faces.numpy()], len(normals)
    for sheet in sheets:
        outer = _grid_faces(*sheet.vertices.shape[:2])
        points = sheet.vertices.reshape(-1, 3).astype(np.float32)
        grid = vertex_normals(torch.from_numpy(points)[None], torch.from_numpy(outer))[0].numpy()
        grid = grid.reshape(sheet.vertices.shape)
        if np.abs(sheet.vertices[:, 0] - sheet.vertices[:, -1]).max() < 1e-5:  # sewn together
            grid[:, 0] = grid[:, -1] = (grid[:, 0] + grid[:, -1]) / 2.0
        out, places = grid.reshape(-1, 3), sheet.places.reshape(-1, 3)
        full = np.ones(len(points), np.float32)
        parts += [(points, out, places, full), (points, -out, places, INSIDE * full)]
        faces.append(np.concatenate([outer + start, outer[:, ::-1] + start + len(points)]))
        start += 2 * len(points)
    vertices, normals, places, open_ = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    owner = np.repeat([*range(len(faces)), -1], [*map(len, faces), 1]).astype(np.int8)
    return _Mesh(
        vertices=vertices,
        normals=normals,
        places=places,
        open=open_,
        faces=np.concatenate(faces),
        owner=owner,
    )


@cache
def _grid_faces(rows: int, columns: int) -> Array:
    index = np.arange(rows * columns).reshape(rows, columns)
    one, right = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    below, beyond = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    return np.concatenate([np.stack([one, below, right], 1), np.stack([right, below, beyond], 1)])


def _seen(vertices: Array, faces: Array, matrix: Array, size: Size) -> Visibility:
    return rasterize(
        torch.from_numpy(vertices.astype(np.float32))[None],
        torch.from_numpy(faces),
        torch.from_numpy(matrix.astype(np.float32))[None],
        size,
    )


def _window(vertices: Array, intrinsics: Array, size: Size) -> tuple[Array, Array]:
    """Give the corners (row, column) of the pixels that the person may touch."""
    x, y, z = vertices.T
    pixels = [axis / z * intrinsics[at, at] + intrinsics[at, 2] for at, axis in ((1, y), (0, x))]
    low = np.clip([int(values.min()) - 1 for values in pixels], 0, np.array(size) - 1)
    high = np.clip([int(values.max()) + 2 for values in pixels], low + 1, size)
    return low, high


def _lit(mesh: _Mesh, light: Environment) -> Array:
    """Give light and highlight on every vertex: (vertices, 4)."""
    around = light.irradiance(mesh.normals) * mesh.open[:, None]
    facing = np.clip(mesh.normals @ light.sun_direction, 0.0, 1.0)
    if light.sun.max() > 0.0:
        facing = facing * _sunlit(mesh, light.sun_direction)
    half = light.sun_direction + np.array([0.0, 0.0, -1.0], np.float32)
    half = half / max(float(np.linalg.norm(half)), 1e-6)
    highlight = np.clip(mesh.normals @ half, 0.0, 1.0) ** HIGHLIGHT_POWER * (facing > 0.0)
    lit = np.concatenate([around + facing[:, None] * light.sun, highlight[:, None]], 1)
    return lit.astype(np.float32)


def _sunlit(mesh: _Mesh, toward: Array) -> Array:
    """Compute the share of the sun that reaches each vertex, by a shadow map with soft edges."""
    side = np.cross(toward, (0.0, 0.0, 1.0) if abs(toward[2]) < 0.9 else (1.0, 0.0, 0.0))
    side = side / np.linalg.norm(side)
    frame = np.stack([side, np.cross(-toward, side), -toward])  # x right, y down, z from the sun
    points = (mesh.vertices - mesh.vertices.mean(0)) @ frame.T
    focal = SHADOW_PX * FAR_M / (2.1 * float(np.abs(points[:, :2]).max()))
    points[:, 2] += FAR_M
    matrix = np.array([[focal, 0.0, SHADOW_PX / 2], [0.0, focal, SHADOW_PX / 2], [0.0, 0.0, 1.0]])
    depth = _seen(points, mesh.faces, matrix, (SHADOW_PX, SHADOW_PX)).depth[0].numpy()
    pixel = (points[:, :2] / points[:, 2:] * focal + SHADOW_PX / 2).astype(int)
    column, row = np.clip(pixel, 1, SHADOW_PX - 2).T
    limit, steps = points[:, 2] - SHADOW_BIAS_M, ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
    return np.mean([depth[row + dy, column + dx] > limit for dy, dx in steps], axis=0)


@dataclass(frozen=True)
class _Brush:
    """Colours samples of a rasterised mesh."""

    mesh: _Mesh
    lit: Array
    """(vertices, 4), light and highlight."""
    barycentric: Array
    """(rows, columns, 3), of every sample."""
    person: Person
    sheets: list[Sheet]
    sun: Array

    def colours(self, owner: Array, faces: Array, weights: Array) -> Array:
        """Give linear colours at points of faces, (points, 3)."""
        line = Visibility(
            face_id=torch.from_numpy(faces)[None, None],
            barycentric=torch.from_numpy(weights)[None, None],
            depth=torch.empty(1, 1, len(faces)),
        )
        values = torch.from_numpy(np.concatenate([self.mesh.places, self.lit], 1))
        places, light, highlight = np.split(
            interpolate(line, torch.from_numpy(self.mesh.faces), values)[0, 0].numpy(), [3, 6], 1
        )
        albedo, shine = np.empty((len(owner), 3), np.float32), np.empty((len(owner), 1), np.float32)
        for number, surface in enumerate([self.person, *self.sheets]):
            mine = np.flatnonzero(owner == number)
            if isinstance(surface, Person):
                albedo[mine], shine[mine, 0] = surface.surface(places[mine])
            else:
                albedo[mine], shine[mine] = surface.paint(places[mine]), surface.shine
        return np.clip(np.clip(albedo, 0.0, 1.0) * light + shine * highlight * self.sun, 0.0, 1.0)


def _painted(brush: _Brush, faces: Array, owner: Array) -> Array:
    """Average the colours of each pixel's samples, (height, width, 3), black where there is none.

    A pixel that lies within one surface is coloured once, at its middle; every sample of it where
    that differs from the pixels beside it.
    """
    whole = (
        (owner[0] >= 0) & (owner[0] == owner[1]) & (owner[0] == owner[2]) & (owner[0] == owner[3])
    )
    rows, columns = np.nonzero(whole)
    weights, same = brush.barycentric[2 * rows, 2 * columns], (faces[0] == faces[3])[rows, columns]
    weights[same] += brush.barycentric[2 * rows[same] + 1, 2 * columns[same] + 1]
    weights[same] /= 2.0
    image = np.zeros((*whole.shape, 3), np.float32)
    image[rows, columns] = brush.colours(owner[0][rows, columns], faces[0][rows, columns], weights)
    rough, tone = ~whole, image @ TONE
    steps = np.abs(np.diff(tone, axis=0)) > CONTRAST, np.abs(np.diff(tone, axis=1)) > CONTRAST
    for axis, step in enumerate(steps):
        for beside in (slice(1, None), slice(None, -1)):
            rough[(beside,) if axis == 0 else (slice(None), beside)] |= step
    sample, rows, columns = np.nonzero(rough & (faces >= 0))
    weights = brush.barycentric[2 * rows + sample // 2, 2 * columns + sample % 2]
    at = sample, rows, columns
    colours = brush.colours(owner[at], faces[at], weights) / len(faces)
    image[rough] = 0.0
    for start, end in pairwise(np.searchsorted(sample, range(len(faces) + 1))):
        image[rows[start:end], columns[start:end]] += colours[start:end]  # a pixel comes once
    return image


def _by_pixel(samples: Array) -> Array:
    """Group 2 x 2 samples: (4, height, width)."""
    return np.stack([samples[row::2, column::2] for row in (0, 1) for column in (0, 1)])
