"""The real host, imported into this process, with our pack loaded by its own loader."""

import asyncio
import importlib
import importlib.util
import os
import sys
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch

from tests.nodes.cpu_torch import import_beside_cpu_torch

ROOT = Path(__file__).parents[2]
CHECKOUT = Path(os.environ.get("COMFYUI_PATH", Path.home() / "ComfyUI")).expanduser()


HOST_PACKAGES = ("torchvision", "torchsde", "aiohttp", "spandrel", "kornia", "av", "alembic")
"""Some of what ComfyUI itself needs and this project does not."""


def why_not() -> str | None:
    """Say what keeps the host from running here, if anything does."""
    if not (CHECKOUT / "nodes.py").exists():
        return f"There is no ComfyUI at {CHECKOUT}; set COMFYUI_PATH to a checkout."
    if missing := [name for name in HOST_PACKAGES if importlib.util.find_spec(name) is None]:
        return (
            f"ComfyUI's own packages are missing here ({', '.join(missing)}). `make test-host` "
            "makes an environment that has them, and runs these tests in it."
        )
    return None


def open_host(base: Path, *, cpu: bool = True) -> SimpleNamespace:
    """Import ComfyUI's modules, with empty input, output and models folders in `base`.

    On the CPU, or on the device that it chooses. Its folder comes before our root on the path: our
    `nodes` would hide the host's.
    """
    arguments = sys.argv
    sys.argv = sys.argv[:1]
    sys.path.insert(0, str(CHECKOUT))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_beside_cpu_torch()
        importlib.import_module("comfy.options").enable_args_parsing(False)
        importlib.import_module("comfy.cli_args").args.cpu = cpu
        names = ("nodes", "folder_paths", "execution", "comfy.sd", "comfy.samplers", "comfy.sample")
        names += ("comfy.model_management",)
        modules = {name.rpartition(".")[2]: importlib.import_module(name) for name in names}
    sys.argv = arguments
    folders = modules["folder_paths"]
    for name in ("input", "output", "temp", "models", "models/model_patches", "models/smpl"):
        (base / name).mkdir()
    folders.set_input_directory(str(base / "input"))
    folders.set_output_directory(str(base / "output"))
    folders.set_temp_directory(str(base / "temp"))
    vars(folders)["models_dir"] = str(base / "models")
    folders.folder_names_and_paths["model_patches"] = (
        [str(base / "models" / "model_patches")],
        {".safetensors"},
    )
    return SimpleNamespace(**modules, base=base)


class Pack:
    """The loaded pack; its core is another copy than the one that tests import."""

    def __init__(self, name: str, classes: dict[str, Any]) -> None:
        self.name = name
        self.classes = classes

    def module(self, path: str) -> ModuleType:
        """Import one of its modules, such as "posexfer_core.network.model"."""
        return importlib.import_module(f"{self.name}.{path}")

    def run(self, node: str, **inputs: Any) -> tuple[Any, ...]:
        """Execute a node as the host does; what is not given takes its default."""
        kind = self.classes[f"PoseXfer_{node}"]
        defaults = {
            entry.id: entry.default
            for entry in kind.GET_SCHEMA().inputs
            if getattr(entry, "default", None) is not None
        }
        clone = kind.PREPARE_CLASS_CLONE({})
        with torch.inference_mode():
            return clone.EXECUTE_NORMALIZED(**{**defaults, **inputs}).args


def load_pack(host: SimpleNamespace) -> Pack:
    """Load our pack as ComfyUI loads it."""
    before = set(host.nodes.NODE_CLASS_MAPPINGS)
    assert asyncio.run(host.nodes.load_custom_node(str(ROOT), set(), "custom_nodes"))
    mappings = host.nodes.NODE_CLASS_MAPPINGS
    ours = {name: mappings[name] for name in mappings if name not in before}
    return Pack(str(ROOT).replace(".", "_x_"), ours)
