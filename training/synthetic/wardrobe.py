"""Outfits with cloth that hangs: what lies on the skin is `clothing`'s, what hangs are tubes."""

from dataclasses import dataclass, replace

import numpy as np

from . import clothing
from .clothing import CROTCH_M, WAIST_M, Field, Garment, even
from .hanging_hair import Hairstyle, draw_hairstyle
from .paint import Array, Paint, draw_paint
from .people import Person, draw_person, hairline, strands
from .tubes import Cut

CHEST_M = 0.09
"""Below the armpits, where what hangs from the shoulders begins to hang."""
Outfit = tuple[list[Garment], list[Cut]]
"""What lies on the skin and what hangs, inner cloth first."""


@dataclass(frozen=True, kw_only=True)
class ClothedPerson:
    """A person with everything that both images share."""

    person: Person
    """Body, face, and what lies on the skin, the cap of long hair last."""
    cuts: tuple[Cut, ...]
    """What hangs, inner cloth first."""
    hair: Hairstyle | None
    """Hair that hangs; None for short hair."""


def draw_clothed_person(rng: np.random.Generator) -> ClothedPerson:
    """Draw a person; four in five wear something that hangs, half have long hair."""
    kinds = (_skirt, _dress, _coat, _wide_top, _plain)
    layers, cuts = kinds[rng.choice(len(kinds), p=[0.24, 0.24, 0.16, 0.18, 0.18])](rng)
    hair = draw_hairstyle(rng) if rng.random() < 0.5 else None

    def cap(rng: np.random.Generator, colour: Array) -> Garment:
        off = even(0.8 * hair.stand_off_m if hair else 0.0)
        line, paint = hairline(rng), strands(rng, colour)
        return Garment(inside=line, paint=paint, stand_off=off, taper_m=0.03, folds=0.2, shine=0.2)

    person = draw_person(rng, outfit=lambda _: layers, hair=cap if hair else None)
    return ClothedPerson(person=person, cuts=tuple(cuts), hair=hair)


def _plain(rng: np.random.Generator) -> Outfit:
    return clothing.draw_outfit(rng), []


def _feet(rng: np.random.Generator) -> list[Garment]:
    """Wear bare legs, socks or tights, and shoes."""
    kind, layers = rng.choice(["bare", "socks", "tights"], p=[0.45, 0.25, 0.3]), []
    if kind == "socks":
        layers = [clothing.socks(rng)]
    elif kind == "tights":
        cloth, thickness = draw_paint(rng, plain=0.85), even(0.001)
        layers = [Garment(inside=lambda at: WAIST_M - at[:, 1], paint=cloth, stand_off=thickness)]
    return [*layers, clothing.shoes(rng)]


SKIRTS = {
    "pencil": ((0.0, 0.03), 0, 0.12),
    "line": ((0.1, 0.25), 6, 0.0),
    "full": ((0.25, 0.55), 11, 0.0),
    "pleated": ((0.15, 0.4), 15, 0.0),
}
"""Bounds of the flare, folds, and how fast the cloth may close in."""


def _skirt_cut(rng: np.random.Generator, top: float, paint: Paint, label: str) -> Cut:
    """Cut a skirt of any kind, from the thigh to the ankle."""
    low, high = [(-0.62, -0.45), (-0.8, -0.62), (-1.06, -0.85)][rng.choice(3, p=[0.35, 0.35, 0.3])]
    kind = str(rng.choice([*SKIRTS], p=[0.2, 0.35, 0.3, 0.15]))
    flare, folds, closing = SKIRTS[kind]
    return Cut(
        label=label,
        top_m=top,
        hem_m=float(rng.uniform(low, high)),
        paint=paint,
        ease_m=float(rng.uniform(0.008, 0.014)),
        flare=float(rng.uniform(*flare)),
        closing=closing,
        folds=folds + int(rng.integers(-1, 3)) if folds else 0,
        fold_m=float(rng.uniform(0.006, 0.018)) * (1.8 if kind == "full" else 1.0),
        shine=float(rng.uniform(0.0, 0.15)),
    )


def _over(rng: np.random.Generator, waist: float, layers: list[Garment]) -> list[Garment]:
    """Put a short jacket over it in 22 % of outfits."""
    if rng.random() < 0.22:
        return [*layers, clothing.jacket(rng, hem=(waist, waist + 0.1))]
    return layers


