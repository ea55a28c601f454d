"""The posed body blended over the image it was estimated from."""

import torch
from jaxtyping import Float
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
    colours = torch.tensor(COLOURS).to(image) / 127.5 - 1.0
    image = image.clone()
    for number, people in enumerate(points):
        for keypoint, (x, y, depth) in enumerate(people.tolist()):
            if depth > 0:
                hollow = 0.0 if seen[number, keypoint] else 0.5 * radius
                add_dot(image[number], (x, y), radius, hollow, colours[keypoint])
    return image


def add_dot(
    image: Float[Tensor, "3 height width"],
    place: tuple[float, float],
    radius_px: float,
    hollow_px: float,
    colour: Float[Tensor, "3"],
) -> None:
    """Draw an antialiased disc, or a ring, into an image."""
    reach = radius_px + 1.0
    rows, columns = (
        torch.arange(
            int(min(max(0.0, middle - reach), length)), int(min(max(0.0, middle + reach), length))
        )
        for middle, length in zip(place[::-1], image.shape[1:], strict=True)
    )
    if len(rows) == 0 or len(columns) == 0:
        return
    away = torch.hypot(columns + 0.5 - place[0], rows[:, None] + 0.5 - place[1]).to(image)
    cover = (radius_px + 0.5 - away).clamp(0.0, 1.0)
    if hollow_px > 0:
        cover -= (hollow_px + 0.5 - away).clamp(0.0, 1.0)
    window = image[:, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
    window += cover * (colour[:, None, None] - window)
