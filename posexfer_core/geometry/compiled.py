"""How loops are compiled by numba; imported by them only, so that numba may be missing."""

import zlib
from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a loop, and keep the machine code for the next start.

    The same file is `posexfer_core.…` to Python and another module to ComfyUI, which names a pack
    by its folder. What numba keeps can only be loaded under the module name it was compiled
    under, so that each name gets code of its own.
    """
    name = zlib.crc32(function.__module__.encode())
    function.__qualname__ = f"{function.__name__}_{name:08x}"
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
