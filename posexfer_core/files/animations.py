"""Frames in one animated file, GIF or WebP, as they come."""

from collections.abc import Iterable
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from ..errors import OutputError
from .atomic import check_target, replacing
from .images import to_pil

ANIMATIONS = {".gif": "GIF", ".webp": "WEBP"}
"""Kinds of animation that are written, as Pillow names them."""


def check_animation_target(path: Path) -> None:
    """Refuse a path that no animation can be written to, before any long work.

    Raises:
        OutputError: its suffix is unknown, or `check_target` refuses it.
    """
    if path.suffix.lower() not in ANIMATIONS:
        raise OutputError(
            f"{path} ends in {path.suffix!r}; expected one of {', '.join(ANIMATIONS)}."
        )
    check_target(path)


def save_animation(
    frames: Iterable[Float[Tensor, "1 3 height width"]], path: Path, frame_rate: float
) -> None:
    """Write images in [-1, 1] as an animation that repeats, whole or not at all.

    Args:
        frames: at least one; of one size.
        path: ends in .gif or .webp.
        frame_rate: frames a second.
    """
    check_animation_target(path)
    images = (to_pil(frame) for frame in frames)
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
