"""The smallest files that need smplx and trimesh to be read."""

from pathlib import Path

import numpy as np

from posexfer_core.body.model import BodyModel
from tests.posexfer_core.body.toy_body import toy_smpl_arrays


def write_toy_smpl(path: Path) -> None:
    """Write a body in SMPL's file format."""
    np.savez(path, allow_pickle=False, **toy_smpl_arrays(BodyModel.bundled()))


def write_triangle(path: Path) -> None:
    """Write a mesh of one face."""
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
