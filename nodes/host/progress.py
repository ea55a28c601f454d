"""Long work on the host's progress bar, which the user can interrupt."""

from collections.abc import Callable

import comfy.model_management
import comfy.utils


def start_progress(total: int) -> Callable[[int], None]:
    """Show a bar of `total` steps; the function returned advances it and stops on an interrupt."""
    bar = comfy.utils.ProgressBar(total)

    def advance(count: int) -> None:
        bar.update(count)
        comfy.model_management.throw_exception_if_processing_interrupted()

    comfy.model_management.throw_exception_if_processing_interrupted()
    return advance
