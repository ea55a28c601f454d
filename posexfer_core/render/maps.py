"""Images of the body itself, all read from one visibility pass."""

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.view import BodyView
from ..conventions import DEPTH_LIMIT_M
from ..geometry.normals import vertex_normals
from ..geometry.rasterize import interpolate
from .openpose import draw_skeleton, keypoint_visibility, keypoints18


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
    """Draw where on the rest body each seen point lies, about [-1, 1]; 0 off the body."""
    return _draw(view, view.canonical)


def parts_map(view: BodyView) -> Int[Tensor, "batch height width"]:
    """Draw the joint (0 to 23) that moves the seen point most, -1 off the body."""
    visibility = view.visibility
    face = visibility.face_id.long().clamp(min=0)
    strongest = visibility.barycentric.argmax(dim=-1, keepdim=True)
    vertex = view.faces[face].gather(-1, strongest)[..., 0]
    return torch.where(visibility.mask, view.parts[vertex].long(), -1)


def skeleton_map(
    view: BodyView, *, occlusion: bool = False
) -> Float[Tensor, "batch 3 height width"]:
    """Draw the OpenPose skeleton, RGB in [0, 1] on black.

    Args:
        view: the bodies.
        occlusion: leave out keypoints that the body hides. Off by default: a 2D pose system
            draws hidden limbs too.
    """
    keypoints = keypoints18(view)
    shown: Bool[Tensor, "batch 18"] = keypoints[..., 2] > 0
    if occlusion:
        shown = keypoint_visibility(keypoints, view.visibility)
    return draw_skeleton(keypoints[..., :2], shown, view.size)


def prior_maps(view: BodyView) -> dict[str, Tensor]:
    """Draw every map that the 2D prior reads: mask, depth, normal, canonical, skeleton.

    One visibility pass and one look-up; equal to the single functions.
    """
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
