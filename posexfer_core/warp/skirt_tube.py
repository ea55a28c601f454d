"""A skirt as a garment of its own: a tube around both legs, from the hips down to its hem.

A body's surface has nothing between the legs, so that a shell alone parts a skirt with them. The
tube is the hull of both legs on the rest body, and moves as they do: its sides each with their own
leg, what lies before and behind with both (linear blend skinning). Legs below it are left out.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..body.view import BodyView

TOP = 0.03
"""Height of its upper edge on the rest body, canonical; that is inside the body."""
ROW, COLUMNS = 0.035, 48
SIDES = [COLUMNS // 4, 3 * COLUMNS // 4]
"""Columns at the left and the right side."""
SLAB = 0.03
"""Half the height of the part of the body that a ring is the hull of."""
FEWEST = 8
"""Vertices that a ring is the hull of, on coarse bodies from a higher part."""
EASE = 0.012
"""Distance from the body, canonical; about a centimetre."""
TUCKED = (0.9, 0.96, 0.99)
"""Size of the uppermost rings: cloth comes out of the body little by little."""
HANDED_OVER = (-0.02, -0.22)
"""Heights between which trunk hands over to thighs."""
KNEE = (-0.45, -0.6)
"""Heights between which thighs hand over to shins."""
NEAREST_M = 0.02
"""How far the upper edge may stand off: arms hang before the hips, where no outline is seen, and
what stands off at the hem alone would make a balloon of them."""
MIDDLE = 0.8
"""How far out, a share of the way to the middle of a leg, both legs move the cloth."""
INSIDE = 0.1
"""What of the legs is left out begins this far below the upper edge, canonical."""
OVERLAP = 0.05
"""And ends this far above the hem."""
LEGS = ("hip", "knee", "ankle")
MOVERS = ("pelvis", "l_hip", "l_knee", "r_hip", "r_knee")
"""Joints whose parts carry the cloth."""


def with_skirt(view: BodyView, hem: float) -> BodyView:
    """Add a skirt to a body in any pose; its vertices come after the body's own.

    Args:
        view: bodies of one topology.
        hem: height of the lower edge on the rest body, canonical, such as -0.5 at the knees.
    """
    rest, middles = rings(view, hem)
    heights, sides = rest[..., 1], rest[..., 0] >= 0.0
    parts = torch.where(sides, JOINT_INDEX["l_hip"], JOINT_INDEX["r_hip"])
    shins = torch.where(sides, JOINT_INDEX["l_knee"], JOINT_INDEX["r_knee"])
    parts = torch.where(heights < sum(KNEE) / 2, shins, parts)
    parts = torch.where(heights > sum(HANDED_OVER) / 2, JOINT_INDEX["pelvis"], parts)
    count = len(view.canonical)
    kept = view.faces[~_under(view, hem)[view.faces.long()].all(1)]
    details = view.detail_regressors.items()
    return replace(
        view,
        vertices=torch.cat([view.vertices, posed_rings(view, rest, middles)], 1),
        canonical=torch.cat([view.canonical, rest.flatten(0, 1)]),
        parts=torch.cat([view.parts, parts.flatten().to(view.parts)]),
        faces=torch.cat([kept, (_faces(len(rest)) + count).to(view.faces)]),
        detail_regressors={name: F.pad(one, (0, rest[..., 0].numel())) for name, one in details},
    )


def has_legs(view: BodyView) -> bool:
    """Tell whether a body has what carries a skirt; a bust has not."""
    return all(int((view.parts == JOINT_INDEX[name]).sum()) >= 4 for name in MOVERS)


def skirt_reach(
    places: Float[Tensor, "ring_vertices 3"], most: float
) -> Float[Tensor, "ring_vertices"]:
    """Bound how far a skirt may stand off: little at the hips, the more the lower, in metres.

    Args:
        places: of its vertices on the rest body.
        most: from where thighs move it.
    """
    return torch.lerp(
        torch.full_like(places[:, 1], NEAREST_M),
        torch.full_like(places[:, 1], most),
        _share(places[:, 1], TOP, HANDED_OVER[1]),
    )


def rings(
    view: BodyView, hem: float, row: float = ROW
) -> tuple[Float[Tensor, "rows columns 3"], Float[Tensor, "rows"]]:
    """Lay rings around the rest body, and tell how far out the middle of a leg is in each.

    Args:
        view: whose rest body it is.
        hem: height of the lowest, canonical.
        row: distance of one from the next, about.
    """
    places = view.canonical[_legs(view)]
    rows = max(len(TUCKED) + 2, round((TOP - hem) / row) + 1)
    heights = torch.linspace(TOP, hem, rows).to(places)
    angles = torch.arange(COLUMNS).to(places) * (2.0 * torch.pi / COLUMNS)
    directions = torch.stack([angles.sin(), angles.cos()], 1)
    cosines = directions @ directions.T
    laid, middles = [], []
    for number, height in enumerate(heights):
        away = (places[:, 1] - height).abs()
        near = places[away <= away.kthvalue(FEWEST).values.clamp(min=SLAB)][:, [0, 2]]
        middle = torch.stack([near.new_zeros(()), (near[:, 1].amax() + near[:, 1].amin()) / 2])
        reach = ((near - middle) @ directions.T).amax(0)
        bound = torch.where(cosines > 0.05, reach / cosines.clamp(min=0.05), torch.inf)
        radius = bound.amin(1) + EASE
        if number < len(TUCKED):
            radius = (radius - EASE) * TUCKED[number]
        x, z = (middle + radius[:, None] * directions).unbind(1)
        laid.append(torch.stack([x, height.expand_as(x), z], 1))
        middles.append(near[:, 0].abs().amax() / 2)
    return torch.stack(laid), torch.stack(middles)


def posed_rings(
    view: BodyView, rest: Float[Tensor, "rows columns 3"], middles: Float[Tensor, "rows"]
) -> Float[Tensor, "batch ring_vertices 3"]:
    """Move rings as pelvis, thighs and shins have moved, each by the nearest affine map."""
    ends = torch.cat([rest, torch.ones_like(rest[..., :1])], 2).flatten(0, 1)
    trunk, *legs = (ends @ _moved(view, name) for name in MOVERS)
    height = rest[..., 1].flatten()[:, None]
    to_shin, to_leg = _share(height, *KNEE), _share(height, *HANDED_OVER)
    left, right = (torch.lerp(legs[at], legs[at + 1], to_shin) for at in (0, 2))
    across = rest[..., 0] / (MIDDLE * middles[:, None])
    side = (0.5 + 0.5 * across).clamp(0.0, 1.0).flatten()[:, None]
    return torch.lerp(trunk, torch.lerp(right, left, side), to_leg)


def _moved(view: BodyView, joint: str) -> Float[Tensor, "batch 4 3"]:
    """Find the affine map from the rest body that moves a part best."""
    of_part = view.parts == JOINT_INDEX[joint]
    places = view.canonical[of_part]
    ends = torch.cat([places, torch.ones_like(places[:, :1])], 1)
    return torch.linalg.pinv(ends) @ view.vertices[:, of_part]


def _share(height: Tensor, top: float, bottom: float) -> Tensor:
    """Go smoothly from 0 at the top to 1 at the bottom."""
    share = ((top - height) / (top - bottom)).clamp(0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def _legs(view: BodyView) -> Bool[Tensor, "vertices"]:
    """Tell which vertices are of pelvis, belly and legs."""
    names = ["pelvis", "spine1", *(f"{side}_{name}" for side in "lr" for name in LEGS)]
    return torch.isin(view.parts, view.parts.new_tensor([JOINT_INDEX[name] for name in names]))


def _under(view: BodyView, hem: float) -> Bool[Tensor, "vertices"]:
    """Tell which vertices the skirt hides in any pose."""
    height = view.canonical[:, 1]
    return _legs(view) & (height < TOP - INSIDE) & (height > hem + OVERLAP)


def _faces(rows: int) -> Int[Tensor, "ring_faces 3"]:
    """Span triangles between rings, seen from outside."""
    start = torch.arange(rows - 1)[:, None] * COLUMNS
    column = torch.arange(COLUMNS)
    one, two = (start + column).flatten(), (start + (column + 1) % COLUMNS).flatten()
    upper = torch.stack([one, one + COLUMNS, two], 1)
    lower = torch.stack([two, one + COLUMNS, two + COLUMNS], 1)
    return torch.cat([upper, lower])
