"""OpenPose's 18 keypoints of a body, and the coloured skeleton that 2D pose systems draw."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.joints import JOINT_INDEX, OPENPOSE18
from ..body.view import BodyView
from ..geometry.camera import project_perspective
from ..geometry.rasterize import Visibility

NECK, RIGHT_SHOULDER, LEFT_SHOULDER = 1, 2, 5

LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
    (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""Keypoints that each limb joins, in the order they are drawn."""

COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
"""Colour of keypoint i, and at `LIMB_BRIGHTNESS` of limb i; RGB, 0 to 255."""

LIMB_BRIGHTNESS = 0.6

Colours = Sequence[tuple[float, ...]]
"""RGB, 0 to 255."""


class Skeleton(NamedTuple):
    """Which keypoints are joined, and in what colours."""

    limbs: Sequence[tuple[int, int]]
    limb_colours: Colours
    dot_colours: Colours


BODY = Skeleton(
    LIMBS, [tuple(LIMB_BRIGHTNESS * v for v in colour) for colour in COLOURS[: len(LIMBS)]], COLOURS
)
FAR_PX = 1e6
"""Keypoints farther than this from the image's corner are not drawn: float32 cannot tell where
their limbs cross the image."""
NEAR_PX = 1.5


def keypoints18(view: BodyView) -> Float[Tensor, "batch 18 3"]:
    """Project the keypoints: x, y in pixels and z in metres along the camera axis.

    The neck is the middle of the shoulders; nose, eyes and ears are vertices, all others joints.
    """
    points = view.joints.new_empty(len(view), len(OPENPOSE18), 3)
    for keypoint, name in enumerate(OPENPOSE18):
        if name in JOINT_INDEX:
            points[:, keypoint] = view.joints[:, JOINT_INDEX[name]]
        else:
            points[:, keypoint] = view.vertices[:, view.keypoint_vertices[name.replace("_", "")]]
    points[:, NECK] = (points[:, RIGHT_SHOULDER] + points[:, LEFT_SHOULDER]) / 2
    pixels = project_perspective(points, view.intrinsics)
    return torch.cat([pixels, points[..., 2:]], dim=-1)


def keypoint_visibility(
    keypoints: Float[Tensor, "batch points 3"], visibility: Visibility, *, tolerance_m: float = 0.12
) -> Bool[Tensor, "batch points"]:
    """Tell which keypoints nothing hides.

    Args:
        keypoints: x, y in pixels, z in metres, as `keypoints18` gives them.
        visibility: what the image sees.
        tolerance_m: how deep under the surface a keypoint may lie; joints lie inside the body.

    Returns:
        True where the keypoint lies before the camera and at most that far behind what is seen;
        outside the image nothing is known, and nothing hides it.
    """
    height, width = visibility.depth.shape[-2:]
    limits = keypoints.new_tensor([width, height])
    inside = ((keypoints[..., :2] >= 0) & (keypoints[..., :2] < limits)).all(dim=-1)
    column, row = torch.where(inside[..., None], keypoints[..., :2], 0.0).long().unbind(-1)
    batch = torch.arange(len(keypoints), device=keypoints.device)[:, None]
    seen = visibility.depth[batch, row, column]
    in_front = keypoints[..., 2] - seen <= tolerance_m
    return (keypoints[..., 2] > 0) & (in_front | ~inside)


def draw_skeleton(
    pixels: Float[Tensor, "batch 18 2"],
    shown: Bool[Tensor, "batch 18"],
    size: tuple[int, int],
    *,
    radius_px: float,
) -> Float[Tensor, "batch 3 height width"]:
    """Draw limbs as antialiased ellipses, then keypoints as discs, RGB in [0, 1] on black.

    Args:
        pixels: keypoints, in the order of `OPENPOSE18`.
        shown: keypoints to draw, as far as they are finite and within `FAR_PX`; a limb is drawn
            when both of its ends are.
        size: `(height, width)` of the image, pixels.
        radius_px: half the width of a limb and the radius of a keypoint.
    """
    images = pixels.new_zeros(len(pixels), 3, *size)
    draw_over(images, pixels, shown, BODY, limb_px=radius_px, dot_px=radius_px)
    return images


