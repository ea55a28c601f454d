"""Which of the 24 parts each pixel shows, with borders as smooth as the skin they run over."""

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from ..body.view import BodyView

PARTS = 24
ROUNDS = 3
"""How often a vertex's share in a part is averaged with its neighbours' before borders are cut."""


def smooth_parts_map(view: BodyView) -> Int[Tensor, "batch height width"]:
    """Draw the joint (0 to 23) that moves the seen point most, -1 off the body.

    `maps.parts_map` gives a pixel the label of one vertex, so that borders follow the triangles;
    here shares in the parts are averaged over the mesh and blended within each triangle, and the
    border is where two of them are equal.
    """
    shares = part_shares(view.parts, view.faces)
    corners = shares[view.faces]
    labels = corners.argmax(dim=-1)
    pure = (labels == labels[:, :1]).all(dim=1)
    face = view.visibility.face_id.long()
    drawn = torch.where(face >= 0, labels[face.clamp(min=0), 0], -1)
    mixed = (face >= 0) & ~pure[face.clamp(min=0)]
    weights = view.visibility.barycentric[mixed].to(shares)
    blended = (weights[..., None] * corners[face[mixed]]).sum(dim=1)
    drawn[mixed] = blended.argmax(dim=-1)
    return drawn


def part_shares(
    parts: Int[Tensor, "vertices"], faces: Int[Tensor, "faces 3"]
) -> Float[Tensor, "vertices 24"]:
    """Average each vertex's part with its neighbours', a few times over.

    A vertex whose neighbours are all of its own part keeps share 1 in it.
    """
    shares = torch.nn.functional.one_hot(parts.long(), PARTS).float()
    start, end = (
        rearrange(torch.stack([faces[:, [0, 1, 2]], faces[:, [1, 2, 0]]]), "two f c -> two (f c)")
        .long()
        .unbind(0)
    )
    count = torch.ones(len(parts), 1, device=shares.device).index_add(
        0, torch.cat([start, end]), torch.ones(2 * len(start), 1, device=shares.device)
    )
    for _ in range(ROUNDS):
        total = shares.index_add(0, start, shares[end]).index_add(0, end, shares[start])
        shares = total / count
    return shares
