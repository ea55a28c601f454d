"""Random people: shape, skin, face, hair and clothes; everything that both images share."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .clothing import Field, Garment, draw_outfit, even
from .noise import value_noise
from .paint import Array, Paint, draw_colour, linear, mottled

BETA_LIMIT = 2.5
SKIN_SHINE = 0.12
HairMaker = Callable[[np.random.Generator, Array], Garment]
"""Makes the hair on the head of a linear colour."""
SKIN_TONES = np.array(
    [
        (0.98, 0.86, 0.78),
        (0.94, 0.78, 0.67),
        (0.87, 0.68, 0.54),
        (0.76, 0.56, 0.42),
        (0.62, 0.43, 0.31),
        (0.47, 0.32, 0.23),
        (0.34, 0.22, 0.17),
        (0.24, 0.16, 0.13),
    ]
)
"""Display colours from the palest to the darkest skin; people lie between neighbours."""
HAIR_TONES = np.array(
    [
        (0.06, 0.05, 0.05),
        (0.13, 0.09, 0.07),
        (0.28, 0.18, 0.11),
        (0.42, 0.27, 0.15),
        (0.55, 0.25, 0.12),
        (0.75, 0.58, 0.34),
        (0.88, 0.78, 0.58),
        (0.6, 0.6, 0.6),
        (0.9, 0.9, 0.88),
    ]
)
"""Display colours of hair; dyed hair comes on top."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Shape, skin, hair and clothes of a person."""

    betas: Array
    """(10,), standard deviations along the bundled body's shape directions."""
    skin: Paint
    """Colour of bare places, the face painted in."""
    layers: tuple[Garment, ...]
    """Clothes and hair; later ones lie above earlier ones."""

    def stand_off(self, places: Array) -> Array:
        """Compute the distance of cloth or hair from the bare body, metres, (points,)."""
        total = np.zeros(len(places), np.float32)
        for layer in self.layers:
            thickness = layer.thickness(places)
            total = np.maximum(total, thickness + 0.3 * total * (thickness > 0.0))
        return total

    def surface(self, places: Array) -> tuple[Array, Array]:
        """Compute what is seen at places of the surface.

        Returns:
            Linear colours (points, 3), and the strength of the highlight, (points,).
        """
        colours = np.empty((len(places), 3), np.float32)
        shine = np.empty(len(places), np.float32)
        left = np.arange(len(places))
        for layer in reversed(self.layers):
            shown = layer.inside(places[left]) > 0.0
            chosen = left[shown]
            colours[chosen] = layer.paint(places[chosen])
            shine[chosen] = layer.shine
            left = left[~shown]
        colours[left] = self.skin(places[left])
        shine[left] = SKIN_SHINE
        return np.clip(colours, 0.0, 1.0), shine


def draw_person(
    rng: np.random.Generator,
    outfit: Callable[[np.random.Generator], list[Garment]] = draw_outfit,
    hair: HairMaker | None = None,
) -> Person:
    """Draw a person, in clothes and hair of all kinds where `outfit` and `hair` are left out."""
    betas = np.clip(rng.normal(0.0, 1.0, 10), -BETA_LIMIT, BETA_LIMIT).astype(np.float32)
    tone = rng.random()
    colour = linear(_between(SKIN_TONES, tone) * rng.normal(1.0, 0.02, 3))
    hair_colour = _draw_hair_colour(rng, tone)
    layers = outfit(rng)
    if hair is None and rng.random() < 0.12:
        layers.append(_beard(rng, hair_colour))
    if hair is not None or rng.random() > 0.06:
        hair = hair or _HAIR[rng.choice(len(_HAIR), p=_HAIR_WEIGHTS)]
        layers.append(hair(rng, hair_colour))
    return Person(
        betas=betas,
        skin=_face(rng, colour, hair_colour),
        layers=tuple(layers),
    )