def draw_over(
    images: Float[Tensor, "batch 3 height width"],
    pixels: Float[Tensor, "batch points 2"],
    shown: Bool[Tensor, "batch points"],
    skeleton: Skeleton,
    *,
    limb_px: float,
    dot_px: float,
) -> None:
    """Draw a skeleton into images; see `draw_skeleton`.

    Args:
        images: RGB in [0, 1].
        pixels: keypoints, in the skeleton's order.
        shown: keypoints to draw.
        skeleton: limbs and colours.
        limb_px: half the width of a limb.
        dot_px: radius of a keypoint.
    """
    ellipses, drawn = _ellipses(pixels.detach(), shown, skeleton.limbs, limb_px, dot_px)
    colours = torch.tensor([*skeleton.limb_colours, *skeleton.dot_colours]).to(pixels) / 255.0
    for image, shapes, visible in zip(images, ellipses.tolist(), drawn.tolist(), strict=True):
        for shape, colour, here in zip(shapes, colours, visible, strict=True):
            if here:
                _paint(image, shape, colour)


def _ellipses(
    pixels: Float[Tensor, "batch points 2"],
    shown: Bool[Tensor, "batch points"],
    limbs: Sequence[tuple[int, int]],
    limb_px: float,
    dot_px: float,
) -> tuple[Float[Tensor, "batch shapes 6"], Bool[Tensor, "batch shapes"]]:
    """Describe limbs and keypoints alike, and which of them are drawn.

    Returns:
        Centre xy, direction xy, half length and half width, pixels; all finite.
    """
    shown = shown & (pixels.abs() < FAR_PX).all(dim=-1)  # false of NaN
    pixels = torch.where(shown[..., None], pixels, 0.0)
    first, second = torch.tensor(limbs, dtype=torch.long, device=pixels.device).reshape(-1, 2).T
    start, end = pixels[:, first], pixels[:, second]
    along = end - start
    length = along.norm(dim=-1, keepdim=True)
    across = torch.tensor([1.0, 0.0]).to(pixels)
    direction = torch.where(length > 1e-6, along / length.clamp(min=1e-6), across)
    half_width = torch.full_like(length, limb_px)
    sticks = torch.cat([(start + end) / 2, direction, (length / 2).clamp(min=1.0), half_width], -1)
    half = torch.full_like(pixels[..., :1], dot_px)
    dots = torch.cat([pixels, across.expand_as(pixels), half, half], -1)
    drawn = torch.cat([shown[:, first] & shown[:, second], shown], dim=1)
    return torch.cat([sticks, dots], dim=1), drawn


def _paint(
    image: Float[Tensor, "3 height width"], ellipse: list[float], colour: Float[Tensor, "3"]
) -> None:
    """Blend an ellipse over an image, in place, visiting only the pixels near it.

    The distance to an ellipse with half axes a, b is taken as `k (k - 1) / |g|` with
    `k = |(u / a, v / b)|` and `g = (u / a², v / b²)`: exact on the outline, right to first order
    near it, which is where antialiasing looks. Beyond the tip of a long ellipse it is too small:
    nothing is drawn more than `NEAR_PX` outside of the ellipse's bounding box.
    """
    cx, cy, dx, dy, a, b = ellipse
    rows = _pixels_within(cy, math.hypot(a * dy, b * dx) + NEAR_PX, image.shape[1])
    columns = _pixels_within(cx, math.hypot(a * dx, b * dy) + NEAR_PX, image.shape[2])
    if not (rows and columns):
        return
    y = torch.arange(rows.start, rows.stop, device=image.device)[:, None] + 0.5 - cy
    x = torch.arange(columns.start, columns.stop, device=image.device) + 0.5 - cx
    u, v = (x * dx + y * dy) / a, (y * dx - x * dy) / b
    k = torch.sqrt(u * u + v * v)
    slope = torch.sqrt((u / a) ** 2 + (v / b) ** 2).clamp(min=1e-9)
    cover = torch.where(k < 1e-4, 1.0, (0.5 - k * (k - 1.0) / slope).clamp(0.0, 1.0))
    seen = image[:, rows.start : rows.stop, columns.start : columns.stop]
    seen += cover * (colour[:, None, None] - seen)


def _pixels_within(centre: float, reach: float, length: int) -> range:
    """Give the pixels whose middle lies within reach along one axis."""
    first, last = math.ceil(centre - reach - 0.5), math.floor(centre + reach - 0.5)
    return range(max(first, 0), min(last, length - 1) + 1)
