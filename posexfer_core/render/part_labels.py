"""Labels of the 24 parts, with borders that do not follow the triangles."""

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from ..body.view import BodyView
from ..conventions import JOINT_COUNT

ROUNDS = 3
"""Rounds of averaging a vertex's shares with its neighbours'."""


def parts_map(view: BodyView) -> Int[Tensor, "batch height width"]:
    """Label each pixel with the joint (0 to 23) that moves the seen point most; -1 off the body.

    Shares in the parts are averaged over the mesh and blended within each triangle; the border is
    where two of them are equal. Labels of single vertices would draw the triangles' outlines.
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
    """Average each vertex's one-hot part with its neighbours', `ROUNDS` times.

    A vertex whose neighbours are all of its own part keeps share 1 in it.
    """
    shares = torch.nn.functional.one_hot(parts.long(), JOINT_COUNT).float()
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