def _between(tones: Array, share: float) -> Array:
    """Interpolate in a list of colours; 0 is the first, 1 the last."""
    at = share * (len(tones) - 1)
    low = min(int(at), len(tones) - 2)
    return tones[low] + (at - low) * (tones[low + 1] - tones[low])


def _draw_hair_colour(rng: np.random.Generator, tone: float) -> Array:
    """Draw dark hair more often for dark skin; 6 % is dyed."""
    if rng.random() < 0.06:
        return draw_colour(rng, saturation=(0.5, 0.9), value=(0.3, 0.9))
    lightest = 1.0 if tone < 0.45 else 0.35
    pick = lightest * rng.random() ** 1.3
    return linear(_between(HAIR_TONES, float(pick)) * rng.normal(1.0, 0.05, 3))


def _face(rng: np.random.Generator, skin: Array, hair: Array) -> Paint:
    """Paint eyes, brows, lips and cheeks on the skin."""
    below = mottled(skin, 0.06, 25.0)
    iris = linear(rng.uniform((0.1, 0.1, 0.08), (0.4, 0.4, 0.5)))
    lips = skin * rng.uniform((0.7, 0.35, 0.35), (1.0, 0.6, 0.6))
    brow = np.minimum(hair, skin) * 0.6
    marks = (
        ((0.0, 0.372), (rng.uniform(0.02, 0.027), rng.uniform(0.006, 0.01)), lips),
        ((0.037, 0.459 + rng.normal(0.0, 0.002)), (0.021, rng.uniform(0.003, 0.006)), brow),
        ((0.036, 0.438), (0.016, 0.007), linear((0.92, 0.92, 0.92))),
        ((0.036, 0.438), (0.0075, 0.0075), iris),
    )

    def paint(places: Array) -> Array:
        colours = np.array(np.broadcast_to(below(places), places.shape), np.float32)
        head = np.flatnonzero((places[:, 1] > 0.33) & (places[:, 2] > 0.06))
        if len(head) == 0:
            return colours
        spot = np.stack([np.abs(places[head, 0]), places[head, 1]], axis=1)
        for centre, radii, colour in marks:
            inside = (((spot - centre) / radii) ** 2).sum(1) < 1.0
            colours[head[inside]] = colour
        return colours

    return paint


def strands(rng: np.random.Generator, colour: Array) -> Paint:
    """Paint streaks along the strands."""
    strength, streaks = rng.uniform(0.15, 0.45), rng.uniform(60.0, 140.0)
    squash = np.array([1.0, 0.15, 1.0], np.float32)
    tips = colour * rng.uniform(0.8, 1.6) if rng.random() < 0.3 else colour

    def paint(places: Array) -> Array:
        share = np.clip((0.45 - places[:, 1]) / 0.3, 0.0, 1.0)[:, None]
        shade = 1.0 + strength * value_noise(places * squash, streaks)[:, None]
        return (colour + share * (tips - colour)) * shade

    return paint


def hairline(rng: np.random.Generator) -> Field:
    """Bound the hair by a slanted plane: high over the forehead, low in the nape."""
    height, slope = rng.normal(0.425, 0.008), rng.uniform(0.5, 0.7)
    wave, part = rng.uniform(0.0, 0.008), rng.choice([0.0, 0.0, -0.15, 0.15])

    def inside(places: Array) -> Array:
        line = height + slope * places[:, 2] + wave * value_noise(places, 40.0)
        ear = np.sqrt((places[:, 1] - 0.43) ** 2 + (places[:, 2] - 0.005) ** 2) - 0.042
        side = np.where(np.abs(places[:, 0]) > 0.072, ear, 0.2)
        return np.minimum(places[:, 1] - line + part * places[:, 0], side)

    return inside


