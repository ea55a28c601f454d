"""Colours for what neither a place nor its like shows: those shown nearest along its limb.

Garments end across a limb: a place at the same height, all around, wears the same one. Distances
therefore count lengthwise more than around.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.joints import JOINT_INDEX, MIRRORED_JOINTS, TRUNK_WITHOUT_HEAD
from ..body.view import BodyView
from .counterparts import part_distances
from .mesh_smoothing import spread

LENGTHWISE = 4.0
"""Weight of distances along a limb, or along the trunk, against those around."""
BONE = 0.25
"""What a bone in between counts as, canonical."""
DOUBT = 0.1
"""What a colour without confidence counts as: places seen aslant show what is beside them."""
APART = 1.5
"""What it counts to take skin for a garment or hair, or anything else for a face."""
NEIGHBOURS = 25
STIFFNESS, GUESS = 0.02, 0.03
"""Weights of smoothness and of what is guessed, against what is known."""
CLOSE = 0.02
"""Distance below which neighbours weigh alike; beyond it by the inverse square."""
MOST_KNOWN = 1500
"""Places asked at most, evenly chosen."""
EXACT = "donot_use_mm_for_euclid_dist"
"""How distances are computed: a matrix product would cancel digits."""
ARMS = tuple(
    JOINT_INDEX[f"{side}_{name}"]
    for side in "lr"
    for name in ("shoulder", "elbow", "wrist", "hand")
)
COVERED = (*TRUNK_WITHOUT_HEAD, JOINT_INDEX["head"])
"""Parts that skin does not spread to."""


def fill_surface(
    colours: Float[Tensor, "vertices 3"],
    confidence: Float[Tensor, "vertices"],
    view: BodyView,
    face: Bool[Tensor, "vertices"],
    skin: Bool[Tensor, "vertices"],
    bare: Bool[Tensor, "vertices"],
    table: Int[Tensor, "vertices most"],
) -> Float[Tensor, "vertices 3"]:
    """Give unknown vertices the mean colour of the nearest known ones; 0 where none is known.

    They then run into what is known beside them, within an edge or two of the mesh.

    Args:
        colours: of the vertices.
        confidence: in them; 0 where they are not known.
        view: whose rest body is looked at.
        face: the vertices of the face, which ask each other.
        skin: whose colours go neither to the trunk nor behind a face while there are others.
        bare: where the trunk is, all around.
        table: each vertex's neighbours.
    """
    own, unknown = (confidence > 0).nonzero()[:, 0], (confidence <= 0).nonzero()[:, 0]
    if len(own) == 0 or len(unknown) == 0:
        return torch.where(confidence[:, None] > 0, colours, 0.0)
    own = own[:: -(-len(own) // MOST_KNOWN)]
    places, parts = _unrolled(view), view.parts.long()
    mirrored = torch.from_numpy(MIRRORED_JOINTS).to(parts.device)
    parts = torch.minimum(parts, mirrored[parts])
    distances = torch.cdist(places[unknown], places[own], compute_mode=EXACT)
    distances += BONE * part_distances().to(places)[parts[unknown]][:, parts[own]]
    distances += DOUBT * (1.0 - confidence[own])
    covered = torch.isin(view.parts, view.parts.new_tensor(COVERED)) & ~face & ~bare
    skinny, faces = skin[own].nonzero()[:, 0], face[unknown].nonzero()[:, 0]
    distances[:, skinny] += APART * covered[unknown].to(distances)[:, None]
    distances[faces] += APART * (~face[own]).to(distances)
    away, nearest = distances.topk(min(NEIGHBOURS, len(own)), largest=False)
    weights = (away + CLOSE).pow(-2)[..., None]
    filled = colours.clone()
    filled[unknown] = (colours[own][nearest] * weights).sum(1) / weights.sum(1)
    data = torch.where(confidence > 0, 1.0, GUESS)
    return spread(filled, data, table, stiffness=STIFFNESS, start=filled, iterations=30)


def _unrolled(view: BodyView) -> Float[Tensor, "vertices 3"]:
    """Scale the rest body so that distances along limbs count more; left lies on right."""
    across = torch.isin(view.parts, view.parts.new_tensor(ARMS))[:, None]
    x, y, z = view.canonical.split(1, 1)
    arms, others = (LENGTHWISE * x, y, 0.5 * z), (x, LENGTHWISE * y, 0.5 * z)
    places = torch.where(across, torch.cat(arms, 1), torch.cat(others, 1))
    return torch.cat([places[:, :1].abs(), places[:, 1:]], 1)
