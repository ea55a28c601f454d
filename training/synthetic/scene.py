"""What both images share: background, light and camera."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from .paint import GAMMA, Array, draw_colour, draw_other_colour, linear

Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Light:
    """One distant lamp, light from all around, and a rim; fixed in the camera frame."""

    direction: Array
    """(3,), unit vector toward the lamp; x right, y down, z forward."""
    lamp: Array
    """(3,), linear colour of the lamp."""
    sky: Array
    """(3,), linear colour of the light from above."""
    ground: Array
    """(3,), linear colour of the light from below."""
    softness: float
    """Width of the transition from light to shadow, 0 to 1."""
    rim: float
    """Strength of the light at grazing angles."""
    occlusion: float
    """Strength of ambient occlusion, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A background, its light and the camera."""

    background: Array
    """(height, width, 3), linear."""
    light: Light
    focal_px: float
    pitch_deg: float
    """How far the camera looks down."""
    roll_deg: float
    floor_shadow: float
    """Darkness of the shadow under the feet, 0 to 1."""


def draw_scene(rng: np.random.Generator, size: Size) -> Scene:
    """Draw a scene for images of `size` = (height, width) pixels."""
    return draw_camera(rng, draw_background(rng, size))


def draw_background(rng: np.random.Generator, size: Size) -> Array:
    """Draw what is behind the person, (height, width, 3), linear."""
    makers = (_plain, _sloped, _room, _clouds, _bokeh, _blocks, _striped)
    weights = (0.26, 0.24, 0.16, 0.14, 0.07, 0.08, 0.05)
    background = makers[rng.choice(len(makers), p=weights)](rng, size)
    if rng.random() < 0.5:
        background = background + rng.normal(0.0, rng.uniform(0.0, 0.012), (*size, 1))
    return np.clip(background, 0.0, 1.0).astype(np.float32) ** np.float32(GAMMA)


def draw_camera(rng: np.random.Generator, background: Array) -> Scene:
    """Draw the light and the camera before a background, (height, width, 3), linear."""
    field_of_view = np.radians(rng.uniform(14.0, 40.0))
    return Scene(
        background=background,
        light=draw_light(rng),
        focal_px=float(len(background) / 2.0 / np.tan(field_of_view / 2.0)),
        pitch_deg=float(np.clip(rng.normal(4.0, 6.0), -10.0, 20.0)),
        roll_deg=float(rng.normal(0.0, 1.0)),
        floor_shadow=float(rng.uniform(0.15, 0.6) * (rng.random() < 0.6)),
    )


def draw_light(rng: np.random.Generator) -> Light:
    """Draw a lamp, mostly from above and before the person."""
    direction = np.array([rng.normal(0.0, 0.7), -abs(rng.normal(0.6, 0.5)), rng.normal(-0.7, 0.5)])
    warmth = rng.normal(0.0, 0.06)
    tint = np.array([1.0 + warmth, 1.0, 1.0 - warmth])
    share = rng.uniform(0.3, 0.8)
    level = rng.uniform(0.85, 1.25)
    around = tint[::-1] * level * (1.0 - share)
    return Light(
        direction=(direction / np.linalg.norm(direction)).astype(np.float32),
        lamp=(1.25 * level * share * tint).astype(np.float32),
        sky=(around * rng.uniform(0.9, 1.25)).astype(np.float32),
        ground=(around * rng.uniform(0.45, 0.95)).astype(np.float32),
        softness=float(rng.uniform(0.05, 0.5)),
        rim=float(rng.uniform(0.1, 0.5) * (rng.random() < 0.3)),
        occlusion=float(rng.uniform(0.3, 0.75)),
    )


def _display(colour: Array) -> Array:
    return (colour ** (1.0 / GAMMA)).astype(np.float32)


def _wall_colour(rng: np.random.Generator) -> Array:
    """Draw a display colour of a studio wall: light and grey more often than not."""
    if rng.random() < 0.65:
        return _display(draw_colour(rng, saturation=(0.0, 0.3), value=(0.45, 0.98)))
    return _display(draw_colour(rng))


def _plain(rng: np.random.Generator, size: Size) -> Array:
    return np.broadcast_to(_wall_colour(rng), (*size, 3))


def _sloped(rng: np.random.Generator, size: Size) -> Array:
    """Shade one colour, or blend two, along a line or away from a spot."""
    colour = _wall_colour(rng)
    other = colour * rng.uniform(0.5, 0.9) if rng.random() < 0.6 else _wall_colour(rng)
    y, x = _grid(size)
    if rng.random() < 0.5:
        angle = rng.uniform(0.0, 2.0 * np.pi)
        share = 0.5 + 0.5 * (np.cos(angle) * x + np.sin(angle) * y)
    else:
        share = np.sqrt((x - rng.normal(0.0, 0.3)) ** 2 + (y - rng.normal(-0.1, 0.4)) ** 2) / 1.3
    share = np.clip(share, 0.0, 1.0)[..., None]
    return colour * (1.0 - share) + other * share


def _room(rng: np.random.Generator, size: Size) -> Array:
    """Draw a wall above a floor; the edge is sharp, or rounded as in a studio."""
    wall, floor = _sloped(rng, size), _sloped(rng, size) * rng.uniform(0.6, 1.0)
    y, x = _grid(size)
    line = rng.uniform(0.45, 0.85) + rng.normal(0.0, 0.03) * x
    width = rng.choice([0.012, rng.uniform(0.02, 0.3)])
    share = np.clip((y - line) / width + 0.5, 0.0, 1.0)[..., None]
    if rng.random() < 0.4:
        floor = floor * (1.0 + rng.uniform(0.04, 0.2) * _fractal(rng, size, 1.3)[..., None])
    return wall * (1.0 - share) + floor * share


def _clouds(rng: np.random.Generator, size: Size) -> Array:
    """Fill the image with coloured noise whose spectrum falls off as photographs' does."""
    colour, other = _wall_colour(rng), _wall_colour(rng)
    noise = _fractal(rng, size, rng.uniform(1.1, 1.9))
    share = np.clip(0.5 + rng.uniform(0.1, 0.35) * noise, 0.0, 1.0)
    image = colour + share[..., None] * (other - colour)
    return image + rng.uniform(0.0, 0.06) * _fractal(rng, size, 1.2)[..., None]


