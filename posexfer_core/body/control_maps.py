"""Maps painted as today's control models were trained to read them, RGB in [0, 1]."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from .maps import canonical_map, mask_map, normal_map, parts_map, skeleton_map
from .skeleton import draw_skeleton, keypoint_visibility, keypoints18
from .view import BodyView

Hiding = Literal["face", "everything", "nothing"]
Axes = Literal["red left", "red right"]

FARTHEST = 0.25
"""Grey of the body's farthest point in a depth picture; the background is black."""
FLAT = (0.5, 0.5, 1.0)
"""Background of a normal picture: a wall that faces the camera."""
FACE = (0, 14, 15, 16, 17)
"""Nose, eyes and ears among OpenPose's keypoints."""


def paint_mask(view: BodyView) -> Float[Tensor, "batch 3 height width"]:
    """White on black."""
    return mask_map(view).expand(-1, 3, -1, -1)


def paint_depth(view: BodyView) -> Float[Tensor, "batch 3 height width"]:
    """Paint near white and far grey, even in 1 / z, as MiDaS and Depth Anything do.

    One scale for the whole batch, so that a sequence does not flicker.
    """
    mask = view.visibility.mask
    disparity = torch.where(mask, 1.0 / view.visibility.depth.clamp(min=1e-3), 0.0)
    if not bool(mask.any()):
        return disparity[:, None].expand(-1, 3, -1, -1)
    near, far = disparity[mask].max(), disparity[mask].min()
    share = (disparity - far) / (near - far).clamp(min=1e-9)
    grey = torch.where(mask, FARTHEST + (1.0 - FARTHEST) * share, 0.0)
    return grey[:, None].expand(-1, 3, -1, -1)


def paint_normal(
    view: BodyView, *, axes: Axes = "red left"
) -> Float[Tensor, "batch 3 height width"]:
    """Paint blue towards the camera and green up.

    Args:
        view: the bodies.
        axes: "red left" is ScanNet's, which ControlNet 1.1's normal model was trained on;
            "red right" is that of OpenGL and of most renderers.
    """
    signs = view.vertices.new_tensor([-1.0 if axes == "red left" else 1.0, -1.0, -1.0])
    painted = 0.5 + 0.5 * signs[:, None, None] * normal_map(view)
    flat = painted.new_tensor(FLAT)[:, None, None]
    return torch.where(view.visibility.mask[:, None], painted, flat)


def paint_canonical(view: BodyView) -> Float[Tensor, "batch 3 height width"]:
    """Red, green and blue for x, y and z on the rest body; one colour per place of the skin."""
    return (0.5 + 0.45 * canonical_map(view)).clamp(0.0, 1.0) * mask_map(view)


def paint_parts(view: BodyView) -> Float[Tensor, "batch 3 height width"]:
    """One colour for each of the 24 parts, far apart in hue for neighbours."""
    hue = torch.arange(24, device=view.vertices.device) * 0.618034 % 1.0
    turns = torch.stack([hue, hue + 1 / 3, hue + 2 / 3], dim=1)
    palette = 0.55 + 0.4 * torch.cos(2 * torch.pi * turns)
    labels = parts_map(view)
    return palette[labels.clamp(min=0)].movedim(-1, 1) * (labels >= 0)[:, None]


def paint_openpose(
    view: BodyView, *, hiding: Hiding = "face"
) -> Float[Tensor, "batch 3 height width"]:
    """Draw OpenPose's 18 keypoints in its colours and widths, on black.

    Args:
        view: the bodies.
        hiding: "face" leaves out nose, eyes and ears that the head hides, as detectors do for
            people seen from behind; "everything" leaves out all that the body hides, "nothing"
            draws all that lies before the camera.
    """
    if hiding != "face":
        return skeleton_map(view, occlusion=hiding == "everything")
    keypoints = keypoints18(view)
    shown = keypoints[..., 2] > 0
    face = list(FACE)
    shown[:, face] &= keypoint_visibility(keypoints, view.visibility)[:, face]
    return draw_skeleton(keypoints[..., :2], shown, view.size)


PAINTERS: dict[str, Callable[[BodyView], Tensor]] = {
    "depth": paint_depth,
    "normal": paint_normal,
    "openpose": paint_openpose,
    "mask": paint_mask,
    "parts": paint_parts,
    "canonical": paint_canonical,
}
"""Map → its painter, with the usual conventions."""
