"""The posed body blended over the image it was estimated from."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.view import BodyView
from .maps import normal_map
from .openpose import COLOURS, keypoint_visibility, keypoints18

AMBIENT = 0.35
COLOUR = (0.55, 0.75, 1.0)
"""Of the body, RGB in [0, 1]."""


def overlay_body(
    image: Float[Tensor, "batch 3 height width"],
    view: BodyView,
    *,
    opacity: float = 0.65,
    keypoints: bool = False,
) -> Float[Tensor, "batch 3 height width"]:
    """Blend the body, lit from the camera, over an image.

    Args:
        image: RGB in [-1, 1], of the view's size.
        view: the bodies, one for each image.
        opacity: 0 shows the image alone, 1 hides it under the body.
        keypoints: add OpenPose's keypoints as dots; hollow where the body hides them.

    Returns:
        RGB in [-1, 1].
    """
    facing = -normal_map(view)[:, 2:].clamp(max=0.0)
    shade = AMBIENT + (1.0 - AMBIENT) * facing
    body = 2.0 * shade * image.new_tensor(COLOUR)[:, None, None] - 1.0
    alpha = opacity * view.visibility.mask[:, None].to(image.dtype)
    blended = image + alpha * (body - image)
    return _add_dots(blended, view) if keypoints else blended


def _add_dots(
    image: Float[Tensor, "batch 3 height width"], view: BodyView
) -> Float[Tensor, "batch 3 height width"]:
    """Draw each keypoint in its colour, a ring only where the body hides it."""
    points = keypoints18(view)
    seen = keypoint_visibility(points, view.visibility)
    radius = max(0.008 * max(view.size), 2.0)
    ahead = points[..., 2] > 0
    colours = torch.tensor(COLOURS).to(image) / 127.5 - 1.0
    rings = draw_discs(points[..., :2], ahead, radius, view.size)
    holes = draw_discs(points[..., :2], ahead & ~seen, 0.5 * radius, view.size)
    for keypoint in range(points.shape[1]):
        cover = (rings[:, keypoint] - holes[:, keypoint])[:, None]
        image = image + cover * (colours[keypoint, :, None, None] - image)
    return image


def draw_discs(
    pixels: Float[Tensor, "batch points 2"],
    shown: Bool[Tensor, "batch points"],
    radius_px: float,
    size: tuple[int, int],
) -> Float[Tensor, "batch points height width"]:
    """Draw the share of each pixel that an antialiased disc around each point covers."""
    height, width = size
    rows = torch.arange(height, device=pixels.device)[:, None] + 0.5
    columns = torch.arange(width, device=pixels.device)[None, :] + 0.5
    away = torch.hypot(columns - pixels[..., 0, None, None], rows - pixels[..., 1, None, None])
    return (radius_px + 0.5 - away).clamp(0.0, 1.0) * shown[..., None, None]
