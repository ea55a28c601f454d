"""Colours and patterns, as functions of a place on the rest body; sharp at any resolution.

A place is where a point lies on the bundled body's T-pose at its mean shape: metres, x to the
person's left, y up, z forward. Colours are linear light, 0 to 1.
"""

from collections.abc import Callable

import numpy as np

from .noise import Array, value_noise

Paint = Callable[[Array], Array]
"""From places (points, 3) to colours (points, 3), or (3,) for one colour everywhere."""

GAMMA = 2.2
ARM_FROM_M = 0.2
"""How far from the middle an arm begins."""


def linear(colour: Array | tuple[float, float, float]) -> Array:
    """Carry display values, 0 to 1, to linear light."""
    return np.clip(np.asarray(colour, np.float32), 0.0, 1.0) ** GAMMA


def draw_colour(
    rng: np.random.Generator,
    *,
    saturation: tuple[float, float] = (0.0, 0.95),
    value: tuple[float, float] = (0.06, 0.97),
) -> Array:
    """Draw one colour by hue, saturation and value; greys, blacks and whites are common."""
    hue, strength = rng.random(), rng.uniform(*saturation) * (rng.random() < 0.7)
    bright = rng.uniform(*value)
    wheel = np.clip(np.abs((hue * 6.0 + np.array([0.0, 4.0, 2.0])) % 6.0 - 3.0) - 1.0, 0.0, 1.0)
    return linear(bright * (1.0 - strength * (1.0 - wheel)))


def draw_other_colour(rng: np.random.Generator, colour: Array) -> Array:
    """Draw a colour that can be told from another one."""
    best = draw_colour(rng)
    for _ in range(6):
        if np.abs(best ** (1 / GAMMA) - colour ** (1 / GAMMA)).max() > 0.3:
            break
        best = draw_colour(rng)
    return best


def along_fabric(places: Array) -> Array:
    """Give places as a tailor sees them: across, along the limb or the torso, and depth.

    The arms of the T-pose lie along x; their cloth hangs down from the shoulder like a torso's.
    """
    arm = (np.abs(places[:, 0]) > ARM_FROM_M) & (places[:, 1] > 0.0)
    across = np.where(arm, places[:, 1] - 0.23, places[:, 0])
    along = np.where(arm, 0.44 - np.abs(places[:, 0]), places[:, 1])
    return np.stack([across, along, places[:, 2]], axis=1)


def draw_paint(rng: np.random.Generator, *, plain: float = 0.4) -> Paint:
    """Draw a pattern of one to three colours; one colour with probability `plain`."""
    base = draw_colour(rng)
    if rng.random() < plain:
        return mottled(base, rng.uniform(0.0, 0.25), rng.uniform(15.0, 60.0))
    makers = (_stripes, _stripes, _checks, _tartan, _dots, _gradient, _camouflage, _halves, _bands)
    return makers[rng.integers(len(makers))](rng, base)


def mottled(colour: Array, strength: float, per_metre: float) -> Paint:
    """Make one colour a little uneven, as cloth and skin are."""
    if strength < 0.03:
        return lambda places: colour

    def paint(places: Array) -> Array:
        return colour * (1.0 + strength * value_noise(places, per_metre))[:, None]

    return paint


def _stripes(rng: np.random.Generator, base: Array) -> Paint:
    other, period, share = draw_other_colour(rng, base), rng.uniform(0.025, 0.14), _share(rng)
    turn = rng.choice([0.0, 0.0, np.pi / 2, rng.uniform(0.0, np.pi)])
    direction = np.array([np.sin(turn), np.cos(turn), 0.0], np.float32)
    shift = rng.random()

    def paint(places: Array) -> Array:
        phase = (along_fabric(places) @ direction / period + shift) % 1.0
        return np.where((phase < share)[:, None], base, other)

    return paint


def _checks(rng: np.random.Generator, base: Array) -> Paint:
    other, period = draw_other_colour(rng, base), rng.uniform(0.04, 0.15)

    def paint(places: Array) -> Array:
        odd = np.floor(along_fabric(places)[:, :2] / period + 0.25).sum(1) % 2.0 < 0.5
        return np.where(odd[:, None], base, other)

    return paint


def _tartan(rng: np.random.Generator, base: Array) -> Paint:
    other, third = draw_other_colour(rng, base), draw_colour(rng)
    period, share, line = rng.uniform(0.05, 0.14), rng.uniform(0.3, 0.55), rng.uniform(0.05, 0.12)

    def paint(places: Array) -> Array:
        phase = along_fabric(places)[:, :2] / period % 1.0
        mixed = (phase < share).mean(1, dtype=np.float32)[:, None]
        colour = base * (1.0 - mixed) + other * mixed
        lined = np.abs(phase - 0.75).min(1, keepdims=True) < line / 2
        return np.where(lined, third, colour)

    return paint


def _dots(rng: np.random.Generator, base: Array) -> Paint:
    other, period = draw_other_colour(rng, base), rng.uniform(0.04, 0.11)
    radius = float(rng.uniform(0.2, 0.4))

    def paint(places: Array) -> Array:
        grid = along_fabric(places)[:, :2] / period
        grid[:, 0] += 0.5 * (np.floor(grid[:, 1]) % 2.0)
        inside = ((grid % 1.0 - 0.5) ** 2).sum(1) < radius**2
        return np.where(inside[:, None], other, base)

    return paint


def _gradient(rng: np.random.Generator, base: Array) -> Paint:
    other, length, middle = (
        draw_other_colour(rng, base),
        rng.uniform(0.2, 0.7),
        rng.uniform(-0.2, 0.2),
    )

    def paint(places: Array) -> Array:
        share = np.clip((along_fabric(places)[:, 1] - middle) / length + 0.5, 0.0, 1.0)[:, None]
        return base * (1.0 - share) + other * share

    return paint


def _camouflage(rng: np.random.Generator, base: Array) -> Paint:
    other, third, size = draw_other_colour(rng, base), draw_colour(rng), rng.uniform(6.0, 22.0)

    def paint(places: Array) -> Array:
        noise = value_noise(places, size) + 0.5 * value_noise(places, 2.3 * size)
        colour = np.where((noise > 0.1)[:, None], other, base)
        return np.where((noise < -0.4)[:, None], third, colour)

    return paint


def _halves(rng: np.random.Generator, base: Array) -> Paint:
    """Give left and right, or front and back, their own colours."""
    other, axis = draw_other_colour(rng, base), int(rng.choice([0, 0, 2]))
    sign = float(rng.choice([-1.0, 1.0]))
    return lambda places: np.where((sign * places[:, axis] > 0.0)[:, None], base, other)


def _bands(rng: np.random.Generator, base: Array) -> Paint:
    """Put one or two broad bands across chest, sleeves or legs."""
    other, centre, half = (
        draw_other_colour(rng, base),
        rng.uniform(-0.05, 0.15),
        rng.uniform(0.02, 0.08),
    )
    again = rng.uniform(0.3, 0.6)

    def paint(places: Array) -> Array:
        along = along_fabric(places)[:, 1]
        inside = (np.abs(along - centre) < half) | (np.abs(along - centre + again) < half)
        return np.where(inside[:, None], other, base)

    return paint


def _share(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.25, 0.75))
