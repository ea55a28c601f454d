"""Clothes: where on the rest body each garment lies, how far it stands off, and its pattern.

A garment's region is a signed distance in metres, positive inside; its border is cut per pixel, and
near the border the cloth comes down to the skin. Places are those of `paint`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .noise import value_noise
from .paint import Array, Paint, draw_colour, draw_other_colour, draw_paint

Field = Callable[[Array], Array]
"""From places (points, 3) to one number each."""

WAIST_M, CROTCH_M = -0.17, -0.34
NECK_M, SHOULDER_M = 0.305, 0.18
FOLDS_PER_METRE = 22.0
FOLD_STRETCH = np.array([1.0, 0.6, 1.0], np.float32)
"""Folds run down rather than across."""


@dataclass(frozen=True, kw_only=True)
class Garment:
    """One layer on the body; later layers of an outfit lie above earlier ones."""

    inside: Field
    """Signed distance to the border, metres, positive where the garment is."""
    paint: Paint
    stand_off: Field
    """How far the cloth is from the skin, metres, before the border tapers it."""
    taper_m: float = 0.02
    """Width of the border along which the cloth comes down to what lies below."""
    folds: float = 0.0
    """Height of folds, as a share of 1 cm."""
    shine: float = 0.05
    """Strength of the highlight."""

    def thickness(self, places: Array) -> Array:
        """Give the distance from the skin, metres, 0 outside."""
        rise = np.clip(self.inside(places) / self.taper_m, 0.0, 1.0)
        folds = 0.01 * self.folds * (1.0 + value_noise(places * FOLD_STRETCH, FOLDS_PER_METRE))
        return (self.stand_off(places) + folds) * rise * rise * (3.0 - 2.0 * rise)


def draw_outfit(rng: np.random.Generator) -> list[Garment]:
    """Draw an outfit, inner layers first."""
    outfit: list[Garment] = []
    if rng.random() < 0.5:
        outfit.append(socks(rng))
    kind = rng.choice(["separates", "dress", "overall"], p=[0.8, 0.14, 0.06])
    footwear = shoes(rng)
    if kind == "separates":
        pair = [bottom(rng), top(rng)]
        tucked = rng.random() < 0.4
        outfit += pair[::-1] if tucked else pair
        if tucked and rng.random() < 0.6:
            outfit.append(_belt(rng))
    elif kind == "dress":
        outfit.append(top(rng, hem=float(rng.uniform(-0.75, CROTCH_M - 0.08)), plain=0.3))
        if rng.random() < 0.5:
            outfit.append(_belt(rng))
    else:
        outfit += [_overall(rng)]
    outfit.append(footwear)
    if rng.random() < 0.3 and kind != "overall":
        outfit.append(jacket(rng))
    if rng.random() < 0.08:
        outfit.append(_gloves(rng))
    return outfit


def even(metres: float, *, rough_m: float = 0.0, per_metre: float = 9.0) -> Field:
    """Stand off by the same distance everywhere, with soft bumps."""

    def stand_off(places: Array) -> Array:
        return metres + rough_m * value_noise(places, per_metre)

    return stand_off


def flared(metres: float, per_metre: float, below_m: float, rough_m: float) -> Field:
    """Stand off more and more below a height, as wide trouser legs and skirts do."""

    def stand_off(places: Array) -> Array:
        drop = np.clip(below_m - places[:, 1], 0.0, 0.8)
        return metres + per_metre * drop + rough_m * value_noise(places, 9.0)

    return stand_off


def _loose(rng: np.random.Generator) -> tuple[float, float]:
    """Draw a distance from the skin and its unevenness, metres: tight clothes are common."""
    metres = float(0.003 + 0.025 * rng.random() ** 2)
    return metres, 0.3 * metres


def top(
    rng: np.random.Generator,
    *,
    hem: float | None = None,
    plain: float = 0.35,
    cloth: Paint | None = None,
) -> Garment:
    """Make a shirt, or a dress where the hem is low; of a cloth of its own if none is given."""
    hem = float(rng.uniform(CROTCH_M - 0.03, WAIST_M - 0.02)) if hem is None else hem
    sleeve = _draw_sleeve(rng)
    open_left = rng.random() < 0.04
    neck = _neckline(rng)

    def inside(places: Array) -> Array:
        reach = np.where(places[:, 0] > 0.0, 0.1, sleeve) if open_left else sleeve
        arm = reach - np.abs(places[:, 0]) + _slope(places, reach)
        return np.minimum(np.minimum(places[:, 1] - hem, arm), neck(places))

    metres, rough = _loose(rng)
    flare = float(rng.uniform(0.0, 0.12)) if hem < CROTCH_M - 0.05 else 0.0
    paint = _with_sleeves(rng, draw_paint(rng, plain=plain) if cloth is None else cloth)
    return Garment(
        inside=inside,
        paint=_with_print(rng, paint),
        stand_off=flared(metres, flare, WAIST_M, rough),
        folds=float(rng.uniform(0.05, 0.35)),
        shine=float(rng.uniform(0.0, 0.1)),
    )


def _draw_sleeve(rng: np.random.Generator) -> float:
    """Draw how far a sleeve reaches from the middle; sleeveless, short, half and long."""
    kind = rng.choice(4, p=[0.16, 0.34, 0.1, 0.4])
    low, high = [(0.13, 0.17), (0.27, 0.4), (0.42, 0.58), (0.66, 0.7)][kind]
    return float(rng.uniform(low, high))


def _slope(places: Array, reach: float | Array) -> Array:
    """Slant the armhole of a sleeveless top toward the neck."""
    return np.where(np.asarray(reach) < 0.2, -0.25 * (places[:, 1] - 0.2), 0.0)


def _neckline(rng: np.random.Generator) -> Field:
    """Draw a crew neck, a V, a wide scoop or a high collar."""
    kind = rng.choice(["crew", "v", "scoop", "collar"], p=[0.45, 0.2, 0.2, 0.15])
    if kind == "collar":
        top = float(rng.uniform(0.285, 0.315))
        return lambda places: np.where(
            np.abs(places[:, 0]) < 0.12, top - places[:, 1] + 0.15 * places[:, 2], 0.2
        )
    radius = float(rng.uniform(0.075, 0.095) if kind != "scoop" else rng.uniform(0.1, 0.135))
    depth = float({"crew": 0.02, "scoop": 0.07, "v": rng.uniform(0.1, 0.2)}[str(kind)])

    def inside(places: Array) -> Array:
        x = np.abs(places[:, 0])
        drop = 0.01 + depth * np.clip((places[:, 2] + 0.02) / 0.08, 0.0, 1.0)
        above = places[:, 1] - (0.27 - drop)
        if kind == "v":
            edge = (x * drop - above * radius) / np.sqrt(drop**2 + radius**2)
        else:
            edge = np.maximum(x - radius, -above)
        return np.minimum(edge, NECK_M - places[:, 1])

    return inside


def bottom(rng: np.random.Generator) -> Garment:
    """Make trousers or shorts; one leg may be another colour."""
    low, high = [(-0.62, -0.42), (-0.95, -0.75), (-1.09, -1.0)][rng.choice(3, p=[0.3, 0.12, 0.58])]
    hem, waist = float(rng.uniform(low, high)), float(rng.uniform(WAIST_M - 0.06, WAIST_M + 0.04))
    metres, rough = _loose(rng)
    paint = draw_paint(rng, plain=0.6)
    if rng.random() < 0.25:
        paint = _sided(rng, paint, draw_paint(rng, plain=0.6))
    elif rng.random() < 0.2:
        paint = _side_line(rng, paint)
    flare = float(rng.choice([0.0, rng.uniform(0.0, 0.045)]))
    return Garment(
        inside=lambda places: np.minimum(waist - places[:, 1], places[:, 1] - hem),
        paint=paint,
        stand_off=flared(metres, flare, CROTCH_M, rough),
        folds=float(rng.uniform(0.05, 0.4)),
        shine=float(rng.uniform(0.0, 0.08)),
    )


def _overall(rng: np.random.Generator) -> Garment:
    """Make one piece from the neck to the feet."""
    sleeve, hem, neck = _draw_sleeve(rng), float(rng.uniform(-1.08, -0.5)), _neckline(rng)

    def inside(places: Array) -> Array:
        arm = sleeve - np.abs(places[:, 0])
        return np.minimum(np.minimum(places[:, 1] - hem, arm), neck(places))

    metres, rough = _loose(rng)
    return Garment(
        inside=inside,
        paint=_with_print(rng, draw_paint(rng, plain=0.5)),
        stand_off=even(metres, rough_m=rough),
        folds=float(rng.uniform(0.05, 0.4)),
    )


def jacket(rng: np.random.Generator, hem: tuple[float, float] = (-0.5, -0.15)) -> Garment:
    """Make an open jacket or waistcoat above everything else; `hem` bounds where it ends."""
    low, sleeve = float(rng.uniform(*hem)), float(rng.choice([0.16, 0.68]))
    gap, wider = float(rng.uniform(0.015, 0.06)), float(rng.uniform(0.0, 0.25))

    def inside(places: Array) -> Array:
        opening = gap + wider * np.clip(0.15 - places[:, 1], 0.0, 0.4)
        front = np.where(places[:, 2] > 0.0, np.abs(places[:, 0]) - opening, 0.2)
        neck = np.maximum(np.abs(places[:, 0]) - 0.075, 0.25 - places[:, 1])
        neck = np.minimum(neck, NECK_M - places[:, 1])
        arm = sleeve - np.abs(places[:, 0])
        return np.minimum(np.minimum(np.minimum(places[:, 1] - low, arm), front), neck)

    metres, rough = _loose(rng)
    return Garment(
        inside=inside,
        paint=_with_sleeves(rng, draw_paint(rng, plain=0.7)),
        stand_off=even(metres + 0.01, rough_m=rough),
        taper_m=0.015,
        folds=float(rng.uniform(0.05, 0.35)),
        shine=float(rng.uniform(0.0, 0.25)),
    )


def shoes(rng: np.random.Generator) -> Garment:
    """Make shoes with a sole, or boots; 8 % are barefoot."""
    top = float(rng.choice([-1.07, -1.03, rng.uniform(-0.95, -0.72)], p=[0.5, 0.3, 0.2]))
    if rng.random() < 0.08:
        top = -2.0
    upper = draw_colour(rng)
    sole = upper if rng.random() < 0.4 else draw_other_colour(rng, upper)
    other = draw_other_colour(rng, upper) if rng.random() < 0.1 else upper

    def paint(places: Array) -> Array:
        side = np.where((places[:, 0] > 0.0)[:, None], upper, other)
        return np.where((places[:, 1] < -1.135)[:, None], sole, side)

    return Garment(
        inside=lambda places: top - places[:, 1],
        paint=paint,
        stand_off=even(0.009),
        taper_m=0.01,
        shine=float(rng.uniform(0.02, 0.35)),
    )


def socks(rng: np.random.Generator) -> Garment:
    """Make socks, from the ankle to the knee."""
    top, paint = float(rng.uniform(-1.02, -0.72)), draw_paint(rng, plain=0.6)
    return Garment(inside=lambda places: top - places[:, 1], paint=paint, stand_off=even(0.002))


def _gloves(rng: np.random.Generator) -> Garment:
    start, colour = float(rng.uniform(0.63, 0.71)), draw_colour(rng)
    other = draw_other_colour(rng, colour) if rng.random() < 0.4 else colour
    return Garment(
        inside=lambda places: np.abs(places[:, 0]) - start,
        paint=lambda places: np.where((places[:, 0] > 0.0)[:, None], colour, other),
        stand_off=even(0.003),
        taper_m=0.01,
    )


def _belt(rng: np.random.Generator) -> Garment:
    centre, half = (
        float(rng.uniform(WAIST_M - 0.04, WAIST_M + 0.03)),
        float(rng.uniform(0.012, 0.03)),
    )
    colour = draw_colour(rng)
    buckle = draw_other_colour(rng, colour)

    def paint(places: Array) -> Array:
        shown = (np.abs(places[:, 0]) < 0.022) & (places[:, 2] > 0.0)
        return np.where(shown[:, None], buckle, colour)

    return Garment(
        inside=lambda places: half - np.abs(places[:, 1] - centre),
        paint=paint,
        stand_off=even(0.012),
        taper_m=0.006,
        shine=0.2,
    )


def _sided(rng: np.random.Generator, left: Paint, right: Paint) -> Paint:
    def paint(places: Array) -> Array:
        return np.where((places[:, 0] > 0.0)[:, None], left(places), right(places))

    return paint


def _side_line(rng: np.random.Generator, below: Paint) -> Paint:
    """Run a line down the outer side of each leg."""
    colour, half = draw_colour(rng), float(rng.uniform(0.01, 0.025))

    def paint(places: Array) -> Array:
        outer = (np.abs(places[:, 2]) < half) & (np.abs(places[:, 0]) > 0.1)
        return np.where(outer[:, None], colour, below(places))

    return paint


def _with_sleeves(rng: np.random.Generator, below: Paint) -> Paint:
    """Give the sleeves, or one of them, another colour or pattern, or a cuff; or leave them."""
    kind = rng.choice(
        ["same", "left", "right", "both", "each", "cuff"], p=[0.5, 0.1, 0.1, 0.12, 0.1, 0.08]
    )
    if kind == "same":
        return below
    one, two = draw_paint(rng, plain=0.6), draw_paint(rng, plain=0.6)
    start = SHOULDER_M + 0.01 if kind != "cuff" else 0.6

    def paint(places: Array) -> Array:
        colour = np.broadcast_to(below(places), places.shape)
        left = (places[:, 0] > start)[:, None] & (kind != "right")
        right = (places[:, 0] < -start)[:, None] & (kind != "left")
        colour = np.where(left, one(places), colour)
        return np.where(right, two(places) if kind == "each" else one(places), colour)

    return paint


def _with_print(rng: np.random.Generator, below: Paint) -> Paint:
    """Print something on the chest, on the back, on both, or on neither."""
    paint = below
    if rng.random() < 0.35:
        paint = _printed(rng, paint, 1.0)
    if rng.random() < 0.3:
        paint = _printed(rng, paint, -1.0)
    return paint


def _printed(rng: np.random.Generator, below: Paint, side: float) -> Paint:
    """Print a shape on the front (`side` = 1) or on the back (-1)."""
    colour, size = draw_colour(rng), float(rng.uniform(0.04, 0.11))
    centre = np.array([rng.normal(0.0, 0.03), rng.uniform(0.02, 0.14)], np.float32)
    shape = _SHAPES[rng.integers(len(_SHAPES))](rng)

    def paint(places: Array) -> Array:
        flat = (places[:, :2] - centre) / size
        flat[:, 0] *= side
        here = (side * places[:, 2] > 0.0) & (np.abs(flat) < 1.0).all(1)
        here[here] = shape(flat[here])
        return np.where(here[:, None], colour, below(places))

    return paint


def _disc(rng: np.random.Generator) -> Field:
    hole = float(rng.choice([0.0, rng.uniform(0.3, 0.7)]))

    def shape(flat: Array) -> Array:
        squared = (flat**2).sum(1)
        return (squared < 1.0) & (squared >= hole**2)

    return shape


def _star(rng: np.random.Generator) -> Field:
    points, depth = int(rng.integers(3, 7)), float(rng.uniform(0.3, 0.6))

    def shape(flat: Array) -> Array:
        angle = np.arctan2(flat[:, 0], flat[:, 1])
        wave = np.abs((angle * points / (2.0 * np.pi)) % 1.0 - 0.5) * 2.0
        return np.sqrt((flat**2).sum(1)) < depth + (1.0 - depth) * wave

    return shape


def _bars(rng: np.random.Generator) -> Field:
    count, axis = int(rng.integers(2, 5)), int(rng.integers(2))
    return lambda flat: ((flat[:, axis] + 1.0) / 2.0 * count % 1.0) < 0.6


def _letters(rng: np.random.Generator) -> Field:
    """Make one to four signs of 3 by 5 cells each, like letters of no alphabet."""
    count = int(rng.integers(1, 5))
    cells = rng.random((5, 4 * count + 1)) < 0.62
    cells[:, ::4] = False
    height = min(1.0, 5.0 / (4.0 * count))

    def shape(flat: Array) -> Array:
        row = np.floor((1.0 - (flat[:, 1] / height + 1.0) / 2.0) * 5.0).astype(int)
        column = np.floor((flat[:, 0] + 1.0) / 2.0 * cells.shape[1]).astype(int)
        within = (row >= 0) & (row < 5)
        column = np.clip(column, 0, cells.shape[1] - 1)
        return within & cells[np.clip(row, 0, 4), column]

    return shape


_SHAPES = (_disc, _star, _bars, _letters, _letters)
