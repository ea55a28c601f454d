"""Bodies from the arrays of a body file as the package `smplx` interprets them; we pose them.

`smplx` is imported only when a body is built. It gets plain arrays; SMPL-X, which it reads from
files alone, goes through a temporary file of our own.
"""

import contextlib
import io
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from ..conventions import BETA_COUNT
from .articulated import MIDDLE_KNUCKLE, ArticulatedBody
from .joints import BODY_JOINTS, HAND_JOINTS, JOINT_INDEX, PARENTS
from .model import BodyModel

logger = logging.getLogger(__name__)

EXPRESSION_COUNT = 10
HAND_NUMBERS = 3 * HAND_JOINTS


def smpl_body(arrays: Mapping[str, np.ndarray], keypoint_vertices: Mapping[str, int]) -> BodyModel:
    """Build a body of 24 joints."""
    from smplx import SMPL
    from smplx.utils import Struct

    with _quiet():
        body = SMPL(
            model_path="",
            data_struct=Struct(**_with_ten_betas(arrays)),
            vertex_ids=dict(keypoint_vertices),
            num_betas=BETA_COUNT,
        )
    buffers = dict(body.named_buffers())
    posedirs = _posedirs(buffers)
    return BodyModel(
        v_template=buffers["v_template"],
        faces=buffers["faces_tensor"],
        shapedirs=buffers["shapedirs"],
        posedirs=posedirs if posedirs.any() else None,
        joint_regressor=buffers["J_regressor"],
        skin_weights=buffers["lbs_weights"],
        keypoint_vertices=keypoint_vertices,
        beta_space="smpl",
    )


def articulated_body(
    arrays: Mapping[str, np.ndarray], keypoint_vertices: Mapping[str, int], beta_space: str
) -> ArticulatedBody:
    """Build a body of 52 (SMPL-H) or 55 joints (SMPL-X): one of 24 while hands and face rest."""
    padded = _with_ten_betas(arrays)
    with _quiet():
        if beta_space == "smplx":
            buffers = _smplx_buffers(padded)
        else:
            buffers = _smplh_buffers(padded, keypoint_vertices)
    weights, regressors = buffers["lbs_weights"], buffers["J_regressor"]
    posedirs, joints = _posedirs(buffers), len(buffers["J_regressor"])
    body = ArticulatedBody(
        v_template=buffers["v_template"],
        faces=buffers["faces_tensor"],
        shapedirs=buffers["shapedirs"],
        posedirs=_body_posedirs(posedirs),
        joint_regressor=_body_regressors(regressors),
        skin_weights=_body_weights(weights),
        keypoint_vertices=keypoint_vertices,
        beta_space=beta_space,
    )
    return body.add_joints(
        parents=(-1, *arrays["kintree_table"][0, 1:joints].astype(int).tolist()),
        regressors=regressors,
        weights=weights,
        posedirs=posedirs,
        expressions=_expressions(buffers),
        face=_face(arrays),
    )


