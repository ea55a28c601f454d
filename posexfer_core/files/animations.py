"""Frames in one animated file, GIF or WebP, as they come."""

from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from .atomic import check_target, replacing

ANIMATIONS = {".gif": "GIF", ".webp": "WEBP"}
"""Kinds of animation that are written, as Pillow names them."""


def save_animation(frames: Iterable[Image.Image], path: Path, frame_rate: float) -> None:
    """Write images as an animation that repeats, whole or not at all.

    Args:
        frames: at least one; of one size.
        path: ends in .gif or .webp.
        frame_rate: frames a second.
    """
    check_target(path, ANIMATIONS)
    images = iter(frames)
    first = next(images)
    with replacing(path) as partial:
        first.save(
            partial,
            format=ANIMATIONS[path.suffix.lower()],
            save_all=True,
            append_images=images,
            duration=round(1000.0 / frame_rate),
            loop=0,
            quality=85,
        )
