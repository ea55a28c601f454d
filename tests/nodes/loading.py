"""Load the pack in a fresh process without smplx, trimesh and numba.

`python -m tests.nodes.loading FOLDER` writes what it took, and what nodes say that need a
missing package, as one JSON object.
"""

import json
import logging
import sys
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from tests.nodes.host_process import Pack, load_pack, open_host
from tests.nodes.small_arrays import write_toy_smpl, write_triangle

MISSING = ("smplx", "trimesh", "numba")
HEAVY = (*MISSING, "diffusers", "accelerate", "skimage", "tensorboard")


class Missing(MetaPathFinder):
    """Packages that are not installed, and which of them were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuse what is missing."""
        if name.partition(".")[0] in MISSING:
            self.asked.append(name)
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return None


class Records(logging.Handler):
    """What is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the level and the words."""
        self.lines.append((record.levelname, record.getMessage()))


def main(base: Path) -> None:
    """Load, run what needs no missing package, then what does."""
    host = open_host(base)
    missing, records = Missing(), Records()
    for name in [name for name in sys.modules if name.partition(".")[0] in MISSING]:
        del sys.modules[name]
    sys.meta_path.insert(0, missing)
    logging.getLogger().addHandler(records)
    logging.getLogger().setLevel(logging.INFO)  # as the server does
    known, cpu, wall = set(sys.modules), time.process_time(), time.perf_counter()
    pack = load_pack(host)
    took = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    gained = {name.partition(".")[0] for name in set(sys.modules) - known}
    loud = [line for level, line in records.lines if level not in ("DEBUG", "INFO")]
    report = {
        **took,
        "nodes": len(pack.classes),
        "gained": sorted(gained & set(HEAVY)),
        "asked": list(missing.asked),
        "loud": loud,
        **what_is_missed(pack, base),
        "said": [line for _, line in records.lines],
    }
    sys.stdout.write("\n" + json.dumps(report) + "\n")


def what_is_missed(pack: Pack, base: Path) -> dict[str, object]:
    """Draw a body without numba, and ask for what smplx and trimesh would have given."""
    preview = pack.run("LoadSMPLMesh", file="demo/walking.npz")[2]
    write_toy_smpl(base / "models" / "smpl" / "toy_smpl.npz")
    write_triangle(base / "input" / "triangle.obj")
    return {
        "drawn": float(preview.std()),
        "smplx": complaint(pack, file="demo/walking.npz", body_model="toy_smpl.npz"),
        "trimesh": complaint(pack, file="input/triangle.obj"),
    }


def complaint(pack: Pack, **inputs: str) -> str:
    """Run Load SMPL Mesh, which must complain in words of ours."""
    error = pack.module("posexfer_core.errors").PoseXferError
    try:
        pack.run("LoadSMPLMesh", **inputs)
    except error as complaint:
        return str(complaint)
    return "nothing"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
