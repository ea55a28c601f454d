"""The table of floors in the design, held: what each part may import, lazily or not."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "posexfer_core"

GEOMETRY = {"errors", "geometry"}
TENSOR_FILES = {"errors", "tensor_files"}
BODY = GEOMETRY | TENSOR_FILES | {"body"}
NETWORK = GEOMETRY | TENSOR_FILES | {"network"}
PICTURES = {"errors", "pictures"}
FRAMING = BODY | {"framing"}
DRAFT = BODY | {"draft"}
TRANSFER = DRAFT | NETWORK | {"transfer"}
DIFFUSION = TRANSFER | PICTURES | {"diffusion"}
COMMANDS = DIFFUSION | FRAMING | {"staging", "sheet", "commands", "cli"}

FLOORS = {
    "__init__": set(),
    "errors": set(),
    "tensor_files": TENSOR_FILES,
    "geometry": GEOMETRY,
    "body": BODY,
    "network": NETWORK,
    "pictures": PICTURES,
    "framing": FRAMING,
    "draft": DRAFT,
    "transfer": TRANSFER,
    "diffusion": DIFFUSION,
    "staging": FRAMING | {"staging"},
    "sheet": {"sheet"},
    "commands": COMMANDS,
    "cli": COMMANDS,
    "__main__": COMMANDS,
}
"""Part of the core → the parts of the core that it may import."""

ONLY_IN = {
    "diffusers": {"diffusion"},
    "accelerate": {"diffusion"},
    "transformers": {"diffusion"},
    "smplx": {"body"},
    "trimesh": {"body"},
    "skimage": {"body", "commands"},
    "numba": {"geometry", "body"},
}
"""Optional package → the parts of the core that may import it."""

NEVER = {"comfy", "comfy_api", "folder_paths", "training", "tests", "nodes", "chumpy"}
GEOMETRY_PACKAGES = {"torch", "numpy", "einops", "jaxtyping", "numba"}


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every (level, dotted name) that a file imports; `from . import a` gives `(1, "a")`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((0, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module:
                yield node.level, node.module
            else:
                yield from ((node.level, name.name) for name in node.names)


def outside(path: Path) -> set[str]:
    """Top packages from outside the core that a file imports."""
    return {name.partition(".")[0] for level, name in imports(path) if level == 0}


def inside(path: Path) -> set[str]:
    """Parts of the core that a file of the core imports."""
    package = path.relative_to(CORE).parts[:-1]
    parts = set()
    for level, name in imports(path):
        if level:
            stem = package[: len(package) - level + 1]
            parts.add((*stem, *name.split("."))[0])
    return parts


def part(path: Path) -> str:
    return path.relative_to(CORE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", sources(CORE), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_keeps_to_its_floors(path):
    assert part(path) in FLOORS, "a new part of the core needs its line in the table"
    assert inside(path) <= FLOORS[part(path)]
    packages = outside(path)
    assert not packages & NEVER
    assert "posexfer_core" not in packages, "the core imports itself relatively"
    for package, parts in ONLY_IN.items():
        assert package not in packages or part(path) in parts, package


def test_geometry_needs_arrays_and_nothing_else():
    import sys

    for path in [*sources(CORE / "geometry"), CORE / "errors.py"]:
        assert outside(path) <= GEOMETRY_PACKAGES | sys.stdlib_module_names, path


def test_nodes_and_training_do_not_import_each_other():
    for path in sources(ROOT / "training"):
        assert not outside(path) & {"nodes", "comfy", "folder_paths"}, path
    for path in sources(ROOT / "nodes"):
        assert not outside(path) & {"training", "posexfer_core"}, path


def test_only_the_host_folder_of_the_nodes_knows_comfyui():
    for path in sources(ROOT / "nodes"):
        if ROOT / "nodes" / "host" not in path.parents:
            assert not outside(path) & {"comfy", "folder_paths"}, path


def test_annotations_stay_checkable_at_run_time():
    for folder in (CORE, ROOT / "training"):
        for path in sources(folder):
            assert (0, "__future__") not in set(imports(path)), path
