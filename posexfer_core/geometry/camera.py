"""Cameras: perspective, two weak perspectives, crops, pixels and NDC.

Camera frame as in OpenCV: x right, y down, z forward, metres. Pixels are continuous and the centre
of the first one lies at (0.5, 0.5). NDC spans [-1, 1] over the image, y down. Intrinsics hold
`[[fx, skew, cx], [0, fy, cy], [0, 0, 1]]` in pixels of the image they belong to.
"""

import numpy as np
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


def unproject_pixels(
    pixels: Float[Tensor, "*batch points 2"],
    depth: Float[Tensor, "*batch points"],
    intrinsics: Float[Tensor, "*batch 3 3"],
) -> Float[Tensor, "*batch points 3"]:
    """Find the point at a depth on the ray of each pixel; undoes `project_perspective`.

    With fx = fy = 100, cx = 50, cy = 40, pixel (75, 90) at 4 m is the point (1, 2, 4).

    Args:
        pixels: positions in the image.
        depth: z in the camera frame, metres (not the distance along the ray).
        intrinsics: pixels.
    """
    entries = intrinsics[..., None, :, :]
    y = (pixels[..., 1] - entries[..., 1, 2]) / entries[..., 1, 1]
    x = (pixels[..., 0] - entries[..., 0, 2] - entries[..., 0, 1] * y) / entries[..., 0, 0]
    return torch.stack([x * depth, y * depth, depth], dim=-1)


def project_weak_perspective(
    points: Float[Tensor, "*batch points 3"],
    camera: Float[Tensor, "*batch 3"],
) -> Float[Tensor, "*batch points 2"]:
    """Project points as if all lay at one depth, shifting them before scaling.

    `u = s (x + tx)`, `v = s (y + ty)`, as in HMR (arXiv:1712.06584), SPIN and HMR2. Others scale
    first (`project_scale_shift`); mixing the two moves a body by up to half the image. Camera
    (0.5, 1, -1) puts (1, 2, 7) at (1, 0.5).

    Args:
        points: metres, camera frame.
        camera: `(s, tx, ty)`: NDC per metre, then a shift in metres.

    Returns:
        NDC.
    """
    scale, shift = camera[..., None, :1], camera[..., None, 1:]
    return scale * (points[..., :2] + shift)


def project_scale_shift(
    points: Float[Tensor, "*batch points 3"],
    camera: Float[Tensor, "*batch 3"],
) -> Float[Tensor, "*batch points 2"]:
    """Project points as if all lay at one depth, shifting them after scaling.

    `u = s x + tx`, `v = s y + ty`, as in FrankMocap and UPGPT. Camera (0.5, 1, -1) puts (1, 2, 7)
    at (1.5, 0).

    Args:
        points: metres, camera frame.
        camera: `(s, tx, ty)`: NDC per metre, then a shift in NDC.

    Returns:
        NDC.
    """
    scale, shift = camera[..., None, :1], camera[..., None, 1:]
    return scale * points[..., :2] + shift


def crop_to_full_translation(
    camera: Float[Tensor, "*batch 3"],
    box_center: Float[Tensor, "*batch 2"],
    box_size: Float[Tensor, "*batch"],
    image_size: tuple[int, int],
    focal_px: Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch 3"]:
    """Turn a weak-perspective camera of a square crop into a translation for the whole image.

    With b the side of the box: `tz = 2 f / (b s)`, `tx' = tx + 2 (cx - W/2) / (b s)`, the same for
    y. Made for `s (x + tx)` cameras and a principal point at the centre of the image. A box of
    200 px at (500, 300) in an image of 400 rows and 800 columns, camera (1, 0, 0), f = 1000:
    (1, 1, 10).

    Args:
        camera: `(s, tx, ty)` of `project_weak_perspective` in the crop.
        box_center: pixels of the whole image.
        box_size: side of the square box, pixels of the whole image.
        image_size: (height, width) of the whole image.
        focal_px: focal length wanted for the whole image.

    Returns:
        Metres, to be added to body points before `project_perspective`.
    """
    height, width = image_size
    middle = torch.tensor([width / 2, height / 2], dtype=camera.dtype, device=camera.device)
    px_per_unit = box_size * camera[..., 0]
    shift = camera[..., 1:] + 2 * (box_center - middle) / px_per_unit[..., None]
    depth = 2 * focal_px / px_per_unit
    return torch.cat([shift, depth[..., None]], dim=-1)


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


def ndc_to_pixels(
    ndc: Float[Tensor, "*batch 2"], size: tuple[int, int]
) -> Float[Tensor, "*batch 2"]:
    """Map NDC to pixels; undoes `pixels_to_ndc`.

    In an image of 100 rows and 200 columns, (-0.5, 0.5) is pixel (50, 75).
    """
    height, width = size
    return (ndc + 1) / 2 * ndc.new_tensor([width, height])


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
    return float(np.hypot(height, width))
