"""What a reader of one format hands over: one person over some frames, and the camera."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from ..body.hands_face import SHAPES, Details
from ..body.model import BodyModel
from ..body.params import HumanParams
from ..errors import ParamsError
from ..files.fields import Fields, as_axis_angles

DEFAULT_SIZE = (1080, 1920)
"""Height and width taken for a video's frame where neither the file nor the caller knows."""

PELVIS = {
    "smpl": (-0.0018, -0.2233, 0.0282),
    "smplh": (-0.0018, -0.2233, 0.0282),
    "smplx": (0.0031, -0.3514, 0.0120),
}
"""Where the mean shape of each body family has its pelvis at rest, metres."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that was opened, and what the caller said about it."""

    path: Path
    content: Any
    image_size: tuple[int, int] | None = None
    """`(height, width)` of the image, pixels, where given; used where the file has none."""
    body: BodyModel | None = None
    """The body whose pelvis is meant, where given."""

    @property
    def fields(self) -> Fields:
        """The content as named values."""
        return Fields(self.content, self.path.name)

    def size_or_default(self, notes: list[str], why: str) -> tuple[int, int]:
        """Give the image size; where it is not known, assume one and say so."""
        if self.image_size is not None:
            return self.image_size
        notes.append(
            f"{self.path.name} does not hold the size of its image, which {why}; "
            f"{DEFAULT_SIZE[1]}x{DEFAULT_SIZE[0]} was taken. Give image_size=(height, width)."
        )
        return DEFAULT_SIZE

    def size_around(self, center: np.ndarray) -> tuple[int, int]:
        """Give the image size that a principal point tells: the caller's if it is near that.

        A lens need not look through the very middle, so up to a tenth of difference is the
        lens's; beyond that the caller speaks of the image at another resolution.
        """
        told = (round(2 * center[1]), round(2 * center[0]))
        given = self.image_size
        if given is not None and np.allclose(given, told, rtol=0.1):
            return given
        return told

    def pelvis(self, betas: Float[np.ndarray, "frames 10"], beta_space: str) -> np.ndarray:
        """Find the pelvis at rest: of the caller's body if it is of this kind, else the mean's."""
        if self.body is not None and self.body.beta_space == beta_space:
            _, joints = self.body.rest(torch.from_numpy(betas).to(self.body.v_template))
            return joints[:, 0].double().cpu().numpy()
        return np.tile(PELVIS.get(beta_space, PELVIS["smpl"]), (len(betas), 1))


@dataclass(kw_only=True)
class TrackDetails:
    """Fingers, face and expression of one person, as in `body.details`."""

    fingers: Float[np.ndarray, "frames 30 3"]
    face: Float[np.ndarray, "frames 3 3"]
    expression: Float[np.ndarray, "frames 10"]

    @classmethod
    def rest(cls, count: int) -> "TrackDetails":
        """Make the details of someone who moves neither."""
        return cls(**{name: np.zeros((count, *shape)) for name, shape in SHAPES.items()})

    def part(self, frames: slice) -> Details:
        """Make our own details of some frames."""
        return Details(**{name: _tensor(getattr(self, name)[frames])[:, None] for name in SHAPES})


@dataclass(kw_only=True)
class Track:
    """One person over the frames in which it was seen; metres, radians, float64."""

    pose: Float[np.ndarray, "frames 24 3"]
    betas: Float[np.ndarray, "frames 10"]
    transl: Float[np.ndarray, "frames 3"]
    intrinsics: Float[np.ndarray, "frames 3 3"]
    image_size: tuple[int, int]
    camera_from_world: Float[np.ndarray, "frames 4 4"] | None = None
    beta_space: str = "smpl"
    details: TrackDetails | None = None
    frame_rate: float | None = None
    """Frames per second, where the file tells."""
    notes: list[str] = field(default_factory=list)
    """What the reader had to assume."""

    def params(self, frame: int | None, name: str) -> HumanParams:
        """Make our own parameters of it, of one frame or of all."""
        count = len(self.pose)
        if frame is not None and not 0 <= frame < count:
            raise ParamsError(
                f"{name}: there is no frame {frame}; this person has {count}, counted from 0."
            )
        at = slice(None) if frame is None else slice(frame, frame + 1)
        camera = self.camera_from_world
        if camera is None:
            camera = np.tile(np.eye(4), (count, 1, 1))
        return HumanParams(
            pose=_tensor(self.pose[at])[:, None],
            betas=_tensor(self.betas[at])[:, None],
            transl=_tensor(self.transl[at])[:, None],
            intrinsics=_tensor(self.intrinsics[at]),
            image_size=self.image_size,
            camera_from_world=_tensor(camera[at]),
            beta_space=self.beta_space,
            details=None if self.details is None else self.details.part(at),
            frame_rate=self.frame_rate,
        )


@dataclass(frozen=True, kw_only=True)
class Format:
    """A kind of file: how it is recognised and how it is read."""

    name: str
    """What `format=` takes."""
    title: str
    """The tool that writes it."""
    matches: Callable[[Any], bool]
    """Whether a file's content has the keys of this format."""
    read: Callable[[Source], list[Track]]
    """The persons of a file, in the file's order."""


def smpl_pose(
    root: Float[np.ndarray, "frames 1 3"], body: Float[np.ndarray, "frames joints 3"]
) -> Float[np.ndarray, "frames 24 3"]:
    """Put root and body rotations into SMPL's order; fingers' hands rest straight.

    Args:
        root: rotation of the whole body.
        body: 21 joints (SMPL-H and SMPL-X, up to the wrists) or 23 (SMPL, with hands).
    """
    pose = np.zeros((len(root), 24, 3))
    pose[:, :1] = root
    pose[:, 1 : 1 + body.shape[1]] = body
    return pose


def all_joints(array: np.ndarray, name: str) -> np.ndarray:
    """Read the rotations of a whole body: 22, 24, 52, 53 or 55 joints, root first."""
    return as_axis_angles(array, (24, 22, 52, 53, 55), name)


def body_of(found: Float[np.ndarray, "frames joints 3"]) -> np.ndarray:
    """Keep SMPL's 24 joints of a whole body."""
    kept = found if found.shape[1] == 24 else found[:, :22]
    return smpl_pose(kept[:, :1], kept[:, 1:])


def full_pose(array: np.ndarray, name: str) -> np.ndarray:
    """Read the rotations of a whole body as SMPL's 24 joints."""
    return body_of(all_joints(array, name))


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
