"""Let ComfyUI import torchvision and torchaudio beside torch's CPU build.

As a script it starts another one so: `python tests/nodes/cpu_torch.py ~/ComfyUI/main.py --cpu`.

Their wheels on the default index are built against CUDA: torchvision's operators do not load, and
registering their shapes fails; torchaudio does not load at all. ComfyUI needs neither here.
"""

import importlib
import importlib.machinery
import runpy
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import torch


def import_beside_cpu_torch() -> None:
    """Import both, or what stands in for them; later imports find them loaded."""
    import_torchvision()
    stand_in_for_torchaudio()


def import_torchvision() -> None:
    """Import torchvision; where its operators are missing, so are their registered shapes."""
    register = torch.library.register_fake

    def skip_torchvision(name: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(name, str) and name.startswith("torchvision::"):
            return lambda function: function
        return register(name, *args, **kwargs)

    torch.library.register_fake = skip_torchvision
    try:
        importlib.import_module("torchvision")
    finally:
        torch.library.register_fake = register


def stand_in_for_torchaudio() -> None:
    """Models of sound are not tested here."""
    try:
        importlib.import_module("torchaudio")
    except (ImportError, OSError):
        for name in ("torchaudio", "torchaudio.functional", "torchaudio.transforms"):
            empty = types.ModuleType(name)
            empty.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
            empty.__path__ = []
            sys.modules[name] = empty
            package, _, submodule = name.rpartition(".")
            if package:
                setattr(sys.modules[package], submodule, empty)


def main() -> None:
    """Run a script of ComfyUI, such as its main.py, as if it had been called itself."""
    script = Path(sys.argv[1]).resolve()
    sys.argv = sys.argv[1:]
    sys.path[0] = str(script.parent)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_beside_cpu_torch()
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
