"""Cameras: perspective projection, intrinsics, crops, pixels and NDC.

Camera frame as in OpenCV: x right, y down, z forward, metres. Pixels are continuous and the centre
of the first one lies at (0.5, 0.5). NDC spans [-1, 1] over the image, y down. Intrinsics hold
`[[fx, skew, cx], [0, fy, cy], [0, 0, 1]]` in pixels of the image they belong to.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def project_perspective(
    points: Float[Tensor, "*batch points 3"],
    intrinsics: Float[Tensor, "*batch 3 3"],
) -> Float[Tensor, "*batch points 2"]:
    """Project points through a pinhole.

    `u = (fx x + skew y) / z + cx`, `v = fy y / z + cy`. With fx = fy = 100, cx = 50, cy = 40 the
    point (1, 2, 4) falls on (75, 90). Points at z <= 0 give numbers without meaning.

    Args:
        points: metres, camera frame.
        intrinsics: pixels; the last row is taken to be (0, 0, 1).

    Returns:
        Pixels.
    """
    x, y, z = points.unbind(-1)
    entries = intrinsics[..., None, :, :]
    u = (entries[..., 0, 0] * x + entries[..., 0, 1] * y) / z + entries[..., 0, 2]
    v = entries[..., 1, 1] * y / z + entries[..., 1, 2]
    return torch.stack([u, v], dim=-1)


def pixels_to_ndc(
    pixels: Float[Tensor, "*batch 2"], size: tuple[int, int]
) -> Float[Tensor, "*batch 2"]:
    """Map pixels to NDC: `2 u / width - 1`, `2 v / height - 1`.

    In an image of 100 rows and 200 columns, pixel (50, 75) lies at (-0.5, 0.5). This is what
    `grid_sample` calls `align_corners=False`.

    Args:
        pixels: continuous; the image's corners are (0, 0) and (width, height).
        size: (height, width).
    """
    height, width = size
    return 2 * pixels / pixels.new_tensor([width, height]) - 1


def intrinsics_matrix(focal_px: float | int, size: tuple[int, int]) -> Float[Tensor, "3 3"]:
    """Build the intrinsics of a camera that looks through the centre of its image.

    Focal length 500 and an image of 100 rows and 200 columns:
    `[[500, 0, 100], [0, 500, 50], [0, 0, 1]]`.
    """
    height, width = size
    return torch.tensor(
        [[focal_px, 0.0, width / 2], [0.0, focal_px, height / 2], [0.0, 0.0, 1.0]],
        dtype=torch.float32,
    )


def crop_intrinsics(
    intrinsics: Float[Tensor, "*batch 3 3"],
    offset_xy: tuple[float | int, float | int],
    scale: float | int,
) -> Float[Tensor, "*batch 3 3"]:
    """Give the intrinsics of an image that is cut out and then resized.

    `K' = S(scale) T(-offset) K`: a principal point at (100, 50), cut at offset (20, 10) and
    enlarged twice, moves to (160, 80), and focal lengths double. Padding is a cut with a negative
    offset.

    Args:
        intrinsics: pixels of the whole image.
        offset_xy: where the cut's upper left corner lies, pixels of the whole image.
        scale: pixels of the result per pixel of the whole image.
    """
    across, down = offset_xy
    offset = intrinsics.new_tensor([[across], [down], [0.0]])
    zoom = intrinsics.new_tensor([[scale], [scale], [1.0]])
    return zoom * (intrinsics - offset * intrinsics[..., 2:, :])


def default_focal_px(image_size: tuple[int, int]) -> float:
    """Guess a focal length: the image's diagonal, a field of view of 53 degrees across it."""
    height, width = image_size
    return math.hypot(height, width)


def focal_from_fov(fov_rad: float, side_px: float | int) -> float:
    """Give the focal length, pixels, that shows an angle across a side: `side / 2 / tan(fov / 2)`.

    A right angle across 200 px: 100.
    """
    return side_px / 2 / math.tan(fov_rad / 2)
