"""A mesh in metres, with what had to be assumed about its unit."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from ..errors import MeshError
from ..files.meshes import GLB_SUFFIXES, read_mesh
from ..geometry.point_clouds import face_areas

Unit = Literal["auto", "m", "cm", "mm", "in"]
"""Of a file's numbers; "auto" guesses by the area of the skin."""
Up = Literal["auto", "y", "z", "-y", "x", "-x", "-z"]
"""The axis that points up in a file; "auto" tries all and keeps what fits best."""

METRES: dict[Unit, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
BODY_AREA_M2 = 1.73
"""Skin of the bundled body's mean shape."""
PLAUSIBLE = (0.62, 1.5)
"""Size over the mean body's, by the root of the area: from a child to a giant in wide clothes."""
SMALLEST = 1e-9
LARGEST = 1e9


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface:
    """A mesh of unknown pose and topology."""

    vertices: Float[np.ndarray, "vertices 3"]
    """Metres; the file's own axes."""
    faces: Int[np.ndarray, "faces 3"]
    up: Up = "auto"
    """The axis that points up."""
    standard_up: Up | None = None
    """The axis that points up in files of this kind, where they have a standard."""
    sized: bool = True
    """Whether the size is known; if not, it is that of a mean body, to be fitted."""
    metres_per_unit: float = 1.0
    """What the file's numbers were multiplied by."""
    notes: tuple[str, ...] = ()
    """What was assumed, a sentence each."""

    @property
    def area(self) -> float:
        """Square metres, of both sides where a cloth has two."""
        return float(face_areas(self.vertices, self.faces).sum())

    def scaled(self, factor: float) -> "Surface":
        """Grow or shrink about the origin."""
        return replace(
            self,
            vertices=self.vertices * factor,
            metres_per_unit=self.metres_per_unit * factor,
        )


def load_surface(path: Path | str, *, unit: Unit = "auto", up: Up = "auto") -> Surface:
    """Read a mesh file and bring it to metres.

    The unit is guessed by the area of the skin, which hardly depends on the pose (the height does).
    Where no unit makes it plausible, the mesh is scaled to the area of a mean body.

    Raises:
        MeshError: see `files.meshes.read_mesh`; or the mesh has no extent.
    """
    path = Path(path)
    vertices, faces = read_mesh(path)
    surface = as_surface(vertices, faces, name=path.name, unit=unit, up=up)
    is_glb = path.suffix.lower() in GLB_SUFFIXES
    return replace(surface, standard_up="y") if is_glb else surface


def as_surface(
    vertices: Float[np.ndarray, "vertices 3"],
    faces: Int[np.ndarray, "faces 3"],
    *,
    name: str = "the mesh",
    unit: Unit = "auto",
    up: Up = "auto",
) -> Surface:
    """Bring vertices of any unit to metres; see `load_surface`."""
    extent = float(np.ptp(vertices, axis=0).max())
    if not SMALLEST < extent < LARGEST:
        raise MeshError(
            f"{name} is {extent:g} units large, which is no body in any unit.\n"
            f"Expected more than {SMALLEST:g} and less than {LARGEST:g} units.\n"
            "Scale the mesh to metres or centimetres."
        )
    area = float(face_areas(vertices / extent, faces).sum()) * extent**2
    if area < 1e-3 * extent**2:
        raise MeshError(
            f"{name} has hardly any surface: its faces are slivers or points.\n"
            "Expected the skin of a body.\nExport the mesh itself, not its edges or bones."
        )
    surface = Surface(vertices=vertices, faces=_without_slivers(vertices, faces), up=up)
    if unit != "auto":
        return surface.scaled(METRES[unit])
    size = (area / BODY_AREA_M2) ** 0.5
    for guess, factor in METRES.items():
        if PLAUSIBLE[0] <= size * factor <= PLAUSIBLE[1]:
            note = f"{name} is taken to be in {guess}, by the area of its surface."
            return replace(surface.scaled(factor), notes=(note,) if guess != "m" else ())
    note = (
        f"{name} is {extent:.4g} units large, which is no person in m, cm, mm or in; it was scaled "
        "to the size of a mean body. Give the unit if it is known."
    )
    return replace(surface.scaled(1.0 / size), sized=False, notes=(note,))


def _without_slivers(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Drop faces that name a vertex twice; all others stay, in order."""
    a, b, c = faces.T
    return faces[(a != b) & (b != c) & (c != a)]
