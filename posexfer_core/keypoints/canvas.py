"""From the coordinates of a keypoint file to pixels of the image that it was made from.

Detectors see a canvas: the image, resized by `s`, and by some tools (sd-webui-controlnet,
comfyui_controlnet_aux) padded on the right and below to multiples of 64 pixels. 600x700 at 512
pixels is 512x597, padded 512x640: pixels of that canvas times 600/512 on both axes are the image's.
Others (YOLO's letterbox) pad both sides alike, to multiples of 32: 600x700 in 640x640 is 549x640 in
the middle, so that 46 pixels are taken from x first.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

PADDED_TO = 64
"""Sides of padded canvases are multiples of this."""
BOXED_TO = 32
"""Sides of letterboxes are multiples of this."""
ROUNDING_PX = 1.0
"""By which a side of a resized image may be off."""


class PixelsPerUnit(NamedTuple):
    """What turns a file's coordinates into pixels of the image: `(xy - origin) * factors`."""

    factors: Float[ndarray, " 2"]
    doubt: str = ""
    """What was assumed, with the numbers, where the file leaves it open."""
    origin: Float[ndarray, " 2"] | float = 0.0
    """Where the image begins in the canvas, in the file's unit."""


def pixels_of_canvas(
    seen: Float[ndarray, "seen 2"], canvas: tuple[int, int], image: tuple[int, int]
) -> PixelsPerUnit:
    """Return the factors for coordinates in pixels of a canvas.

    Args:
        seen: the coordinates.
        canvas: its height and width, as the file gives them.
        image: height and width of the image, pixels.
    """
    stretched = np.array(image[::-1]) / canvas[::-1]
    if _same_aspect(canvas, image):
        return PixelsPerUnit(stretched)
    sizes = (
        f"The keypoints are in pixels of a canvas of {canvas[1]}x{canvas[0]} (width x height), the "
        f"image is {image[1]}x{image[0]}, of another aspect."
    )
    if _same_aspect((canvas[1], canvas[0]), image) and (seen <= canvas).all():
        factors = np.array(image[::-1]) / canvas
        return PixelsPerUnit(
            factors,
            f"{sizes} Its width and height are taken for exchanged: both axes are scaled by "
            f"{factors[0]:.4g}.",
        )
    scale = _padded_scale(canvas, image)
    if scale is None and (origin := _letterbox(seen, canvas, image)) is not None:
        factor = max(stretched)
        return PixelsPerUnit(
            np.full(2, factor),
            f"{sizes} It is taken for the image in the middle of that canvas, {origin[0]:.4g} px "
            f"from the left and {origin[1]:.4g} px from the top, and both axes are scaled by "
            f"{factor:.4g}; stretched it would be {stretched[0]:.4g} and {stretched[1]:.4g}.",
            origin,
        )
    if scale is None:
        return PixelsPerUnit(
            stretched,
            f"{sizes} x is scaled by {stretched[0]:.4g} and y by {stretched[1]:.4g}, as if it had "
            "been stretched; check that the file is of this image.",
        )
    return PixelsPerUnit(
        np.full(2, 1.0 / scale),
        f"{sizes} It is taken for the image padded to multiples of {PADDED_TO}, and both axes are "
        f"scaled by {1.0 / scale:.4g}; stretched it would be {stretched[0]:.4g} and "
        f"{stretched[1]:.4g}.",
    )


def pixels_of_shares(
    seen: Float[ndarray, "seen 2"], canvas: tuple[int, int] | None, image: tuple[int, int]
) -> PixelsPerUnit:
    """Return the factors for coordinates from 0 to 1.

    comfyui_controlnet_aux writes shares of the padded canvas beside the size that the canvas has
    without the padding: the image, resized so that its shorter side is a multiple of 64.

    Args:
        seen: the coordinates.
        canvas: as the file gives it, if it does.
        image: height and width of the image, pixels.
    """
    whole = np.array(image[::-1], np.float64)
    if canvas is None or canvas == image:
        return PixelsPerUnit(whole)
    if not _same_aspect(canvas, image):
        found = pixels_of_canvas(seen * canvas[::-1], canvas, image)
        return PixelsPerUnit(
            found.factors * canvas[::-1], found.doubt, found.origin / np.array(canvas[::-1])
        )
    padded = tuple(map(_padded, canvas))
    filled = np.array(canvas[::-1]) / padded[::-1]
    if min(canvas) % PADDED_TO or padded == canvas or not (seen <= filled).all():
        return PixelsPerUnit(whole)
    factors = np.array(padded[::-1]) * (min(image) / min(canvas))
    return PixelsPerUnit(
        factors,
        f"The keypoints are shares of a canvas of {canvas[1]}x{canvas[0]} (width x height), the "
        f"image is {image[1]}x{image[0]}. They are taken for shares of the canvas padded to "
        f"{padded[1]}x{padded[0]}: x is {factors[0]:.4g} px a unit and y {factors[1]:.4g}; "
        f"without padding {whole[0]:.4g} and {whole[1]:.4g}.",
    )


def _same_aspect(canvas: tuple[int, int], image: tuple[int, int]) -> bool:
    scale = max(canvas) / max(image)
    off = np.abs(np.array(canvas) - scale * np.array(image))
    return bool((off <= ROUNDING_PX * max(1.0, scale)).all())


def _padded_scale(canvas: tuple[int, int], image: tuple[int, int]) -> float | None:
    """Return the scale at which the image, padded, gives the canvas; None if there is none.

    Detectors resize the shorter side to a given length; lllyasviel's first ones round both sides to
    the nearest multiple of 64 instead of padding.
    """
    scales = [written / side for written, side in zip(canvas, image, strict=True)]
    shorter = scales[image.index(min(image))]
    rounded = tuple(round(shorter * side / PADDED_TO) * PADDED_TO for side in image)
    if rounded == canvas and min(scales) < shorter:
        return None
    for scale in (1.0, min(scales)):
        if tuple(_padded(round(scale * side)) for side in image) == canvas:
            return scale
    return None


def _letterbox(
    seen: Float[ndarray, "seen 2"], canvas: tuple[int, int], image: tuple[int, int]
) -> Float[ndarray, " 2"] | None:
    """Return where the image begins in a canvas that is padded alike on both sides.

    None where the canvas is no letterbox, a point lies in its padding, or that is so narrow that
    sides may have been rounded instead.
    """
    whole, filled = np.array(canvas[::-1], np.float64), np.array(image[::-1], np.float64)
    origin = (whole - filled * min(whole / filled)) / 2.0
    inside = (seen >= origin - ROUNDING_PX).all() and (seen <= whole - origin + ROUNDING_PX).all()
    boxed = not (np.array(canvas) % BOXED_TO).any() and 2.0 * origin.max() >= PADDED_TO
    return origin if boxed and inside else None


def _padded(side: int) -> int:
    return -(-side // PADDED_TO) * PADDED_TO
