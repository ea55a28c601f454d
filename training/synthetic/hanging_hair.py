"""Hair that hangs: a curtain around the head, ponytails and plaits, which fall with gravity.

The head carries what lies on it. From there on strands go down step by step, slide over neck,
shoulders and clothes instead of through them, and keep their length.
"""

from dataclasses import dataclass

import numpy as np

from .obstacles import Obstacles
from .paint import Array

STEP_M, STRANDS, AROUND = 0.035, 32, 9
"""Length of a step; strands of a curtain; corners of a ponytail's rings."""
TILTS_DEG = np.linspace(78.0, -14.0, 7)
"""Where the rows of a curtain lie that the head carries, seen from its middle."""
LAG = 0.35
"""How much a strand keeps the direction of the step before."""
SLIDE = 0.5
"""How far a strand that lies on something slides, in steps."""
PROFILE = ([0.0, 0.08, 0.3, 0.75, 1.0], [0.5, 0.6, 1.1, 0.9, 0.15])
"""Radius of a ponytail along its length."""


@dataclass(frozen=True, kw_only=True)
class Hairstyle:
    """Long hair: a curtain, or tails."""

    length_m: float
    """Below the ears, or of the tails."""
    stand_off_m: float
    """From the head; the cap below the curtain is thinner."""
    span_rad: float
    """Half of the angle around the head that the curtain covers, from behind; 0 for none."""
    forward: tuple[float, float]
    """Whether the hair falls before the shoulders (1) or behind (-1): left, right."""
    tips: Array
    """(strands,), share of the length that each strand has."""
    roots: Array
    """(tails, 3), where tails are tied on the mean rest head."""
    radius_m: float
    """Of a tail."""
    knots: float
    """Of a plait, per metre; 0 for a ponytail."""


def draw_hairstyle(rng: np.random.Generator) -> Hairstyle:
    """Draw a bob, long hair, a ponytail or plaits."""
    kind = rng.choice(["bob", "long", "tail", "tails"], p=[0.2, 0.5, 0.18, 0.12])
    behind, sides = rng.random() < 0.5, rng.choice([-1.0, 1.0], 2)
    one, two = (
        [[0.0, rng.uniform(0.4, 0.52), -0.085]],
        [[0.085, 0.41, -0.03], [-0.085, 0.41, -0.03]],
    )
    curtain = kind in ("bob", "long")
    return Hairstyle(
        length_m=float(rng.uniform(*((0.08, 0.17) if kind == "bob" else (0.2, 0.58)))),
        stand_off_m=float(rng.uniform(0.014, 0.026)),
        span_rad=float(np.radians(rng.uniform(95.0, 122.0))) if curtain else 0.0,
        forward=(-1.0, -1.0) if behind or kind == "tail" else (sides[0], sides[1]),
        tips=1.0 - rng.uniform(0.02, 0.15) * rng.random(STRANDS),
        roots=np.array([] if curtain else one if kind == "tail" else two).reshape(-1, 3),
        radius_m=float(rng.uniform(0.016, 0.03)) * (0.75 if kind == "tails" else 1.0),
        knots=float(rng.choice([0.0, 24.0])),
    )


@dataclass(frozen=True, kw_only=True)
class Around:
    """Head, chest, gravity and obstacles of hanging hair."""

    head: Array
    """(3, 4), its transform."""
    skull: Array
    """(vertices, 3), the head at rest."""
    chest: Array
    """(3, 3), its rotation."""
    gravity: Array
    """(3,), unit vector."""
    obstacles: Obstacles

    def on_head(self, points: Array) -> Array:
        """Carry points of the rest head."""
        return points @ self.head[:, :3].T + self.head[:, 3]


def pose_hair(style: Hairstyle, around: Around) -> list[tuple[Array, Array]]:
    """Pose the hair: sheets of vertices and of places for its paint, (rows, columns, 3) each."""
    sheets = [_tail(style, around, root) for root in style.roots]
    return [*sheets, _curtain(style, around)] if style.span_rad else sheets


def _curtain(style: Hairstyle, around: Around) -> tuple[Array, Array]:
    share = np.linspace(1.0, -1.0, STRANDS)
    angles = share * style.span_rad
    carried = _on_skull(style, around.skull, angles)
    posed = around.on_head(carried)
    side = np.where(share > 0, *style.forward) * np.clip(np.abs(share) * 1.6 - 0.5, 0.0, 1.0)
    slide = np.stack([0.5 * share, 0.0 * share, np.where(np.abs(share) < 0.5, -1.0, side)], 1)
    steps = max(2, round(style.length_m / STEP_M))
    margin = style.stand_off_m * (0.5 + 0.3 * np.cos(7.0 * angles) ** 2)
    lengths = STEP_M * style.tips
    fallen = _fall(around, posed[-1], posed[-1] - posed[-2], slide, lengths, steps, margin)
    down = carried[-1, :, 1] - lengths * np.arange(1, steps + 1)[:, None]
    return np.concatenate([posed, fallen]), _places(
        0.09 * angles, np.concatenate([carried[..., 1], down])
    )


