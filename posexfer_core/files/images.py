"""Image files in and out: any common kind in, RGB in [-1, 1] inside, whole files or none out."""

import contextlib
import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, UInt8
from PIL import Image, ImageOps
from torch import Tensor

from ..errors import ImageError
from .atomic import check_target, replacing

logger = logging.getLogger(__name__)

MOST_PIXELS = 60_000_000
"""Largest image that is opened; a small file can unpack to far more than memory holds."""
LEAST_SIDE = 16
"""Shortest side in pixels that can still show a person."""
BAND_ROWS = 64
"""Rows of an image that are converted at once."""
MOST_LABELS = 16
"""Levels of a label mask; soft edges have more."""
HIGHEST_LABEL = 100
"""Of several levels of a label mask; brighter ones are darkened whites."""
VOID = 255
"""Level of borders in label masks (VOC); where it prevails it is white."""
BRIGHTEST_FLOAT = 16.0
"""Float images up to here have 1 for white; values of a few times 1 are brighter, as in HDR."""
WHITES = tuple(2.0**bits - 1.0 for bits in (8, 10, 12, 16))
"""Of images of more than 8 bits a level, of which tools and cameras fill 8, 10 or 12."""
SIGNED_SHARE = 0.01
"""Share of pixels below black from which a float image of up to 1 has -1 for black."""
SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Kinds of image that are written, as Pillow names them."""

READ = ("PNG", "JPEG", "WEBP", "MPO", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA", "ICO")
"""Kinds of image that are read, as Pillow names them. Others are programs (EPS would be run by
Ghostscript) or no images of people."""

TIFF_SUFFIXES = (".tif", ".tiff")
TIFF_ADVICE = "TIFF of 8 or 16 bits, or grey of 32-bit floats: save it so, or as PNG"

_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


def load_image(path: Path | str) -> Float[Tensor, "1 3 height width"]:
    """Read an image upright by its EXIF tag, transparency on white.

    Args:
        path: any kind of `READ` that Pillow was built for; of an animation, the first image.

    Returns:
        RGB in [-1, 1].

    Raises:
        ImageError: the file is missing, damaged, too large, or no image.
    """
    return from_pil(_on_white(_upright(Path(path))))


def load_mask(path: Path | str) -> Float[Tensor, "height width"]:
    """Read a mask, 0 to 1: how opaque an image is, or how bright if it is opaque all over.

    Label masks are 0 around and 1 on every label: a palette with colours, a few dark levels, or one
    level beside 0 or 1.

    Args:
        path: as in `load_image`.

    Raises:
        ImageError: as in `load_image`.
    """
    image = _upright(Path(path))
    opacity = _opacity(image)
    if opacity is not None:
        return opacity
    levels = _labels(image)
    if levels is None:
        levels = np.asarray(_on_white(image).convert("L")) / np.float32(255.0)
    return torch.from_numpy(levels).float()


def load_opacity(path: Path | str) -> Float[Tensor, "height width"] | None:
    """Read how opaque an image is, 0 to 1; None if it is opaque all over. See `load_image`."""
    with _opened(Path(path)) as image:
        if not _has_alpha(image):  # as its header says: nothing is unpacked
            return None
        return _opacity(ImageOps.exif_transpose(image))


def _labels(image: Image.Image) -> Bool[np.ndarray, "height width"] | None:
    """Tell where a label mask is not 0; None if brightness says where the person is."""
    if image.mode == "P":
        used = np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)
        if np.ptp(used, axis=1).any():  # a colour for each label, as DAVIS and VOC have them
            return np.asarray(image) > 0
    levels = np.asarray(image.convert("L") if image.mode in ("P", "RGB", "RGBA") else image)
    if levels.ndim != 2 or levels.dtype == bool:
        return None
    void = (levels == VOID) & (levels.dtype == np.uint8)
    person = (levels > min(int(levels.min()), 1)) & ~void
    used = np.unique(levels[person])
    dark = len(used) == 1 or (0 < len(used) <= MOST_LABELS and used[-1] <= HIGHEST_LABEL)
    return person if dark and levels.min() <= 1 and person.sum() > void.sum() else None


def _opacity(image: Image.Image) -> Float[Tensor, "height width"] | None:
    if not _has_alpha(image):
        return None
    alpha = np.asarray(image.convert("RGBA"))[..., 3]
    opaque = 1.0 if alpha.max() == 1 else 255.0  # labels
    return torch.from_numpy(alpha / np.float32(opaque)) if alpha.min() < 255 else None


def _upright(path: Path) -> Image.Image:
    """Open an image whole, turned by its EXIF tag."""
    with _opened(path) as image:
        return ImageOps.exif_transpose(image)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image, not unpacked yet; what goes wrong until it is closed becomes our errors."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks of Pillow's on tags that it skips
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            Image.init()
            with Image.open(path, formats=[kind for kind in READ if kind in Image.OPEN]) as image:
                _check_size(path, image.size)
                yield image
    except FileNotFoundError as error:
        raise ImageError(f"There is no image at {path}; check the path.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(_too_large(path)) from error
    except _UNREADABLE as error:
        kind = TIFF_ADVICE if path.suffix.lower() in TIFF_SUFFIXES else "a whole PNG, JPEG or WebP"
        raise ImageError(f"{path} cannot be read as an image: {error}. Expected {kind}.") from error


def from_pil(image: Image.Image) -> Float[Tensor, "1 3 height width"]:
    """Turn an RGB Pillow image into a tensor in [-1, 1]."""
    width, height = image.size
    numbers = torch.empty(1, 3, height, width)
    for top in range(0, height, BAND_ROWS):  # a whole large image would be copied three times
        band = image.crop((0, top, width, min(top + BAND_ROWS, height))).convert("RGB")
        rows = torch.from_numpy(np.array(band)).float().div_(127.5).sub_(1.0)
        numbers[0, :, top : top + BAND_ROWS] = rearrange(
            rows, "height width rgb -> rgb height width"
        )
    return numbers


def to_pil(image: Float[Tensor, "1 3 height width"]) -> Image.Image:
    """Convert a tensor in [-1, 1] to an 8-bit Pillow image; values outside are clipped."""
    return Image.fromarray(to_bytes(image[0]).numpy())


def to_bytes(
    image: Float[Tensor, "channels height width"],
) -> UInt8[Tensor, "height width channels"]:
    """Round [-1, 1] to 256 levels, channels last; values outside are clipped."""
    levels = torch.empty(*image.shape[-2:], len(image), dtype=torch.uint8)
    for top in range(0, image.shape[-2], BAND_ROWS):  # a whole large image would be copied twice
        band = image[:, top : top + BAND_ROWS].detach().float().cpu().clamp(-1.0, 1.0)
        rows = ((band + 1.0) * 127.5).round().to(torch.uint8)
        levels[top : top + BAND_ROWS] = rearrange(rows, "channels h w -> h w channels")
    return levels


def save_image(image: Float[Tensor, "1 3 height width"], path: Path | str) -> None:
    """Write an image in [-1, 1]; a file that is there stays whole until the new one is.

    Raises:
        OutputError: the folder is missing or cannot be written, or the suffix is unknown.
    """
    save_pil(to_pil(image), Path(path))


def save_pil(image: Image.Image, path: Path) -> None:
    """Write a Pillow image whole or not at all; see `save_image`."""
    check_target(path, SUFFIXES)
    with replacing(path) as partial:
        image.save(partial, format=SUFFIXES[path.suffix.lower()], quality=95)


def _check_size(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MOST_PIXELS:
        raise ImageError(_too_large(path))
    if min(width, height) < LEAST_SIDE:
        raise ImageError(
            f"{path} is {width}x{height} pixels; expected at least {LEAST_SIDE} on each side."
        )


def _too_large(path: Path) -> str:
    return f"{path} has more than {MOST_PIXELS // 1_000_000} million pixels; make it smaller first."


def _on_white(image: Image.Image) -> Image.Image:
    """Flatten any mode to RGB over white."""
    if image.mode.startswith(("I", "F")):  # `convert` would clip instead of scaling
        levels = _shares_of_white(np.asarray(image).astype(np.float32), image.mode == "F")
        return Image.fromarray((255.0 * levels).round().astype(np.uint8)).convert("RGB")
    if _has_alpha(image):
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _shares_of_white(
    levels: Float[np.ndarray, "height width"], floats: bool
) -> Float[np.ndarray, "height width"]:
    """Scale deep levels to 0 to 1; what is not finite becomes black."""
    levels = np.nan_to_num(levels, posinf=0.0, neginf=0.0)
    highest = float(levels.max())
    if floats and highest <= BRIGHTEST_FLOAT:
        signed = highest <= 1.0 and (levels < -SIGNED_SHARE).mean() > SIGNED_SHARE
        return ((levels + 1.0) / 2.0 if signed else levels).clip(0.0, 1.0)
    white = next((white for white in WHITES if highest <= white + 0.5), highest)
    if white not in (WHITES[0] if floats else WHITES[-1], WHITES[-1]):
        logger.warning(
            "The levels of an image reach %.0f; %.0f is taken for white.", highest, white
        )
    return (levels / white).clip(0.0, 1.0)


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
