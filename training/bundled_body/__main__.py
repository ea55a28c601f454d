"""`python -m training.bundled_body [FILE]`: make the bundled body again, in a few seconds."""

import argparse
import sys
from pathlib import Path

import numpy as np

from posexfer_core.body.joints import PARENTS
from posexfer_core.body.model import ASSET
from posexfer_core.conventions import JOINT_COUNT
from posexfer_core.files.archive import write_archive

from .anatomy import body_parts
from .mesh import SymmetricMesh, is_closed_sphere, mesh_body
from .regressor import ShapeTargets, regress_joints
from .sdf import sample_body
from .shape import shape_directions
from .skeleton import REST_JOINTS
from .skin import skin

CELL_M = 0.006
FACE_COUNT = 14602
LOW, HIGH = (0.0, -0.012, -0.20), (0.93, 1.745, 0.22)
PELVIS = np.array([0.0, -0.22, 0.03])
"""Where the pelvis rests in the finished body, as it about does in SMPL's."""
SMALLEST = 2.0**-20
"""Stored numbers are multiples of this: a micrometre, and less to store."""

KEYPOINTS = {
    "nose": (0.0, 1.585, 0.125),
    "leye": (0.033, 1.612, 0.095),
    "lear": (0.087, 1.595, -0.01),
    "LBigToe": (0.094, 0.02, 0.19),
    "LSmallToe": (0.163, 0.02, 0.15),
    "LHeel": (0.098, 0.03, -0.10),
    "lthumb": (0.80, 1.37, 0.03),
    "lindex": (0.875, 1.38, 0.01),
    "lmiddle": (0.885, 1.38, -0.02),
    "lring": (0.875, 1.38, -0.05),
    "lpinky": (0.855, 1.38, -0.075),
}
"""Left and middle keypoints that are vertices, under smplx's names, in the build frame."""


def build_body() -> dict[str, np.ndarray]:
    """Make every array of the asset, under the names of SMPL files."""
    parts = body_parts()
    mesh = mesh_body(sample_body(parts, LOW, HIGH, CELL_M), FACE_COUNT)
    assert is_closed_sphere(len(mesh.vertices), mesh.faces), "the mesh has holes or handles"
    weights = skin(mesh, parts)
    vertex_offsets, joint_offsets = shape_directions(mesh.vertices, weights)
    regressor = regress_joints(
        mesh, weights, ShapeTargets(vertices=vertex_offsets, joints=joint_offsets)
    )
    to_rest = PELVIS - REST_JOINTS[0]
    return {
        "v_template": _rounded(mesh.vertices + to_rest),
        "f": mesh.faces.astype(np.uint32),
        "weights": weights.astype(np.float32),
        "J_regressor": regressor.astype(np.float32),
        "shapedirs": _rounded(vertex_offsets),
        "kintree_table": np.array([PARENTS, range(JOINT_COUNT)], np.int64).astype(np.uint32),
        "J": _rounded(REST_JOINTS + to_rest),
        "sym": mesh.mirror.astype(np.int32),
        "seg": weights.argmax(axis=1).astype(np.uint8),
        "vertex_ids": _keypoint_vertices(mesh),
    }


def main() -> None:
    """Build, write and print what came out."""
    parser = argparse.ArgumentParser(prog="python -m training.bundled_body", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=ASSET, help="where to write it")
    path = parser.parse_args().file
    arrays = build_body()
    write_archive(path, arrays)
    sys.stdout.write(
        f"{path}: {len(arrays['v_template'])} vertices, {len(arrays['f'])} faces, "
        f"{path.stat().st_size} bytes\n"
    )


def _keypoint_vertices(mesh: SymmetricMesh) -> np.ndarray:
    """Find the vertex nearest to every keypoint; the right side mirrors the left."""
    found: dict[str, int] = {}
    for name, position in KEYPOINTS.items():
        vertex = int(np.linalg.norm(mesh.vertices - position, axis=1).argmin())
        found[name] = vertex
        if name[0] in "lL":
            found["rR"["lL".index(name[0])] + name[1:]] = int(mesh.mirror[vertex])
    return np.array([(name, str(vertex)) for name, vertex in found.items()], "U12")


def _rounded(values: np.ndarray) -> np.ndarray:
    return (np.round(values / SMALLEST) * SMALLEST).astype(np.float32)


if __name__ == "__main__":
    main()
