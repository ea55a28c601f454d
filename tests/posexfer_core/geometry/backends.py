"""Rasterise by numba's loops or by torch."""

from typing import Any

import pytest

from posexfer_core.geometry import backend as backend_module
from posexfer_core.geometry.rasterize import Visibility, rasterize


def rasterize_by(backend: str, *inputs: Any) -> Visibility:
    with pytest.MonkeyPatch.context() as patch:
        if backend == "torch":
            patch.setattr(backend_module, "compiled_loops", lambda: None)
        return rasterize(*inputs)
