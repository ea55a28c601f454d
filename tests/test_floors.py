"""The floors of the house: what each room may import, lazily or not."""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "posexfer_core"

FLOORS = {
    "errors": set(),
    "conventions": set(),
    "geometry": {"errors", "conventions"},
    "files": {"geometry"},
    "body": {"files"},
    "network": {"files"},
    "render": {"body"},
    "keypoints": {"body"},
    "export": {"body"},
    "pose_networks": {"keypoints"},
    "fit": {"pose_networks"},
    "register": {"fit"},
    "formats": {"register"},
    "warp": {"render", "register"},
    "transfer": {"warp", "network"},
    "diffusion": {"transfer", "formats"},
    "commands": {"diffusion", "export"},
    "cli": {"commands"},
    "__main__": {"cli"},
    "__init__": {"diffusion", "export"},
}
"""Room of the core → the rooms that it stands on; it may import these and what they stand on."""

LARGEST_ROOM = 0.20
"""Share of the core's lines that one room may hold."""

ONLY_IN = {
    "diffusers": {"diffusion"},
    "accelerate": {"diffusion"},
    "transformers": {"diffusion"},
    "smplx": {"body"},
    "anny": {"body"},
    "trimesh": {"files"},
    "scipy": {"geometry", "files", "fit"},
    "skimage": set(),
    "numba": {"geometry"},
}
"""Optional package → the rooms of the core that may import it."""

NEVER = {"comfy", "comfy_api", "folder_paths", "training", "tests", "nodes", "chumpy"}
GEOMETRY_PACKAGES = {"torch", "numpy", "einops", "jaxtyping", "numba", "scipy"}


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> tuple[tuple[int, str], ...]:
    """Every (level, dotted name) that a file imports; `from . import a` gives `(1, "a")`."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(parsed(path)):
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


def module(path: Path) -> str:
    return ".".join(path.relative_to(CORE).with_suffix("").parts)


def imported_modules(path: Path) -> set[str]:
    """Modules of the core that a file of the core imports, by itself or by a name in them."""
    package = path.relative_to(CORE).parts[:-1]
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.level:
            stem = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            names = [".".join([part for part in (*stem, name.name) if part]) for name in node.names]
            whole = ".".join(part for part in stem if part)
            found |= {name for name in (whole, *names) if is_file(name)}
    return found


def is_file(name: str) -> bool:
    return CORE.joinpath(*name.split(".")).with_suffix(".py").exists()


def beneath(room: str) -> set[str]:
    """Everything that a room may import, itself included."""
    return {room}.union(*(beneath(below) for below in FLOORS[room]))


def test_every_room_has_its_line_in_the_table():
    assert {part(path) for path in sources(CORE)} == FLOORS.keys()


@pytest.mark.parametrize("room", FLOORS)
def test_a_room_imports_only_what_it_stands_on(room):
    for path in sources(CORE):
        if part(path) == room:
            assert inside(path) <= beneath(room), path
            packages = outside(path)
            assert not packages & NEVER, path
            assert "posexfer_core" not in packages, f"{path}: the core imports itself relatively"
            for package, rooms in ONLY_IN.items():
                assert package not in packages or room in rooms, (path, package)


def test_modules_import_each_other_in_one_direction():
    """No circle of modules, imports inside functions included."""
    graph = {module(path): imported_modules(path) for path in sources(CORE)}
    assert sum(map(len, graph.values())) > 300, "the imports are not found"
    tuple(TopologicalSorter(graph).static_order())  # raises CycleError


def test_no_room_outgrows_the_house():
    lines = Counter[str]()
    for path in sources(CORE):
        lines[part(path)] += len(path.read_text().splitlines())
    room, most = lines.most_common(1)[0]
    assert most < LARGEST_ROOM * lines.total(), f"{room} has {most} of {lines.total()} lines"


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