def _with_ten_betas(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Pad shape directions: smplx crashes on fewer."""
    found = arrays["shapedirs"]
    missing = np.zeros((*found.shape[:2], max(0, BETA_COUNT - found.shape[-1])), found.dtype)
    return {**arrays, "shapedirs": np.concatenate([found, missing], axis=-1)}


@contextlib.contextmanager
def _quiet() -> Any:
    """Redirect smplx's standard output (a warning on files with ten betas) to the log."""
    chatter = io.StringIO()
    with contextlib.redirect_stdout(chatter):
        yield
    logger.debug("smplx: %s", chatter.getvalue().strip())


def _hands() -> dict[str, np.ndarray]:
    """Give the hand arrays that smplx requires: zero means and identity components."""
    hands = {f"hands_mean{side}": np.zeros(HAND_NUMBERS) for side in "lr"}
    return hands | {f"hands_components{side}": np.eye(HAND_NUMBERS) for side in "lr"}


def _smplh_buffers(
    arrays: Mapping[str, np.ndarray], keypoint_vertices: Mapping[str, int]
) -> dict[str, Tensor]:
    from smplx import SMPLH
    from smplx.utils import Struct

    body = SMPLH(
        model_path="",
        data_struct=Struct(**arrays, **_hands()),
        vertex_ids=dict(keypoint_vertices),
        num_betas=BETA_COUNT,
        use_pca=False,
        flat_hand_mean=True,
    )
    return dict(body.named_buffers())


def _smplx_buffers(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Write the arrays to a temporary file of plain numbers and load it with smplx."""
    from smplx import SMPLX

    landmarks = {
        "lmk_faces_idx": np.zeros(51, np.int64),
        "lmk_bary_coords": np.full((51, 3), 1 / 3),
    }
    plain = {
        name: array.astype(np.float32) if array.dtype.kind == "f" else array
        for name, array in {**arrays, **_hands(), **landmarks}.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "SMPLX_NEUTRAL.npz"
        np.savez(path, **plain)  # pyright: ignore[reportArgumentType]
        body = SMPLX(
            model_path=str(path),
            num_betas=BETA_COUNT,
            num_expression_coeffs=EXPRESSION_COUNT,
            use_pca=False,
            flat_hand_mean=True,
            use_face_contour=False,
        )
    return dict(body.named_buffers())


def _posedirs(buffers: Mapping[str, Tensor]) -> Tensor:
    return rearrange(
        buffers["posedirs"], "feature (vertices xyz) -> vertices xyz feature", xyz=3
    ).contiguous()


def _expressions(buffers: Mapping[str, Tensor]) -> Tensor:
    """Give ten directions, zero where the family or the file has fewer."""
    directions = torch.zeros(*buffers["v_template"].shape, EXPRESSION_COUNT)
    found = buffers.get("expr_dirs")
    if found is not None:
        directions[..., : found.shape[-1]] = found
    return directions


def _face(arrays: Mapping[str, np.ndarray]) -> Tensor | None:
    """Turn SMPL-X's landmarks, a face and weights each, into a regressor."""
    if "lmk_faces_idx" not in arrays:
        return None
    faces = arrays["lmk_faces_idx"].astype(np.int64)
    corners = torch.from_numpy(arrays["f"][faces].astype(np.int64))
    weights = torch.from_numpy(arrays["lmk_bary_coords"].astype(np.float32))
    return torch.zeros(len(corners), len(arrays["v_template"])).scatter_add(1, corners, weights)


def _first_finger(joints: int) -> int:
    return joints - 2 * HAND_JOINTS


def _body_weights(weights: Tensor) -> Tensor:
    """Add the weights of fingers to the hands, of jaw and eyes to the head."""
    first = _first_finger(weights.shape[1])
    body = weights[:, :BODY_JOINTS].clone()
    body[:, JOINT_INDEX["head"]] += weights[:, BODY_JOINTS:first].sum(dim=1)
    left, right = weights[:, first:].split(HAND_JOINTS, dim=1)
    return torch.cat([body, left.sum(dim=1, keepdim=True), right.sum(dim=1, keepdim=True)], dim=1)


def _body_regressors(regressors: Tensor) -> Tensor:
    """Put SMPL's joint of a hand at its middle knuckle."""
    first = _first_finger(len(regressors))
    knuckles = [first + MIDDLE_KNUCKLE, first + HAND_JOINTS + MIDDLE_KNUCKLE]
    return torch.cat([regressors[:BODY_JOINTS], regressors[knuckles]])


def _body_posedirs(posedirs: Tensor) -> Tensor:
    """Keep what the body's own joints correct."""
    kept = torch.zeros(*posedirs.shape[:2], 9 * (len(PARENTS) - 1))
    moved_by_body = 9 * (BODY_JOINTS - 1)
    kept[..., :moved_by_body] = posedirs[..., :moved_by_body]
    return kept
