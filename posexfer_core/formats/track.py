"""What a reader of one format returns: one person over some frames, and the camera."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from ..body.hands_face import SHAPES, HandsFace
from ..body.model import BodyModel
from ..body.params import HumanParams
from ..errors import ParamsError
from ..files.fields import Fields
from ..geometry.camera import default_focal_px
from ..geometry.camera_conversions import Lens, pinhole

DEFAULT_SIZE = (1080, 1920)
"""Height and width taken for a video's frame where neither the file nor the caller knows."""
WHOLE_BODY = (24, 22, 52, 53, 55)
"""Joints of a whole pose, root first: SMPL, up to the wrists, SMPL-H, Multi-HMR, SMPL-X."""

PELVIS = {
    "smpl": (-0.0018, -0.2233, 0.0282),
    "smplh": (-0.0018, -0.2233, 0.0282),
    "smplx": (0.0031, -0.3514, 0.0120),
}
"""Where the mean shape of each body family has its pelvis at rest, metres."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that was opened, and what the caller specified."""

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

    def size_or_default(
        self, notes: list[str], why: str, default: tuple[int, int] = DEFAULT_SIZE
    ) -> tuple[int, int]:
        """Give the image size; where it is not known, take the default and note why it counts."""
        if self.image_size is not None:
            return self.image_size
        notes.append(
            f"{self.path.name} does not hold the size of its image, which {why}; "
            f"{default[1]}x{default[0]} was taken. Give image_size=(height, width)."
        )
        return default

    def size_or_box(self, notes: list[str], right: float, bottom: float) -> tuple[int, int]:
        """Give the image size; where it is not known, an image that ends with a person's box."""
        ends = (max(1, int(np.ceil(bottom))), max(1, int(np.ceil(right))))
        return self.size_or_default(notes, "reaches at least as far as the person's box", ends)

    def size_around(self, center: np.ndarray) -> tuple[int, int]:
        """Give twice the principal point as the image size, or the caller's if it is near that.

        A lens need not look through the very middle, so up to a tenth of difference is the
        lens's; beyond that the caller means the image at another resolution.
        """
        told = (round(2 * center[1]), round(2 * center[0]))
        given = self.image_size
        if given is not None and np.allclose(given, told, rtol=0.1):
            return given
        return told

    def lens(self, fields: Fields, *keys: str, count: int) -> Lens:
        """Read intrinsic matrices; the principal point gives the image size."""
        matrices = fields.rows(*keys, width=9, count=count).reshape(-1, 3, 3)
        return matrices, self.size_around(matrices[0, :2, 2])

    def diagonal_lens(self, notes: list[str], count: int) -> Lens:
        """Take the image's diagonal for the focal length, as CLIFF and its successors do."""
        size = self.size_or_default(notes, "sets the focal length")
        return pinhole(default_focal_px(size), size, count), size

    def pelvis(self, betas: Float[np.ndarray, "frames 10"], beta_space: str) -> np.ndarray:
        """Find the pelvis at rest: of the caller's body if it is of this kind, else the mean's."""
        if self.body is not None and self.body.beta_space == beta_space:
            _, joints = self.body.rest(torch.from_numpy(betas).to(self.body.v_template))
            return joints[:, 0].double().cpu().numpy()
        return np.tile(PELVIS.get(beta_space, PELVIS["smpl"]), (len(betas), 1))


@dataclass(kw_only=True)
class TrackHandsFace:
    """Fingers, face and expression of one person, as in `body.hands_face`."""

    fingers: Float[np.ndarray, "frames 30 3"]
    face: Float[np.ndarray, "frames 3 3"]
    expression: Float[np.ndarray, "frames 10"]

    @classmethod
    def rest(cls, count: int) -> "TrackHandsFace":
        """Make flat hands and the mean face."""
        return cls(**{name: np.zeros((count, *shape)) for name, shape in SHAPES.items()})


