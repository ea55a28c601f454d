"""What the network reads of a body: maps of numbers, all looked up in one visibility pass."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from ..body.view import BodyView
from ..conventions import DEPTH_LIMIT_M
from ..geometry.normals import vertex_normals
from ..geometry.rasterize import interpolate
from .openpose import draw_skeleton, keypoints18

LIMB_RADIUS = 4.0 / 512.0
"""Half the width of a limb in the network's skeleton, per pixel of the longer side."""


def mask_map(view: BodyView) -> Float[Tensor, "batch 1 height width"]:
    """Draw 1 where the body is seen, 0 elsewhere."""
    return view.visibility.mask[:, None].to(view.vertices.dtype)


def depth_map(view: BodyView) -> Float[Tensor, "batch 1 height width"]:
    """Draw z_rel: metres behind (+) or before (-) the pelvis, within ±1.5; 0 off the body."""
    relative = (view.visibility.depth - view.root_depth[:, None, None]).clamp(
        -DEPTH_LIMIT_M, DEPTH_LIMIT_M
    )
    return torch.where(view.visibility.mask, relative, 0.0)[:, None]


def normal_map(view: BodyView) -> Float[Tensor, "batch 3 height width"]:
    """Draw the outward unit normal in the camera frame; towards the camera is (0, 0, -1)."""
    normals = vertex_normals(view.vertices, view.faces)
    return _unit(_draw(view, normals))


def canonical_map(view: BodyView) -> Float[Tensor, "batch 3 height width"]:
    """Draw the place on the rest body of each seen point, about [-1, 1]; 0 off the body."""
    return _draw(view, view.canonical)


def skeleton_map(view: BodyView) -> Float[Tensor, "batch 3 height width"]:
    """Draw all 18 keypoints of OpenPose, hidden ones too, as the weights were trained.

    RGB in [0, 1] on black; limbs are 8 px wide where the longer side is 512.
    """
    keypoints = keypoints18(view)
    radius_px = max(LIMB_RADIUS * max(view.size), 1.0)
    return draw_skeleton(keypoints[..., :2], keypoints[..., 2] > 0, view.size, radius_px=radius_px)


def prior_maps(view: BodyView) -> dict[str, Tensor]:
    """Draw every map that the 2D prior reads; equal to the single functions, in one look-up."""
    normals = vertex_normals(view.vertices, view.faces)
    canonical = view.canonical.expand(len(view), -1, -1)
    drawn = _draw(view, torch.cat([normals, canonical], dim=-1))
    return {
        "mask": mask_map(view),
        "depth": depth_map(view),
        "normal": _unit(drawn[:, :3]),
        "canonical": drawn[:, 3:],
        "skeleton": skeleton_map(view),
    }


def _draw(view: BodyView, attributes: Tensor) -> Float[Tensor, "batch channels height width"]:
    """Look one value per vertex up at every pixel."""
    drawn = interpolate(view.visibility, view.faces, attributes)
    return rearrange(drawn, "b h w c -> b c h w").contiguous()


def _unit(vectors: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 3 height width"]:
    """Scale to length one; zero stays zero."""
    squares = vectors.square().sum(dim=1, keepdim=True)  # torch's norm takes five times as long
    return vectors * squares.clamp(min=1e-24).rsqrt()
