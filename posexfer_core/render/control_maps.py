"""Maps painted as today's control models were trained to read them, RGB in [0, 1]."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ..body.view import BodyView
from .maps import canonical_map, mask_map, normal_map
from .openpose import draw_skeleton, keypoint_visibility, keypoints18
from .part_labels import PARTS, smooth_parts_map

Hiding = Literal["face", "everything", "nothing"]
Axes = Literal["red left", "red right"]
Greys = Literal["body", "scene"]
Limbs = Literal["standard", "wide"]

FARTHEST = 0.25
"""Grey of the body's farthest point in a depth image; the background is black."""
FLAT = (0.5, 0.5, 1.0)
"""Background of a normal image: a wall that faces the camera."""
FACE = (0, 14, 15, 16, 17)
"""Nose, eyes and ears among OpenPose's keypoints."""
FACE_TOLERANCE_M = 0.03
"""How far behind what is seen a point of the face may lie; unlike joints they lie on the skin."""
LIMB_RADIUS = 4.0
"""Half the width of OpenPose's limbs, pixels, where the shorter side is 512."""


def paint_mask(view: BodyView) -> Float[Tensor, "batch 3 height width"]:
    """White on black."""
    return mask_map(view).expand(-1, 3, -1, -1)


def disparity_map(view: BodyView) -> Float[Tensor, "batch height width"]:
    """Draw 1 / z, per metre; 0 off the body, as if what lies behind it were infinitely far."""
    seen = 1.0 / view.visibility.depth.clamp(min=1e-3)
    return torch.where(view.visibility.mask, seen, 0.0)


def grey_depth(
    disparity: Float[Tensor, "batch height width"], *, greys: Greys = "body"
) -> Float[Tensor, "batch 3 height width"]:
    """Turn 1 / z into grey, the nearest point of all frames white, the background black.

    One scale for the whole batch, so that a sequence does not flicker. With points at 2 m and 4 m,
    "body" gives 1 and 0.25, "scene" gives 1 and 0.5.

    Args:
        disparity: from `disparity_map`.
        greys: "body" spreads the greys from `FARTHEST` to white over the bodies; "scene" goes
            from white at the nearest point to black at infinity, as an estimator sees a person
            before a far background.
    """
    mask = disparity > 0
    if not bool(mask.any()):
        return disparity[:, None].expand(-1, 3, -1, -1)
    near = disparity.max()
    if greys == "scene":
        return (disparity / near)[:, None].expand(-1, 3, -1, -1)
    far = disparity[mask].min()
    share = (disparity - far) / (near - far).clamp(min=1e-9)
    grey = torch.where(mask, FARTHEST + (1.0 - FARTHEST) * share, 0.0)
    return grey[:, None].expand(-1, 3, -1, -1)


def paint_depth(view: BodyView) -> Float[Tensor, "batch 3 height width"]:
    """Paint near white and far grey, even in 1 / z, as MiDaS and Depth Anything do."""
    return grey_depth(disparity_map(view))


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
    hue = torch.arange(PARTS, device=view.vertices.device) * 0.618034 % 1.0
    turns = torch.stack([hue, hue + 1 / 3, hue + 2 / 3], dim=1)
    palette = 0.55 + 0.4 * torch.cos(2 * torch.pi * turns)
    labels = smooth_parts_map(view)
    return palette[labels.clamp(min=0)].movedim(-1, 1) * (labels >= 0)[:, None]


def limb_radius(size: tuple[int, int], limbs: Limbs = "standard") -> float:
    """Give half the width of a limb and the radius of a keypoint, pixels.

    Detectors draw 4 px into an image whose shorter side is 512, and the image is resized to
    what is drawn: "standard" is 4 px at 512x768 and 8 px at 1024x1024. xinsir's SDXL models were
    trained on wider limbs, `4 * min(2 + longer // 1000, 7)` px from 500 px on: "wide" is 8 px at
    512x768 and 12 px at 1024x1024.
    """
    if limbs == "standard":
        return max(LIMB_RADIUS * min(size) / 512.0, 1.0)
    longer = max(size)
    return LIMB_RADIUS * (1 if longer < 500 else min(2 + longer // 1000, 7))


def paint_openpose(
    view: BodyView, *, hiding: Hiding = "face", limbs: Limbs = "standard"
) -> Float[Tensor, "batch 3 height width"]:
    """Draw OpenPose's 18 keypoints in its colours and widths, on black.

    Args:
        view: the bodies.
        hiding: "face" leaves out nose, eyes and ears that the body hides, as detectors do for
            people seen from the side or from behind; "everything" leaves out joints that the body
            hides too, "nothing" draws all that lies before the camera.
        limbs: see `limb_radius`.
    """
    keypoints = keypoints18(view)
    shown = keypoints[..., 2] > 0
    if hiding == "everything":
        shown = keypoint_visibility(keypoints, view.visibility)
    if hiding != "nothing":
        face = keypoint_visibility(keypoints, view.visibility, tolerance_m=FACE_TOLERANCE_M)
        shown[:, list(FACE)] &= face[:, list(FACE)]
    return draw_skeleton(keypoints[..., :2], shown, view.size, radius=limb_radius(view.size, limbs))


PAINTERS: dict[str, Callable[[BodyView], Tensor]] = {
    "depth": paint_depth,
    "normal": paint_normal,
    "openpose": paint_openpose,
    "mask": paint_mask,
    "parts": paint_parts,
    "canonical": paint_canonical,
}
"""Map → its painter, with the usual conventions."""
