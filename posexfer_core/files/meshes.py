"""OBJ, PLY, STL and GLB files, without ever opening another file; OBJ and PLY through trimesh.

Materials and textures are ignored. References that trimesh would follow and counts that it would
allocate blindly (material libraries, buffer URIs) are removed or refused first.
"""

import io
import json
import logging
import re
import struct
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..errors import MeshError
from .bvh_text import Bvh
from .glb_motion import read_motion
from .glb_skins import GlbSkins
from .pickles import DAMAGE, read_bytes

logger = logging.getLogger(__name__)

SUFFIXES = (".obj", ".ply", ".stl", ".glb", ".vrm")
GLB_SUFFIXES = (".glb", ".vrm")
"""VRM avatars are GLB files."""
A_MESH = f"a mesh file ({', '.join(SUFFIXES)})"
MOST_BYTES = 512 * 2**20
MOST_ELEMENTS = 4_000_000
"""Vertices, faces, or numbers of one accessor."""
MOST_NODES = 100_000
EXPORT_AGAIN = "Export the mesh again, as .glb or .obj."

TRIMESH_STUMBLES = (AssertionError, NameError, NotImplementedError, OSError, struct.error)
"""What its readers raise on damage, besides the usual."""

_OBJ_LINES = re.compile(rb"^[ \t]*(?:v|f)[ \t][^\r\n]*", re.MULTILINE)
_OBJ_TEXTURE = re.compile(rb"/[-0-9/]*")
_STL_VERTEX = re.compile(rb"^[ \t]*vertex[ \t]+([^\r\n]+)", re.MULTILINE | re.IGNORECASE)
STL_BYTES = 50
"""Of a triangle in a binary STL: its normal, three corners, two more."""
_PLY_ELEMENT = re.compile(rb"^element\s+\S+\s+(\S+)", re.MULTILINE)

Arrays = tuple[Float[np.ndarray, "vertices 3"], Int[np.ndarray, "faces 3"]]


