"""Bodies that the user brings: SMPL, SMPL-H and SMPL-X files, as `.pkl` or `.npz`.

Read without running pickles and without chumpy, then handed to the `smplx` package, which is
imported here and only when such a file is used: it and the files are licensed for
non-commercial research only. The bundled body needs neither.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..conventions import ANNY
from ..errors import BodyFileError, ParamsError
from ..files.containers import read_container
from .anny import anny_body
from .joints import BODY_JOINTS, PARENTS
from .model import BodyModel, canonical_places
from .smplx_bodies import articulated_body, smpl_body

NEEDED = ("v_template", "f", "weights", "J_regressor", "shapedirs", "kintree_table")
LARGEST = 1e30
"""What still fits into float32."""
LANDMARKS = {"lmk_faces_idx": (51,), "lmk_bary_coords": (51, 3)}
"""Points of the face, in SMPL-X's files: the inner ones of the iBUG 68."""
BETA_SPACES = {24: "smpl", 52: "smplh", 55: "smplx"}


def open_body(path: Path | None) -> BodyModel:
    """Open a user's file, the body `ANNY`, or without a path the bundled one.

    Raises:
        BodyFileError: as `load_body_model`, or the package `anny` is missing.
    """
    if path is None:
        return BodyModel.bundled()
    return anny_body() if path == ANNY and not path.is_file() else load_body_model(path)


def load_body_model(path: Path) -> BodyModel:
    """Build a body from an SMPL-family file; betas are those of the file's own family.

    SMPL-H and SMPL-X give an `ArticulatedBody`: 24 joints to everything else, but fingers, jaw,
    eyes and expression move where the parameters have them.

    Raises:
        BodyFileError: the file is no such body, is damaged, would run code when opened in the
            usual way, or the package `smplx` is missing.
    """
    try:
        contents = read_container(path, expected="a body model's file")
    except ParamsError as failure:
        raise BodyFileError(str(failure)) from failure
    arrays = _checked(contents, path.name)
    joint_count = len(arrays["J_regressor"])
    _require_smplx(path.name)
    ids = _keypoint_vertices(arrays, contents, joint_count)
    if joint_count != len(PARENTS):
        return articulated_body(arrays, ids, BETA_SPACES[joint_count])
    return smpl_body(arrays, ids)


def _require_smplx(name: str) -> None:
    """Say what to install before anything needs it."""
    try:
        import_module("smplx")
    except ImportError as failure:
        raise BodyFileError(
            f"{name} needs the package smplx, which is not installed ({failure}). Install it "
            "with `pip install smplx scipy`; like the file, it is for non-commercial research "
            "only. Without a body file, the bundled body is used."
        ) from failure


def _checked(contents: Any, name: str) -> dict[str, np.ndarray]:
    """Take the arrays of a body out of a file and hold them against each other."""
    if not isinstance(contents, dict):
        raise BodyFileError(
            f"{name} holds a {type(contents).__name__}; a body file holds named arrays."
        )
    if missing := [key for key in NEEDED if not isinstance(contents.get(key), np.ndarray)]:
        raise BodyFileError(
            f"{name} is no body model: it lacks the arrays {', '.join(missing)}. It has "
            f"{', '.join(sorted(map(str, contents)))[:200] or 'nothing'}. Is it a file of poses?"
        )
    arrays = {key: contents[key] for key in NEEDED}
    vertices, joints = (sum(arrays[key].shape[:1]) for key in ("v_template", "J_regressor"))
    if joints not in BETA_SPACES:
        raise BodyFileError(
            f"{name} has {joints} joints; SMPL has 24, SMPL-H 52 and SMPL-X 55. Files of hands "
            "or heads alone (MANO, FLAME) are no bodies."
        )
    posedirs = contents.get("posedirs")
    if not isinstance(posedirs, np.ndarray):
        posedirs = np.zeros((vertices, 3, 9 * (joints - 1)), np.float32)
    arrays["posedirs"] = posedirs
    if all(np.shape(contents.get(key, 0)) == shape for key, shape in LANDMARKS.items()):
        arrays |= {key: contents[key] for key in LANDMARKS}
    _check_shapes(arrays, vertices, joints, name)
    _check_values(arrays, vertices, joints, name)
    return arrays