def _places(across: Array, along: Array) -> Array:
    """Lay places at the back of the head, so that streaks run along the strands."""
    across = np.broadcast_to(across, along.shape)
    return np.stack([across, along, np.full_like(along, -0.09)], -1).astype(np.float32)


def _on_skull(style: Hairstyle, skull: Array, angles: Array) -> Array:
    """Lay rows from the crown to the ears over a rest head: (rows, strands, 3).

    At the crown and at the front edges they lie below the cap.
    """
    middle = np.array([0.0, skull[:, 1].max() - 0.13, skull[:, 2].mean() - 0.02])
    offsets = skull - middle
    lengths = np.linalg.norm(offsets, axis=1)
    inner = np.clip((1.0 - np.abs(angles / angles[0])) / 0.15, 0.0, 1.0)
    rows = []
    for tilt, down in zip(
        np.radians(TILTS_DEG), np.linspace(0.0, 2.0, len(TILTS_DEG)), strict=True
    ):
        flat = np.cos(tilt)
        rays = np.stack(
            [flat * np.sin(angles), np.full_like(angles, np.sin(tilt)), -flat * np.cos(angles)], 1
        )
        nearest = (offsets @ rays.T / lengths[:, None]).argmax(0)
        off = style.stand_off_m * (0.5 + 0.6 * min(down, 1.0) * inner)
        rows.append(middle + rays * (lengths[nearest] + off)[:, None])
    return np.stack(rows)


def _fall(
    around: Around,
    points: Array,
    direction: Array,
    slide: Array,
    lengths: Array,
    steps: int,
    margin: Array | float,
) -> Array:
    """Compute how strands fall from their roots: (steps, strands, 3).

    Args:
        around: what they fall over.
        points: (strands, 3), starts.
        direction: (strands, 3), of the steps before.
        slide: (strands, 3), where to from what they lie on, in the chest's frame.
        lengths: (strands,), of a step, metres.
        steps: of every strand.
        margin: distance from what they lie on, metres.
    """
    slide, rows = SLIDE * lengths[:, None] * (slide @ around.chest.T), []
    for _ in range(steps):
        direction = _unit(LAG * _unit(direction) + (1.0 - LAG) * around.gravity)
        free = points + direction * lengths[:, None]
        pushed = around.obstacles.pushed(free, margin)
        lying = np.abs(pushed - free).max(1, keepdims=True) > 1e-4
        bent = points + _unit(pushed + lying * slide - points) * lengths[:, None]
        bent[1:-1] = (bent[:-2] + 2.0 * bent[1:-1] + bent[2:]) / 4.0
        bent = around.obstacles.pushed(bent, margin)
        direction, points = bent - points, bent
        rows.append(points)
    return np.stack(rows)


def _tail(style: Hairstyle, around: Around, root: Array) -> tuple[Array, Array]:
    """Build a tail: rings around one falling strand."""
    skull, radius = around.skull, style.radius_m
    tied = skull[((skull - root) ** 2).sum(1).argmin()]
    back = _unit((tied - skull.mean(0)) @ around.head[:, :3].T)
    start = around.on_head(tied) + 1.2 * radius * back
    slide = np.array([[6.0 * root[0], 0.0, style.forward[0]]])
    steps = max(3, round(style.length_m / STEP_M))
    fallen = _fall(around, start[None], back[None], slide, np.full(1, STEP_M), steps, radius)
    line = np.concatenate([[start - 1.5 * radius * back, start], fallen[:, 0]])
    share = np.linspace(0.0, 1.0, len(line))
    radii = radius * np.interp(share, *PROFILE)
    if style.knots:
        radii *= 0.85 + 0.2 * np.cos(2.0 * np.pi * style.knots * share * style.length_m)
    down = _unit(np.gradient(line, axis=0))
    across = _unit(np.cross(down, around.chest[:, 2]))
    angles = np.linspace(0.0, 2.0 * np.pi, AROUND)
    ring = across[:, None] * np.cos(angles)[:, None]
    ring = ring - np.cross(down, across)[:, None] * np.sin(angles)[:, None]
    along = np.broadcast_to((0.45 - share * style.length_m)[:, None], ring.shape[:2])
    return line[:, None] + ring * radii[:, None, None], _places(angles * radius, along)


def _unit(vectors: Array) -> Array:
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)
