"""How far joints are from where they should be."""

import torch
from jaxtyping import Float
from torch import Tensor


def aligned_error_m(
    found: Float[Tensor, "people joints 3"], true: Float[Tensor, "people joints 3"]
) -> Float[Tensor, " people"]:
    """PA-MPJPE: mean joint distance after the best similarity (Umeyama, PAMI 1991), metres."""
    found, true = ((joints - joints.mean(1, keepdim=True)).double() for joints in (found, true))
    u, s, vt = torch.linalg.svd(found.mT @ true)
    sign = torch.ones_like(s)
    sign[:, 2] = torch.linalg.det(u @ vt).sign()
    scale = (s * sign).sum(-1) / found.square().sum((1, 2))
    moved = scale[:, None, None] * (found @ ((u * sign[:, None]) @ vt))
    return (moved - true).norm(dim=-1).mean(1).float()


def pelvis_error_m(
    found: Float[Tensor, "people joints 3"], true: Float[Tensor, "people joints 3"]
) -> Float[Tensor, " people"]:
    """MPJPE: mean joint distance with pelvis on pelvis, metres."""
    return ((found - found[:, :1]) - (true - true[:, :1])).norm(dim=-1).mean(1)