def _bokeh(rng: np.random.Generator, size: Size) -> Array:
    """Draw blurred colours, as of a street or a garden out of focus."""
    rows = int(rng.integers(4, 14))
    cells = rng.random((rows, max(2, rows * size[1] // size[0]), 3))
    grey, colour = cells.mean(2, keepdims=True), rng.uniform(0.1, 0.6)
    cells = (colour * cells + (1.0 - colour) * grey) ** rng.uniform(0.7, 2.0)
    cells = _wall_colour(rng) * 0.5 + 0.5 * cells
    image = _resized(cells, size, Image.Resampling.BICUBIC)
    return image * (1.0 + 0.06 * _fractal(rng, size, 1.4)[..., None])


def _blocks(rng: np.random.Generator, size: Size) -> Array:
    """Draw boxes of several colours over one another, then blur them."""
    image = np.array(_sloped(rng, size), np.float32)
    for _ in range(int(rng.integers(3, 12))):
        top, left = int(rng.integers(-40, size[0])), int(rng.integers(-40, size[1]))
        height, width = rng.integers(15, 160, 2)
        box = (slice(max(top, 0), top + height), slice(max(left, 0), left + width))
        image[box] = _display(draw_colour(rng, saturation=(0.0, 0.6)))
    return _blurred(image, float(rng.uniform(0.0, 7.0)))


def _striped(rng: np.random.Generator, size: Size) -> Array:
    """Draw stripes of two colours, as of wallpaper or panels."""
    colour = _wall_colour(rng)
    other = _display(draw_other_colour(rng, linear(colour)))
    other = colour + rng.uniform(0.15, 0.8) * (other - colour)
    y, x = _grid(size)
    along = x if rng.random() < 0.7 else y
    phase = (along * rng.uniform(1.5, 8.0) + rng.random()) % 1.0
    image = np.where((phase < rng.uniform(0.2, 0.8))[..., None], colour, other)
    return _blurred(image.astype(np.float32), float(rng.uniform(0.3, 2.0)))


def _grid(size: Size) -> tuple[Array, Array]:
    """Give y and x of every pixel, -1 to 1."""
    rows, columns = np.linspace(-1.0, 1.0, size[0]), np.linspace(-1.0, 1.0, size[1])
    y, x = np.meshgrid(rows.astype(np.float32), columns.astype(np.float32), indexing="ij")
    return y, x


def _fractal(rng: np.random.Generator, size: Size, slope: float) -> Array:
    """Make noise whose amplitude falls as frequency to the power `-slope`; deviation 1."""
    spectrum = np.fft.rfft2(rng.normal(size=size))
    y, x = np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None]
    frequency = np.sqrt(y**2 + x**2)
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(spectrum * frequency**-slope, s=size)
    return (noise / max(float(noise.std()), 1e-9)).astype(np.float32)


def _resized(image: Array, size: Size, filter_: Image.Resampling) -> Array:
    shown = Image.fromarray((np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8))
    return np.asarray(shown.resize((size[1], size[0]), filter_), np.float32) / 255.0


def _blurred(image: Array, radius_px: float) -> Array:
    shown = Image.fromarray((np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8))
    return np.asarray(shown.filter(ImageFilter.GaussianBlur(radius_px)), np.float32) / 255.0
