"""Choice between numba's compiled loops, where it is installed, and torch."""

import functools
import importlib
import logging
from types import ModuleType

import torch
from torch import Tensor

logger = logging.getLogger(__name__)


@functools.cache
def compiled_loops() -> ModuleType | None:
    """Import the compiled loops on first use; None, and a warning, where numba cannot serve."""
    try:
        return importlib.import_module(".loops", __package__)
    except (ImportError, RuntimeError) as error:  # RuntimeError: no folder for numba's cache
        logger.warning(
            "Bodies are drawn by torch, about ten times slower than by numba: %s. Try `pip install "
            "numba`.",
            error,
        )
        return None


def loops_for(*tensors: Tensor) -> ModuleType | None:
    """Give the compiled loops if they can serve: on the CPU, with no gradient wanted."""
    if any(tensor.device.type != "cpu" for tensor in tensors):
        return None
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return None
    return compiled_loops()
