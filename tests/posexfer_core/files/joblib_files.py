"""Writes pickles as joblib does, which is not installed: arrays' bytes between the opcodes."""

import io
import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

Pickler: Any = pickle._Pickler  # pyright: ignore[reportAttributeAccessIssue]


@contextmanager
def pretended_joblib() -> Iterator[type]:
    """Pretend that joblib is there, so that pickles which name it can be written."""
    module = types.ModuleType("joblib.numpy_pickle")
    kind = type("NumpyArrayWrapper", (), {"__module__": "joblib.numpy_pickle"})
    module.__dict__["NumpyArrayWrapper"] = kind
    names = {"joblib": types.ModuleType("joblib"), "joblib.numpy_pickle": module}
    before = {name: sys.modules.get(name) for name in names}
    sys.modules.update(names)
    try:
        yield kind
    finally:
        for name, old in before.items():
            if old is None:
                del sys.modules[name]
            else:
                sys.modules[name] = old


def dump(value: Any, wrapper: type, protocol: int = 4, alignment: int | None = 16) -> bytes:
    """Write as joblib does: a wrapper for every array, then padding, then the array's bytes."""
    file = io.BytesIO()

    class Writer(Pickler):
        def save(self, obj: Any, save_persistent_id: bool = True) -> None:
            if not isinstance(obj, np.ndarray):
                super().save(obj, save_persistent_id)
                return
            order = "F" if obj.flags.f_contiguous and not obj.flags.c_contiguous else "C"
            standing = wrapper()
            standing.__dict__.update(
                subclass=np.ndarray, shape=obj.shape, order=order, dtype=obj.dtype
            )
            if alignment is not None:
                standing.__dict__["numpy_array_alignment_bytes"] = alignment
            super().save(standing, save_persistent_id)
            if protocol >= 4:
                self.framer.commit_frame(force=True)
            if obj.dtype.hasobject:
                pickle.dump(obj, file, protocol=2)
                return
            if alignment is not None:
                padding = alignment - (file.tell() + 1) % alignment
                file.write(bytes([padding]) + b"\xff" * padding)
            file.write(obj.tobytes(order))

    Writer(file, protocol=protocol).dump(value)
    return file.getvalue()
