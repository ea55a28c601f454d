"""SAM 3D Body's and NLF's joints, which are not of an SMPL body: the body is fitted to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..errors import KeypointsError, ParamsError
from ..fit.fit import FitResult, fit_people
from ..fit.search import IN_SPACE
from ..keypoints.joint_files import JointFrames
from ..keypoints.rig_joints import is_mhr, is_nlf, mhr_image_size
from .format import Format
from .track import PER_FRAME, Source, Track, frames_asked


def _read_mhr(source: Source) -> "list[FittedPerson]":
    frames = JointFrames.of_mhr(source.content, source.path.name)
    return fitted_people(frames, mhr_image_size(source.content, source.image_size), source, [])


def _read_nlf(source: Source) -> "list[FittedPerson]":
    notes: list[str] = []
    size = source.size_or_default(notes, "its lens depends on")
    return fitted_people(JointFrames.of_nlf(source.content, source.path.name), size, source, notes)


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedPerson:
    """One person of a file of joints; the body is fitted in the frames that are asked for."""

    joints: JointFrames
    """Of everyone."""
    number: int
    """Of the person in each of `frames`, from 0."""
    frames: Sequence[int]
    """Of `joints` that have a person of that number."""
    size: tuple[int, int]
    """Height and width of the image, pixels."""
    body: BodyModel | None
    fit: Callable[..., list[FitResult]]
    """`fit_people`, each frame by itself; `fit_motion`, all frames with one shape."""
    place: Callable[[Track, list[int]], Track] = lambda track, rows: track
    """Moves the fitted track of some rows of `frames` to where the file has it."""
    notes: list[str] = field(default_factory=list)

    def params(self, frame: int | None, name: str) -> HumanParams:
        """Fit one frame or all, as `Track.params`."""
        rows = frames_asked(frame, len(self.frames), name)
        try:
            seen = [
                self.joints.observations(self.frames[row], self.size).person(self.number)
                for row in rows
            ]
            track = _track(self.fit(seen, body=self.body, plan=IN_SPACE))
        except KeypointsError as error:
            raise ParamsError(str(error)) from error
        return self.place(track, rows).params(None, name)


def fitted_people(
    joints: JointFrames, size: tuple[int, int], source: Source, notes: list[str]
) -> list[FittedPerson]:
    """Return every person over the frames that have one of that number.

    Args:
        joints: of everyone.
        size: height and width of the image, pixels.
        source: the file.
        notes: what had to be assumed.
    """
    counts = [len(joints.people(frame)) for frame in joints.frames]
    return [
        FittedPerson(
            joints=joints,
            number=number,
            frames=[frame for frame, count in enumerate(counts) if number < count],
            size=size,
            body=source.body,
            fit=fit_people,
            notes=notes,
        )
        for number in range(max(counts, default=0))
    ]


def _track(results: list[FitResult]) -> Track:
    """Join the frames of one person."""
    params = [result.params for result in results]
    pose, betas, transl, intrinsics = (
        np.concatenate([getattr(one, name).double().numpy() for one in params])
        for name in (*PER_FRAME, "intrinsics")
    )
    return Track(
        pose=pose[:, 0],
        betas=betas[:, 0],
        transl=transl[:, 0],
        lens=(intrinsics, params[0].image_size),
        beta_space=params[0].beta_space,
    )


FORMATS = (
    Format(
        name="sam-3d-body",
        title="SAM 3D Body",
        matches=is_mhr,
        read=_read_mhr,
        told_by=("pred_keypoints_3d", "pred_cam_t", "focal_length"),
    ),
    Format(
        name="nlf-joints",
        title="NLF's free joints",
        matches=is_nlf,
        read=_read_nlf,
        told_by=("joints3d_nonparam",),
    ),
)
