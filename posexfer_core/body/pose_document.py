"""Poses and a camera as JSON text: what the pose editor writes, and anybody else may.

Radians, metres; a world whose y is up, in which the body at rest faces +z. Of an input body the
world is its camera's frame with y up: the camera stands at the origin and looks along -z.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..conventions import BETA_COUNT, JOINT_COUNT
from ..files.json_fields import check_keys, numbers, read_json, refusal, shortened
from .hands_face import FINGERS, HandsFace
from .model import BodyModel
from .orbit_camera import OrbitCamera
from .params import HumanParams
from .pose_editing import rest_pelvis, seen_by, y_up_camera

VERSION = 1
MOST_FRAMES = 256
MOST_CHARACTERS = 1_000_000
DIGITS = 6
ADVICE = "Clear the text to start from the input, or repair it; the node's help has an example."

STANDING = (*[(0.0, 0.0, 0.0)] * 16, (0.0, 0.0, -1.1), (0.0, 0.0, 1.1), *[(0.0, 0.0, 0.0)] * 6)
"""The turn of each joint where somebody stands: the shoulders let the arms hang down."""
CAMERA = OrbitCamera(yaw=0.4, pitch=0.1, distance=3.4, target=(0.0, -0.3, 0.0), fov_deg=35.0)
"""Sees the standing body whole, half from the front."""

_CAMERA_NEEDS = {"yaw": (), "pitch": (), "distance": (), "target": (3,), "fov_deg": ()}
_CAMERA_MAY = {"centre": (2,), "pixel_aspect": ()}


@dataclass(frozen=True, kw_only=True, eq=False)
class PoseDocument:
    """One person in one or more poses."""

    pose: Float[Tensor, "frames 24 3"]
    """Axis-angle of SMPL's joints, each in its parent's frame, radians."""
    transl: Float[Tensor, "frames 3"]
    """Shift of the posed body, metres."""
    fingers: Float[Tensor, "frames 30 3"] | None = None
    """As in `HandsFace`; None: at rest."""
    camera: OrbitCamera | None = None
    """Of all poses; None: that of what is edited."""
    betas: Float[Tensor, "10"] | None = None
    """Shape of the bundled body, where there is no input body; None: the mean."""

    @classmethod
    def parse(cls, text: str) -> "PoseDocument":
        """Read the text of a document.

        Raises:
            ParamsError: it is something else; in three lines.
        """
        return cls.from_json(read_json(text, MOST_CHARACTERS, ADVICE))

    @classmethod
    def from_json(cls, found: Any) -> "PoseDocument":
        """Read a document from what JSON holds, as `parse` does."""
        check_keys(found, "the pose", ("version", "frames"), ("camera", "betas"), ADVICE)
        version = found["version"]
        if isinstance(version, bool) or version != VERSION:
            raise refusal(
                f"Found version {shortened(version)}.", f"Expected version {VERSION}.", ADVICE
            )
        frames = found["frames"]
        if not isinstance(frames, list) or not 1 <= len(frames) <= MOST_FRAMES:
            count = len(frames) if isinstance(frames, list) else "no list of"
            raise refusal(f"Found {count} frames.", f"Expected 1 to {MOST_FRAMES}.", ADVICE)
        for number, frame in enumerate(frames):
            _check_frame(frame, f"frames[{number}]")
        fingers = None
        if any("fingers" in frame for frame in frames):
            rest = [[0.0] * 3] * FINGERS
            fingers = torch.tensor([frame.get("fingers", rest) for frame in frames]).float()
        betas = found.get("betas")
        if betas is not None:
            betas = torch.tensor(numbers(betas, (BETA_COUNT,), "betas", ADVICE)).float()
        camera = found.get("camera")
        return cls(
            pose=torch.tensor([frame["pose"] for frame in frames]).float(),
            transl=torch.tensor([frame["transl"] for frame in frames]).float(),
            fingers=fingers,
            camera=None if camera is None else parse_camera(camera),
            betas=betas,
        )

    def as_dict(self) -> dict[str, Any]:
        """Give what JSON holds of it."""
        frames = []
        for number, (pose, transl) in enumerate(zip(self.pose, self.transl, strict=True)):
            frame = {"pose": pose.tolist(), "transl": transl.tolist()}
            if self.fingers is not None:
                frame["fingers"] = self.fingers[number].tolist()
            frames.append(frame)
        document: dict[str, Any] = {"version": VERSION, "frames": frames}
        if self.camera is not None:
            document["camera"] = self.camera.as_dict()
        if self.betas is not None:
            document["betas"] = self.betas.tolist()
        return _rounded(document)


def parse_camera(found: Any) -> OrbitCamera:
    """Read a camera of a document.

    Raises:
        ParamsError: it is something else; in three lines.
    """
    check_keys(found, "camera", _CAMERA_NEEDS, _CAMERA_MAY, ADVICE)
    shapes = {**_CAMERA_NEEDS, **_CAMERA_MAY}
    checked = {
        name: numbers(value, shapes[name], f"camera.{name}", ADVICE)
        for name, value in found.items()
    }
    fields: dict[str, Any] = {
        name: tuple(one) if shapes[name] else one for name, one in checked.items()
    }
    camera = OrbitCamera(**fields)
    if not (camera.distance > 0 and camera.pixel_aspect > 0 and 1 <= camera.fov_deg <= 170):
        raise refusal(
            f"Found camera.distance {camera.distance}, camera.fov_deg {camera.fov_deg}, "
            f"camera.pixel_aspect {camera.pixel_aspect}.",
            "Expected a distance and an aspect above 0, and 1 to 170 degrees.",
            ADVICE,
        )
    return camera


def _check_frame(frame: Any, where: str) -> None:
    check_keys(frame, where, ("pose", "transl"), ("fingers",), ADVICE)
    numbers(frame["pose"], (JOINT_COUNT, 3), f"{where}.pose", ADVICE)
    numbers(frame["transl"], (3,), f"{where}.transl", ADVICE)
    if "fingers" in frame:
        numbers(frame["fingers"], (FINGERS, 3), f"{where}.fingers", ADVICE)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0  # no negative zeros
    if isinstance(value, Mapping):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value


def standing(image_size: tuple[int, int]) -> HumanParams:
    """Make what is edited where there is no input: the bundled body, standing before `CAMERA`."""
    params = HumanParams.single(
        pose=torch.tensor(STANDING),
        betas=torch.zeros(BETA_COUNT),
        transl=torch.zeros(3),
        intrinsics=CAMERA.intrinsics(image_size),
        image_size=image_size,
    )
    return seen_through(params, CAMERA)


def to_edit(params: HumanParams, body: BodyModel) -> HumanParams:
    """Move one person to the world of documents; every image stays the same.

    Args:
        params: one person in any number of frames.
        body: the body that the betas are of.
    """
    return seen_by(params, y_up_camera(params.frames), rest_pelvis(params, body))


def document_of(start: HumanParams, body: BodyModel) -> PoseDocument:
    """Describe what is edited: at most `MOST_FRAMES` frames, with the camera of the first.

    Args:
        start: of `standing` or `to_edit`.
        body: the body that the betas are of.
    """
    kept = start.part(slice(MOST_FRAMES))
    camera = kept.camera_from_world[0]
    pelvis = rest_pelvis(kept, body)[0, 0] + kept.transl[0, 0]
    hands_face = kept.hands_face
    return PoseDocument(
        pose=kept.pose[:, 0],
        transl=kept.transl[:, 0],
        fingers=None if hands_face is None else hands_face.fingers[:, 0],
        camera=OrbitCamera.of(
            kept.intrinsics[0],
            kept.image_size,
            camera,
            float(camera[2, :3] @ pelvis + camera[2, 3]),
        ),
    )


def edited(document: PoseDocument, start: HumanParams) -> HumanParams:
    """Pose what is edited as a document says.

    Shape, face and, where the document names none, the camera stay those of `start`: frame by
    frame where both have as many, else those of its first frame.

    Args:
        document: the poses wanted.
        start: of `standing` or `to_edit`.
    """
    frames = len(document.pose)
    rows = torch.arange(frames) if frames == start.frames else torch.zeros(frames).long()
    kept = start.part(rows)
    hands_face = kept.hands_face
    if hands_face is not None or document.fingers is not None:
        rest = hands_face or HandsFace.rest(kept.pose)
        fingers = torch.zeros(frames, FINGERS, 3) if document.fingers is None else document.fingers
        hands_face = replace(rest, fingers=fingers[:, None].to(rest.fingers))
    params = replace(
        kept,
        pose=document.pose[:, None].to(kept.pose),
        transl=document.transl[:, None].to(kept.transl),
        hands_face=hands_face,
    )
    if document.betas is not None:
        betas = document.betas.expand(frames, 1, -1).to(kept.betas)
        params = replace(params, betas=betas, beta_space="posexfer")
    return params if document.camera is None else seen_through(params, document.camera)


def seen_through(params: HumanParams, camera: OrbitCamera) -> HumanParams:
    """Let this camera see every frame; the world stays."""
    size, count = params.image_size, params.frames
    return params.with_camera(
        camera.intrinsics(size).to(params.pose).repeat(count, 1, 1),
        size,
        camera.camera_from_world().to(params.pose).repeat(count, 1, 1),
    )
