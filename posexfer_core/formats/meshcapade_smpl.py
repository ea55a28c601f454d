"""Meshcapade's `.smpl` files: a flat `.npz` of int32 and float32, without a camera, y up."""

import logging
from pathlib import Path

import numpy as np
import torch

from ..body.hands_face import SHAPES
from ..body.joints import BODY_JOINTS, HAND_JOINTS
from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.pose_editing import seen_by, y_up_camera
from ..errors import ParamsError
from ..files.archive import write_archive
from ..files.fields import Fields
from .format import Format, has
from .hands_face import expressions, fill
from .mocap import frame_rate, world_track
from .track import PELVIS, Source, Track, TrackHandsFace, smpl_pose

logger = logging.getLogger(__name__)

VERSIONS = {0: "smpl", 1: "smplh", 2: "smplx"}
"""The codec's number of a body family → our name."""
CODEC_VERSION = 2
MOST_FRAMES = 1_000_000


def read_smpl_codec(source: Source) -> list[Track]:
    """Read one person in a world without a camera, y up."""
    fields = source.fields
    version = int(fields.number("smplVersion"))
    if version not in VERSIONS:
        raise ParamsError(
            f"{fields.name} is of body family {version} of the codec; read are 0 (SMPL), "
            "1 (SMPL-H) and 2 (SMPL-X)."
        )
    pose = _pose(fields)
    count = len(pose)
    transl = np.zeros((count, 3))
    if "bodyTranslation" in fields:
        transl = fields.rows("bodyTranslation", width=3, count=count)
    betas = fields.betas("shapeParameters", count=count)
    hands_face = _hands_face(fields, count) if version != 0 else None
    track = world_track(source, pose, betas, transl, VERSIONS[version], "y", hands_face)
    track.frame_rate = frame_rate(fields, "frameRate")
    return [track]


def _hands_face(fields: Fields, count: int) -> TrackHandsFace:
    """Read hands, face and expression, where they are."""
    hands_face = TrackHandsFace.rest(count)
    fill(
        fields,
        leftHandPose=hands_face.fingers[:, :HAND_JOINTS],
        rightHandPose=hands_face.fingers[:, HAND_JOINTS:],
        headPose=hands_face.face,
    )
    hands_face.expression = expressions(fields, "expressionParameters", count)
    return hands_face


def _pose(fields: Fields) -> np.ndarray:
    """Read the pose; the codec leaves out what is at rest."""
    if "bodyPose" not in fields:
        count = int(fields.number("frameCount")) if "frameCount" in fields else 1
        if not 0 <= count <= MOST_FRAMES:
            raise ParamsError(f"{fields.name}: frameCount is {count}.")
        return np.zeros((max(count, 1), 24, 3))
    body = fields.rotations("bodyPose", joints=(24, 22))
    return smpl_pose(body[:, :1], body[:, 1:])


def save_smpl(params: HumanParams, path: Path | str, *, body: BodyModel | None = None) -> None:
    """Write the first person as a `.smpl` file, which Blender's add-ons and smplcodec open.

    The format has no camera: the motion is written in the camera frame, turned y up. Betas of
    bodies that are not of SMPL's families are replaced by the mean shape, with its pelvis where
    theirs was, and a warning says so.

    Args:
        params: any number of frames, at their own rate or else 30 a second.
        path: where to; an existing file is replaced, whole or not at all.
        body: the body of the betas; only its pelvis is used, which moves the translation by
            millimetres. The mean shape's where left out.

    Raises:
        OutputError: the folder does not exist or cannot be written.
    """
    params = params.select(None).to("cpu", torch.float64)
    space = params.beta_space if params.beta_space in PELVIS else "smpl"
    betas = params.betas[:, 0].numpy()
    source = Source(path=Path(path), content=None, body=body)
    pelvis = source.pelvis(betas, params.beta_space)
    seen = seen_by(params, y_up_camera(params.frames), torch.from_numpy(pelvis)[:, None])
    transl = seen.transl[:, 0].numpy()
    if space != params.beta_space:
        logger.warning(
            "The betas are of the body %r, which %s does not know; the mean shape is written.",
            params.beta_space,
            Path(path).name,
        )
        betas = np.zeros_like(betas)
        transl = transl + pelvis - source.pelvis(betas, space)
    pose = seen.pose[:, 0].numpy()
    joints = 24 if space == "smpl" else BODY_JOINTS
    number = next(key for key, name in VERSIONS.items() if name == space)
    write_archive(
        Path(path),
        _written_hands_face(params, space)
        | {
            "codecVersion": np.array(CODEC_VERSION, np.int32),
            "smplVersion": np.array(number, np.int32),
            "gender": np.array(0, np.int32),
            "shapeParameters": betas[0].astype(np.float32),
            "frameCount": np.array(len(pose), np.int32),
            "frameRate": np.array(params.frame_rate or 30.0, np.float32),
            "bodyTranslation": transl.astype(np.float32),
            "bodyPose": pose[:, :joints].astype(np.float32),
        },
    )


def _written_hands_face(params: HumanParams, space: str) -> dict[str, np.ndarray]:
    """Give hands, face and expression the codec's names."""
    if params.hands_face is None or space == "smpl":
        return {}
    fingers, face, expression = (
        getattr(params.hands_face, name)[:, 0].float().numpy() for name in SHAPES
    )
    hands = {"leftHandPose": fingers[:, :HAND_JOINTS], "rightHandPose": fingers[:, HAND_JOINTS:]}
    return (
        hands
        if space == "smplh"
        else hands | {"headPose": face, "expressionParameters": expression}
    )


FORMATS = (
    Format(
        name="smpl-codec",
        title="Meshcapade .smpl",
        matches=has("smplVersion", one_of=("bodyPose", "codecVersion", "gender")),
        read=read_smpl_codec,
    ),
)