@dataclass(kw_only=True)
class Track:
    """One person over the frames in which it was seen; metres, radians, float64."""

    pose: Float[np.ndarray, "frames 24 3"]
    betas: Float[np.ndarray, "frames 10"]
    transl: Float[np.ndarray, "frames 3"]
    lens: Lens
    camera_from_world: Float[np.ndarray, "frames 4 4"] | None = None
    beta_space: str = "smpl"
    hands_face: TrackHandsFace | None = None
    frame_rate: float | None = None
    """Frames per second, where the file tells."""
    notes: list[str] = field(default_factory=list)
    """What the reader had to assume."""

    def part(self, rows: slice | Sequence[int]) -> "Track":
        """Keep some frames."""
        at = rows if isinstance(rows, slice) else list(rows)
        camera, hands_face = self.camera_from_world, self.hands_face
        if hands_face is not None:
            hands_face = TrackHandsFace(**{n: getattr(hands_face, n)[at] for n in SHAPES})
        return replace(
            self,
            **{name: getattr(self, name)[at] for name in PER_FRAME},
            lens=(self.lens[0][at], self.lens[1]),
            camera_from_world=None if camera is None else camera[at],
            hands_face=hands_face,
        )

    def people(self) -> "list[Track]":
        """Make each row another person, seen in one frame."""
        return [self.part(slice(row, row + 1)) for row in range(len(self.pose))]

    def params(self, frame: int | None, name: str) -> HumanParams:
        """Make our own parameters of it, of one frame or of all."""
        rows = frames_asked(frame, len(self.pose), name)
        shown = self if frame is None else self.part(rows)
        hands_face = shown.hands_face
        return HumanParams(
            pose=_tensor(shown.pose)[:, None],
            betas=_tensor(shown.betas)[:, None],
            transl=_tensor(shown.transl)[:, None],
            intrinsics=_tensor(shown.lens[0]),
            image_size=self.lens[1],
            camera_from_world=_tensor(_cameras(shown)),
            beta_space=self.beta_space,
            hands_face=None
            if hands_face is None
            else HandsFace(**{n: _tensor(getattr(hands_face, n))[:, None] for n in SHAPES}),
            frame_rate=self.frame_rate,
        )


PER_FRAME = ("pose", "betas", "transl")


def frames_asked(frame: int | None, count: int, name: str) -> list[int]:
    """List the frame that is asked for, or all.

    Raises:
        ParamsError: there is no such frame.
    """
    if frame is None:
        return list(range(count))
    if not 0 <= frame < count:
        raise ParamsError(
            f"{name}: there is no frame {frame}; this person has {count}, counted from 0."
        )
    return [frame]


def chain(tracks: Sequence[Track]) -> Track:
    """Put tracks of one person one after the other; hands and face rest where a frame has none."""
    first = tracks[0]
    if len(sizes := {track.lens[1] for track in tracks}) > 1:
        raise ParamsError(
            f"The frames have images of several sizes, {sorted(sizes)[:4]} (height, width); "
            "expected one."
        )
    hands_face = camera = None
    if any(track.hands_face is not None for track in tracks):
        parts = [track.hands_face or TrackHandsFace.rest(len(track.pose)) for track in tracks]
        joined = {n: np.concatenate([getattr(part, n) for part in parts]) for n in SHAPES}
        hands_face = TrackHandsFace(**joined)
    if any(track.camera_from_world is not None for track in tracks):
        camera = np.concatenate([_cameras(track) for track in tracks])
    return replace(
        first,
        **{name: np.concatenate([getattr(track, name) for track in tracks]) for name in PER_FRAME},
        lens=(np.concatenate([track.lens[0] for track in tracks]), first.lens[1]),
        camera_from_world=camera,
        hands_face=hands_face,
        notes=list(dict.fromkeys(note for track in tracks for note in track.notes)),
    )


def chain_people(frames: Sequence[Sequence[Track]]) -> list[Track]:
    """Chain the n-th persons of all frames that have as many; images must be of one size."""
    persons = max((len(people) for people in frames), default=0)
    return [
        chain([people[person] for people in frames if len(people) > person])
        for person in range(persons)
    ]


def _cameras(track: Track) -> Float[np.ndarray, "frames 4 4"]:
    if track.camera_from_world is None:
        return np.tile(np.eye(4), (len(track.pose), 1, 1))
    return track.camera_from_world


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


def layer_pose(
    fields: Fields,
    root: Sequence[str] = ("global_orient",),
    body: str = "body_pose",
    joints: Sequence[int] = (21, 23),
) -> tuple[Float[np.ndarray, "frames 24 3"], int]:
    """Read a pose that is kept as root and body, under the names of smplx's layers or others.

    Returns:
        The pose, and how many joints the body has: 23 are SMPL's, 21 SMPL-X's.
    """
    turns = fields.rotations(*root, joints=(1,))
    angles = fields.rotations(body, joints=joints, count=len(turns))
    return smpl_pose(turns, angles), angles.shape[1]


def body_of(found: Float[np.ndarray, "frames joints 3"]) -> np.ndarray:
    """Keep SMPL's 24 joints of a whole body."""
    kept = found if found.shape[1] == 24 else found[:, :22]
    return smpl_pose(kept[:, :1], kept[:, 1:])


def full_pose(fields: Fields, *keys: str) -> Float[np.ndarray, "frames 24 3"]:
    """Read the rotations of a whole body as SMPL's 24 joints."""
    return body_of(fields.rotations(*keys, joints=WHOLE_BODY))


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
