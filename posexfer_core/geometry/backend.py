"""Choice between numba's compiled loops, where it is installed, and torch."""

import functools
import importlib
import logging
from types import ModuleType

import torch
from torch import Tensor

from ..errors import ConfigError

logger = logging.getLogger(__name__)


@functools.cache
def load_loops(name: str, package: str) -> ModuleType | None:
    """Import a module of compiled loops on first use; None where numba is missing or fails."""
    try:
        return importlib.import_module(name, package)
    except (ImportError, RuntimeError) as error:  # RuntimeError: no folder for numba's cache
        _warn_once(str(error))
        return None


@functools.cache
def _warn_once(reason: str) -> None:
    logger.warning("Bodies are drawn by torch, about ten times slower than by numba: %s", reason)


def compiled_loops() -> ModuleType | None:
    """Import the rasteriser's compiled loops, if they load."""
    return load_loops(".loops", __package__)


def loops_for(*tensors: Tensor) -> ModuleType | None:
    """Give the compiled loops if they can serve: on the CPU, with no gradient wanted."""
    if any(tensor.device.type != "cpu" for tensor in tensors):
        return None
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return None
    return compiled_loops()


def chosen_loops(backend: str | None, tensor: Tensor) -> ModuleType | None:
    """Give the compiled loops, or None for torch, as `backend` says.

    Args:
        backend: "numba", "torch", or None for numba where it can serve.
        tensor: what will be worked on; numba needs it on the CPU.

    Raises:
        ConfigError: another name, or numba where it cannot serve.
    """
    if backend == "torch":
        return None
    loops = loops_for(tensor.detach())
    if backend == "numba" and loops is None:
        raise ConfigError(
            f"Backend 'numba' cannot serve a tensor on {tensor.device}: it needs the package numba "
            "and the CPU. Install numba or leave the backend to the default."
        )
    if backend not in (None, "numba"):
        raise ConfigError(f"Unknown rasteriser backend {backend!r}, expected 'numba' or 'torch'.")
    return loops
