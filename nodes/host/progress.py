"""Long work on the host's progress bar, which the user can interrupt."""

from typing import Protocol

import comfy.model_management
import comfy.utils
from torch import Tensor

from ...posexfer_core.files.images import to_pil

PREVIEW_PX = 512


def check_interrupt() -> None:
    """Stop if the user has cancelled; for work that takes long between two steps of a bar."""
    comfy.model_management.throw_exception_if_processing_interrupted()


class Advance(Protocol):
    """Advance a bar, with a preview of what is done, and stop on an interrupt."""

    def __call__(self, count: int, image: Tensor | None = None) -> None:
        """Count steps; the image is (1, 3, height, width) in [-1, 1]."""


def start_progress(total: int) -> Advance:
    """Show a bar of `total` steps; what is returned advances it and stops on an interrupt."""
    bar = comfy.utils.ProgressBar(total)

    def advance(count: int, image: Tensor | None = None) -> None:
        preview = None if image is None else ("JPEG", to_pil(image), PREVIEW_PX)
        bar.update_absolute(bar.current + count, preview=preview)
        check_interrupt()

    check_interrupt()
    return advance