def _check_shapes(arrays: Mapping[str, np.ndarray], vertices: int, joints: int, name: str) -> None:
    """Compare every shape with the count of vertices and joints; -1 stands for any size."""
    shapes = {
        "v_template": (vertices, 3),
        "f": (-1, 3),
        "weights": (vertices, joints),
        "J_regressor": (joints, vertices),
        "shapedirs": (vertices, 3, -1),
        "posedirs": (vertices, 3, 9 * (joints - 1)),
        "kintree_table": (2, joints),
    }
    for key, shape in shapes.items():
        found = arrays[key].shape
        fits = len(found) == len(shape) and all(
            size in (-1, have) for size, have in zip(shape, found, strict=True)
        )
        if not fits or arrays[key].dtype.kind not in "iuf":
            raise BodyFileError(
                f"{name}: {key} is {found} of {arrays[key].dtype}; expected numbers of shape "
                f"{shape} for {vertices} vertices and {joints} joints (-1: any)."
            )


def _check_values(arrays: Mapping[str, np.ndarray], vertices: int, joints: int, name: str) -> None:
    """Refuse numbers that are not finite, faces without vertices, and other skeletons."""
    for key, array in arrays.items():
        with np.errstate(all="ignore"):
            usable = bool((np.abs(array.astype(np.float64)) < LARGEST).all())
        if not usable:
            raise BodyFileError(
                f"{name}: {key} holds numbers that are not finite, or far too large."
            )
    faces = arrays["f"]
    if len(faces) and not 0 <= faces.min() <= faces.max() < vertices:
        raise BodyFileError(
            f"{name}: faces name vertex {faces.max()}, but there are {vertices} vertices."
        )
    landmarks = arrays.get("lmk_faces_idx", faces[:0, 0])
    if len(landmarks) and not 0 <= landmarks.min() <= landmarks.max() < len(faces):
        raise BodyFileError(
            f"{name}: its landmarks name face {landmarks.max()}, but there are {len(faces)} faces."
        )
    shared = len(PARENTS) if joints == len(PARENTS) else BODY_JOINTS
    parents = arrays["kintree_table"][0, 1:shared].astype(np.int64)
    others = arrays["kintree_table"][0, shared:].astype(np.int64)
    hang_on_later = (others < 0) | (others >= np.arange(shared, joints))
    if parents.tolist() != list(PARENTS[1:shared]) or hang_on_later.any():
        raise BodyFileError(f"{name}: its joints hang together in another way than SMPL's.")


def _keypoint_vertices(
    arrays: Mapping[str, np.ndarray], contents: Mapping[str, Any], joint_count: int
) -> dict[str, int]:
    """Find nose, eyes, ears, toes, heels and fingertips.

    They are the file's own (`vertex_ids`, pairs of name and number), or smplx's where the mesh
    is the family's, or else the vertices whose places on the rest body are nearest to those of
    the bundled body.
    """
    own = contents.get("vertex_ids")
    vertex_count = len(arrays["v_template"])
    if isinstance(own, np.ndarray) and own.ndim == 2 and own.shape[1] == 2:
        return {str(key): int(vertex) % vertex_count for key, vertex in own}
    if vertex_count in (6890, 10475):
        from smplx.vertex_ids import vertex_ids

        return dict(vertex_ids["smplx" if joint_count == 55 else "smplh"])
    template, regressor = (
        torch.from_numpy(arrays[name].astype(np.float32)) for name in ("v_template", "J_regressor")
    )
    return BodyModel.bundled().nearest_keypoints(canonical_places(template, regressor))
