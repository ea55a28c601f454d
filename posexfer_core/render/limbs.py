"""Limbs as lit cylinders in space, as SCAIL's video models read poses.

One colour a limb, warm on the person's right and cool on the left; nearer ones hide those behind
them, and distance darkens (arXiv:2512.05905; radius, colours and light as its code sets them).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..body.view import BodyView
from ..geometry.rasterize import interpolate, rasterize

LIMB_COLOURS = {
    ("neck", "r_shoulder"): (255, 0, 0),
    ("r_shoulder", "r_elbow"): (255, 85, 0),
    ("r_elbow", "r_wrist"): (255, 170, 0),
    ("neck", "l_shoulder"): (0, 255, 255),
    ("l_shoulder", "l_elbow"): (0, 170, 255),
    ("l_elbow", "l_wrist"): (0, 85, 255),
    ("neck", "r_hip"): (180, 255, 0),
    ("r_hip", "r_knee"): (0, 255, 0),
    ("r_knee", "r_ankle"): (0, 255, 85),
    ("neck", "l_hip"): (0, 0, 255),
    ("l_hip", "l_knee"): (85, 0, 255),
    ("l_knee", "l_ankle"): (170, 0, 255),
    ("neck", "head"): (150, 150, 150),
}
"""SMPL's joints that a limb joins → RGB, 0 to 255."""
RADIUS_M = 0.0215
AMBIENT, GLOSS, SHININESS = 0.3, 0.5, 32
FADE_M = 6.0
"""How far behind the farthest joint limbs are black."""
AROUND, ALONG = 20, 12
"""Corners of a cylinder's cross-section, and rings from tip to tip."""


def paint_limbs(
    people: Sequence[BodyView], everybody: Sequence[BodyView]
) -> Float[Tensor, "batch 3 height width"]:
    """Draw cylinders with round ends, RGB in [0, 1] on black.

    Args:
        people: the bodies to draw into the same images.
        everybody: those of all frames, so that distance darkens all alike.
    """
    view = people[0]
    joints = torch.tensor([[JOINT_INDEX[name] for name in limb] for limb in LIMB_COLOURS])
    ends = torch.cat([one.joints[:, joints.to(one.joints.device)] for one in people], 1)
    vertices, normals, faces = _cylinders(ends)
    seen = rasterize(vertices, faces, view.intrinsics, view.size)
    colours = torch.tensor(list(LIMB_COLOURS.values()) * len(people)).to(vertices) / 300.0 + 0.15
    colours = colours.repeat_interleave(len(vertices[0]) // len(colours), 0)
    attributes = torch.cat([normals, vertices, colours.expand_as(normals)], -1)
    depths = torch.cat([one.joints[..., 2].flatten() for one in everybody])
    near, far = depths.min(), depths.max() + FADE_M
    images = vertices.new_empty(len(vertices), 3, *view.size)
    for rows, part in seen.bands():
        drawn = interpolate(part, faces, attributes)
        normal, place, colour = (plane.movedim(-1, 1) for plane in drawn.split(3, -1))
        normal = F.normalize(normal, dim=1)
        half = F.normalize(
            F.normalize(-place, dim=1) + place.new_tensor([0, 0, -1])[:, None, None], dim=1
        )
        light = AMBIENT + (1.0 - AMBIENT) * (-normal[:, 2:]).clamp(min=0.0)
        shine = GLOSS * (normal * half).sum(1, keepdim=True).clamp(min=0.0) ** SHININESS
        fade = (1.0 - (place[:, 2:] - near) / far).clamp(0.0, 1.0)
        lit = fade * (colour * light + shine) * part.mask[:, None]
        images[..., rows, :] = lit.clamp(max=1.0)
    return images


def _cylinders(
    ends: Float[Tensor, "batch limbs 2 3"],
) -> tuple[
    Float[Tensor, "batch vertices 3"], Float[Tensor, "batch vertices 3"], Int[Tensor, "faces 3"]
]:
    """Build one mesh of all limbs: half a sphere around each end, joined along the limb.

    Returns:
        Vertices in the frame of the ends, outward unit normals, faces.
    """
    start, end = ends.unbind(2)
    axis = F.normalize(end - start, dim=-1)
    helper = F.one_hot(axis.abs().argmin(-1), 3).to(axis)
    side = F.normalize(torch.linalg.cross(axis, helper), dim=-1)
    frame = torch.stack([side, torch.linalg.cross(axis, side), axis], -2)
    across = torch.arange(AROUND).to(axis) * (2.0 * torch.pi / AROUND)
    ring = torch.arange(ALONG).to(axis).div(ALONG // 2 - 1).clamp(max=1.0)
    ring = torch.cat([ring[: ALONG // 2], 1.0 + ring[: ALONG // 2]]) * (torch.pi / 2)
    unit = torch.stack(
        [
            ring.sin()[:, None] * across.cos(),
            ring.sin()[:, None] * across.sin(),
            -ring.cos()[:, None].expand(-1, AROUND),
        ],
        -1,
    ).flatten(0, 1)
    normals = unit @ frame
    second = (torch.arange(len(unit), device=axis.device) >= len(unit) // 2)[:, None]
    vertices = RADIUS_M * normals + torch.where(second, end[..., None, :], start[..., None, :])
    corner = torch.arange(AROUND * (ALONG - 1), device=axis.device)
    beside = torch.where(corner % AROUND == AROUND - 1, corner + 1 - AROUND, corner + 1)
    quads = torch.cat(
        [
            torch.stack([corner, beside, beside + AROUND], -1),
            torch.stack([corner, beside + AROUND, corner + AROUND], -1),
        ]
    )
    first = len(unit) * torch.arange(ends.shape[1], device=axis.device)
    faces = (first[:, None, None] + quads).flatten(0, 1)
    return vertices.flatten(1, 2), normals.flatten(1, 2), faces