def read_mesh(path: Path) -> Arrays:
    """Read vertices, in the file's own unit and axes, and triangles.

    All meshes of a file are joined, placed by the file's scene and posed by its skeleton. Vertices
    keep the file's order.

    Raises:
        MeshError: the file is missing, too big, damaged, of another kind or points outside itself,
            has no faces, or trimesh is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise MeshError(
            f"{path.name} is of no kind that is read as a mesh.\nExpected {A_MESH}.\n"
            "Export the mesh as .glb or .obj from the program it was made with."
        )
    data = read_bytes(path, error=MeshError, expected=A_MESH, most=MOST_BYTES)
    kind = path.suffix.lower()[1:]
    if path.suffix.lower() in GLB_SUFFIXES:
        return _checked(*_read_glb(data, path.name), path.name)
    if kind == "stl":
        return _checked(*_read_stl(data, path.name), path.name)
    if kind == "obj":
        data = _plain_obj(data, path.name)
    elif kind == "ply":
        _check_ply(data, path.name)
    return _checked(*_through_trimesh(data, kind, path.name), path.name)


def _plain_obj(data: bytes, name: str) -> bytes:
    """Keep the vertices and faces of an OBJ; seams of a texture split no vertices then."""
    lines = [match.group() for match in _OBJ_LINES.finditer(data)]
    if not lines:
        raise MeshError(
            f"{name} holds no OBJ vertices or faces.\nExpected lines that begin with v and f.\n"
            f"{EXPORT_AGAIN}"
        )
    plain = b"\n".join(lines)
    return _OBJ_TEXTURE.sub(b"", plain) + b"\n"


def _read_stl(data: bytes, name: str) -> Arrays:
    """Read triangles, binary or text, and join corners at the same place."""
    count = int.from_bytes(data[80:84], "little")
    if len(data) >= 84 and len(data) == 84 + STL_BYTES * count:
        rows = np.frombuffer(data, "u1", offset=84).reshape(count, STL_BYTES)
        corners = np.ascontiguousarray(rows[:, 12:48]).view("<f4").reshape(-1, 3)
    else:
        found = _STL_VERTEX.findall(data)
        try:
            corners = np.array([line.split() for line in found], np.float32).reshape(-1, 3)
        except ValueError as failure:
            raise MeshError(
                f"{name} is a damaged STL file: {failure}.\n"
                f"Expected three numbers after each `vertex`.\n{EXPORT_AGAIN}"
            ) from failure
    if len(corners) < 3 or len(corners) % 3:
        raise MeshError(
            f"{name} is no whole STL file: {len(corners)} corners of triangles.\n"
            f"Expected three corners for each triangle.\n{EXPORT_AGAIN}"
        )
    if len(corners) > 3 * MOST_ELEMENTS:
        raise _too_large(name, f"{len(corners) // 3} faces")
    vertices, index = np.unique(corners, axis=0, return_inverse=True)
    return vertices, index.reshape(-1, 3)


def _check_ply(data: bytes, name: str) -> None:
    """Compare a PLY's counts with the file's size."""
    header, found, _ = data[: 2**16].partition(b"end_header")
    if not data.startswith(b"ply") or not found:
        raise MeshError(
            f"{name} is no PLY file: its header is missing or has no end.\n"
            f"Expected a header from `ply` to `end_header`.\n{EXPORT_AGAIN}"
        )
    for count in _PLY_ELEMENT.findall(header):
        if not count.isdigit() or int(count) > min(len(data), MOST_ELEMENTS):
            raise MeshError(
                f"{name} claims {count.decode(errors='replace')[:20]!r} elements.\n"
                f"Expected no more than its {len(data)} bytes can hold, and at most "
                f"{MOST_ELEMENTS}.\n{EXPORT_AGAIN}"
            )


def read_moving(path: Path) -> GlbSkins | Bvh | None:
    """Read the meshes of a GLB file that a skeleton poses, or the motion of one without meshes.

    Raises:
        MeshError: as `read_mesh`.
    """
    if path.suffix.lower() not in GLB_SUFFIXES:
        return None
    data = read_bytes(path, error=MeshError, expected=A_MESH, most=MOST_BYTES)
    document = _read_document(data, path.name)
    if document.get("meshes"):
        return _find_skins(data, document, path.name)
    with _reading_glb(path.name):
        return read_motion(data, document)


def posed_vertices(
    skins: GlbSkins, name: str, frame: int | None = None
) -> Float[np.ndarray, "vertices 3"]:
    """Pose the meshes by the nodes at rest, or by those of a frame of their clips, from 0.

    Raises:
        MeshError: the file is damaged.
    """
    with _reading_glb(name):
        vertices = skins.vertices(frame)
    return _checked(vertices, skins.faces, name)[0]


@contextmanager
def _reading_glb(name: str) -> Iterator[None]:
    """Turn what damage raises into our error; what is not finite is refused later."""
    try:
        with np.errstate(all="ignore"):
            yield
    except DAMAGE as failure:
        raise MeshError(
            f"{name} is a damaged GLB: {_said(failure)}.\n"
            f"Expected binary glTF 2.0 whose parts fit each other.\n{EXPORT_AGAIN}"
        ) from failure


def _read_document(data: bytes, name: str) -> Mapping[str, Any]:
    """Check a GLB file and read its JSON."""
    if len(data) < 20 or data[:4] != b"glTF" or data[16:20] != b"JSON":
        raise MeshError(
            f"{name} is no binary glTF 2.0 file.\nExpected a file that begins with `glTF`.\n"
            "Export it as .glb; a .gltf that was renamed is text."
        )
    length = struct.unpack("<I", data[12:16])[0]
    with _reading_glb(name):
        document = json.loads(data[20 : 20 + length])
        _check_gltf(document, name)
    return document


def _find_skins(data: bytes, document: Mapping[str, Any], name: str) -> GlbSkins | None:
    with _reading_glb(name):
        return GlbSkins.of(data, document)


def _read_glb(data: bytes, name: str) -> Arrays:
    """Read a GLB file as its nodes stand; animations that move no skeleton are told."""
    document = _read_document(data, name)
    skins = _find_skins(data, document, name)
    clips = document.get("animations")
    others = (len(clips) if isinstance(clips, list) else 0) - (len(skins.clips) if skins else 0)
    if others > 0:
        logger.warning(
            "%s holds %d animation(s) that move no skeleton; they are not read.", name, others
        )
    if skins is not None:
        return posed_vertices(skins, name), skins.faces
    return _through_trimesh(data, "glb", name)


def _check_gltf(document: Mapping[str, Any], name: str) -> None:
    """Refuse GLB files that point outside themselves or claim more than they can hold."""
    for buffer in document.get("buffers", []):
        if not str(buffer.get("uri", "data:")).startswith("data:"):
            raise MeshError(
                f"{name} keeps its data in another file, {str(buffer['uri'])[:80]!r}.\n"
                "Expected all data inside the file; others are not opened.\n"
                "Export it as one .glb with everything inside."
            )
    for used in document.get("extensionsRequired", []):
        if str(used) in ("KHR_draco_mesh_compression", "EXT_meshopt_compression"):
            raise MeshError(
                f"{name} is compressed ({used}).\nExpected plain vertices and faces.\n"
                "Export it without compression."
            )
    counts = [int(accessor["count"]) for accessor in document.get("accessors", [])]
    nodes = document.get("nodes", [])
    placed = sum("mesh" in node for node in nodes)
    largest = max(counts, default=0)
    if not 0 <= largest <= MOST_ELEMENTS or placed * largest > 4 * MOST_ELEMENTS:
        raise _too_large(name, f"{largest} elements in {placed} places")
    children = sum(len(node.get("children", [])) for node in nodes)
    if len(nodes) > MOST_NODES or children > len(nodes):
        raise MeshError(
            f"{name} has a scene of {len(nodes)} nodes that is no tree.\n"
            f"Expected at most {MOST_NODES} nodes, each with one parent.\n{EXPORT_AGAIN}"
        )


def _through_trimesh(data: bytes, kind: str, name: str) -> Arrays:
    """Read prepared bytes with trimesh."""
    try:
        import trimesh
    except ImportError as failure:
        raise MeshError(
            f"{name} cannot be read: the package trimesh is not installed.\n"
            "Expected trimesh, which reads OBJ, PLY and GLB meshes.\n"
            "Install it with `pip install trimesh scipy`."
        ) from failure
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # of damaged numbers; they are refused below
            scene = trimesh.load_scene(
                io.BytesIO(data), file_type=kind, process=False, skip_materials=True
            )
            parts = [part for part in scene.dump() if isinstance(part, trimesh.Trimesh)]
            return _joined([(np.asarray(p.vertices), np.asarray(p.faces)) for p in parts])
    except (*DAMAGE, *TRIMESH_STUMBLES) as failure:
        raise MeshError(
            f"{name} is damaged or no {kind.upper()} file ({_said(failure)}).\n"
            f"Expected a whole {kind.upper()} file.\n{EXPORT_AGAIN}"
        ) from failure


def _said(failure: Exception) -> str:
    """Quote an error of a reader on one line."""
    return f"{type(failure).__name__}: {' '.join(str(failure).split())[:160]}"


def _too_large(name: str, found: str) -> MeshError:
    return MeshError(
        f"{name} claims {found}.\nExpected at most {MOST_ELEMENTS} elements.\n"
        "Reduce the mesh (Blender: Decimate)."
    )


def _joined(parts: list[Arrays]) -> Arrays:
    """Put several meshes into one."""
    if not parts:
        return np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts[:-1])])
    faces = [faces + start for (_, faces), start in zip(parts, starts, strict=True)]
    return np.concatenate([vertices for vertices, _ in parts]), np.concatenate(faces)


def _checked(vertices: np.ndarray, faces: np.ndarray, name: str) -> Arrays:
    """Check that vertices and faces are a surface."""
    if len(faces) == 0 or len(vertices) < 4:
        raise MeshError(
            f"{name} has {len(vertices)} vertices and {len(faces)} faces.\n"
            "Expected a surface of triangles.\nMesh a point cloud first."
        )
    if max(len(vertices), len(faces)) > MOST_ELEMENTS:
        raise _too_large(name, f"{len(vertices)} vertices and {len(faces)} faces")
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.min() < 0 or faces.max() >= len(vertices):
        raise MeshError(
            f"{name}: faces name vertices that are not there.\n"
            f"Expected triangles of its {len(vertices)} vertices.\n{EXPORT_AGAIN}"
        )
    if bad := int((~np.isfinite(vertices)).sum()):
        raise MeshError(
            f"{name}: {bad} coordinates are NaN or infinite.\nExpected numbers.\n{EXPORT_AGAIN}"
        )
    return vertices.astype(np.float64), faces.astype(np.int64)