def _skirt(rng: np.random.Generator) -> Outfit:
    """Wear a skirt over a tucked top."""
    waist = float(rng.uniform(WAIST_M - 0.05, WAIST_M + 0.06))
    cut = replace(_skirt_cut(rng, waist, draw_paint(rng, plain=0.45), "skirt"), edge_m=0.004)
    return _over(rng, waist, [*_feet(rng), clothing.top(rng, hem=CROTCH_M)]), [cut]


def _dress(rng: np.random.Generator) -> Outfit:
    """Wear a dress: a bodice on the body, and a skirt of the same cloth from the waist."""
    waist, cloth = float(rng.uniform(-0.16, -0.02)), draw_paint(rng, plain=0.35)
    bodice = clothing.top(rng, hem=waist - 0.06, cloth=cloth)
    cut = replace(_skirt_cut(rng, waist, cloth, "dress"), shine=bodice.shine)
    return _over(rng, waist, [*_feet(rng), bodice]), [cut]


def _wide_top(rng: np.random.Generator) -> Outfit:
    """Wear a wide shirt, a jumper or a tunic that hangs from the chest, over trousers."""
    cloth = draw_paint(rng, plain=0.4)
    bodice = replace(clothing.top(rng, hem=CHEST_M - 0.08), paint=cloth)
    cut = Cut(
        label="top",
        top_m=CHEST_M,
        hem_m=float(rng.uniform(-0.6, CROTCH_M + 0.04)),
        paint=cloth,
        ease_m=float(rng.uniform(0.018, 0.045)),
        flare=float(rng.uniform(0.0, 0.25)),
        closing=0.05,
        folds=int(rng.integers(3, 9)),
        fold_m=float(rng.uniform(0.003, 0.012)),
        shine=bodice.shine,
    )
    return [clothing.bottom(rng), clothing.shoes(rng), _wide_sleeves(rng, bodice)], [cut]


def _coat(rng: np.random.Generator) -> Outfit:
    """Wear an open coat over trousers and a top."""
    gap, cloth = float(rng.uniform(0.12, 0.5)), draw_paint(rng, plain=0.75)
    shell = Garment(
        inside=_open_in_front(gap * 0.14, CHEST_M - 0.06),
        paint=cloth,
        stand_off=even(float(rng.uniform(0.014, 0.022)), rough_m=0.004),
        taper_m=0.015,
        folds=0.2,
    )
    cut = Cut(
        label="coat",
        top_m=CHEST_M,
        hem_m=float(rng.uniform(-0.95, -0.45)),
        paint=cloth,
        ease_m=0.033,
        flare=float(rng.uniform(0.05, 0.3)),
        folds=int(rng.integers(3, 8)),
        fold_m=float(rng.uniform(0.004, 0.015)),
        gap_rad=gap,
    )
    below = [clothing.bottom(rng), clothing.shoes(rng), clothing.top(rng)]
    return [*below, _wide_sleeves(rng, shell)], [cut]


def _open_in_front(gap_m: float, hem: float) -> Field:
    """Cover trunk and arms above a height, but for a gap in front and the neck."""

    def inside(places: Array) -> Array:
        across = np.abs(places[:, 0])
        front = np.where(places[:, 2] > 0.0, across - gap_m, 0.2)
        neck = np.maximum(across - 0.075, 0.25 - places[:, 1])
        neck = np.minimum(neck, clothing.NECK_M - places[:, 1])
        below = np.where(across > 0.2, 0.2, places[:, 1] - hem)
        return np.minimum(np.minimum(below, 0.68 - across), np.minimum(front, neck))

    return inside


def _wide_sleeves(rng: np.random.Generator, garment: Garment) -> Garment:
    """Widen the sleeves toward the hands, a little or like bells."""
    bell = float(rng.choice([0.0, rng.uniform(0.02, 0.09)], p=[0.6, 0.4]))

    def stand_off(places: Array) -> Array:
        return garment.stand_off(places) + bell * np.clip(np.abs(places[:, 0]) - 0.3, 0.0, 0.4)

    return replace(garment, stand_off=stand_off)