def _crop(rng: np.random.Generator, colour: Array) -> Garment:
    """Cut the hair short, from shaved to a thick mop."""
    metres = float(rng.uniform(0.002, 0.028))
    top = float(rng.uniform(0.0, 0.02)) * (metres > 0.008)

    def stand_off(places: Array) -> Array:
        crown = np.clip((places[:, 1] - 0.44) / 0.08, 0.0, 1.0)
        return metres + top * crown + 0.25 * metres * value_noise(places, 30.0)

    return Garment(
        inside=hairline(rng),
        paint=strands(rng, colour),
        stand_off=stand_off,
        taper_m=0.03,
        folds=0.3,
        shine=0.15,
    )


def _afro(rng: np.random.Generator, colour: Array) -> Garment:
    """Make curls that stand far off the head."""
    metres = float(rng.uniform(0.035, 0.08))
    return Garment(
        inside=hairline(rng),
        paint=mottled(colour, 0.5, 90.0),
        stand_off=even(metres, rough_m=0.006, per_metre=30.0),
        taper_m=0.05,
        folds=0.6,
        shine=0.02,
    )


def _bun(rng: np.random.Generator, colour: Array) -> Garment:
    """Make a knot at the back or on top of the head."""
    height, size = float(rng.uniform(0.42, 0.57)), float(rng.uniform(0.04, 0.07))
    knot = np.array([0.0, height, -0.06 if height < 0.53 else -0.01], np.float32)

    def stand_off(places: Array) -> Array:
        squared = ((places - knot) ** 2).sum(1)
        return 0.01 + size * np.exp(-squared / (2.0 * 0.022**2))

    return Garment(
        inside=hairline(rng),
        paint=strands(rng, colour),
        stand_off=stand_off,
        folds=0.2,
        shine=0.2,
    )


def _long(rng: np.random.Generator, colour: Array) -> Garment:
    """Make hair that falls over nape, shoulders and back."""
    cap = hairline(rng)
    low = float(rng.choice([rng.uniform(0.29, 0.34), rng.uniform(-0.02, 0.26)]))
    half, forward = float(rng.uniform(0.085, 0.12)), float(rng.uniform(-0.01, 0.045))
    metres = float(rng.uniform(0.012, 0.026))

    def inside(places: Array) -> Array:
        ragged = 0.012 * value_noise(places * np.array([1.0, 0.1, 1.0], np.float32), 60.0)
        behind = np.where(places[:, 1] > 0.3, forward, -0.02) - places[:, 2]
        fall = np.minimum(half - np.abs(places[:, 0]), behind)
        fall = np.minimum(fall, places[:, 1] - low + ragged)
        return np.maximum(cap(places), fall)

    def stand_off(places: Array) -> Array:
        nape = np.exp(-(((places[:, 1] - 0.3) / 0.06) ** 2)) * (low < 0.3)
        return metres + 0.03 * nape + 0.3 * metres * value_noise(places, 25.0)

    return Garment(
        inside=inside,
        paint=strands(rng, colour),
        stand_off=stand_off,
        taper_m=0.03,
        folds=0.3,
        shine=0.2,
    )


def _beard(rng: np.random.Generator, colour: Array) -> Garment:
    """Cover jaw and cheeks, the mouth left free."""
    top, metres = float(rng.uniform(0.37, 0.4)), float(rng.uniform(0.002, 0.018))

    def inside(places: Array) -> Array:
        mouth = np.sqrt((places[:, 0] / 1.8) ** 2 + (places[:, 1] - 0.372) ** 2) - 0.012
        bounds = np.minimum(top - places[:, 1], places[:, 2] - 0.02)
        return np.minimum(np.minimum(bounds, places[:, 1] - 0.318), mouth)

    return Garment(
        inside=inside,
        paint=strands(rng, colour),
        stand_off=even(metres),
        taper_m=0.02,
        folds=0.3,
    )


_HAIR = (_crop, _long, _bun, _afro)
_HAIR_WEIGHTS = (0.45, 0.33, 0.14, 0.08)
