"""Joints of rigs that are not SMPL's, to which a body is fitted: SAM 3D Body, NLF's free joints."""

import numpy as np

from ..errors import KeypointsError, ParamsError
from ..fit.fit import FitResult, fit_people
from ..fit.search import IN_SPACE
from ..keypoints.observation import Observation
from ..keypoints.rig_joints import (
    FARTHEST_M,
    NLF_KEY,
    is_mhr,
    is_nlf,
    mhr_frames,
    mhr_observation,
    mhr_size,
    nlf_focal_px,
    nlf_frames,
    placed_observation,
)
from .track import PER_FRAME, Format, Source, Track


def _read_mhr(source: Source) -> list[Track]:
    """Fit every person over the frames that have one of that number."""
    frames = mhr_frames(source.content)
    size = mhr_size(source.content) or source.image_size
    return _tracks(
        [
            [
                mhr_observation(people[person], size, f"{source.path.name}: person {person}")
                for people in frames
                if person < len(people)
            ]
            for person in range(max(map(len, frames), default=0))
        ],
        source,
        [],
    )


def _read_nlf(source: Source) -> list[Track]:
    """Fit the body to NLF's joints, in millimetres or metres."""
    notes: list[str] = []
    size = source.size_or_default(notes, "its lens depends on")
    focal_px = nlf_focal_px(size)
    frames = [
        array / (1000.0 if np.abs(array).max(initial=0.0) > FARTHEST_M else 1.0)
        for array in nlf_frames(source.content[NLF_KEY], source.path.name)
    ]
    people = max(map(len, frames), default=0)
    observations = [
        [
            placed_observation(frame[person], frame[person], focal_px, size, source.path.name)
            for frame in frames
            if person < len(frame)
        ]
        for person in range(people)
    ]
    return _tracks(observations, source, notes)


def _tracks(people: list[list[Observation]], source: Source, notes: list[str]) -> list[Track]:
    try:
        return [_track(fit_people(seen, body=source.body, plan=IN_SPACE), notes) for seen in people]
    except KeypointsError as error:
        raise ParamsError(f"{source.path.name}: {error}") from error


def _track(results: list[FitResult], notes: list[str]) -> Track:
    """Join the frames of one person."""
    params = [result.params for result in results]
    pose, betas, transl, intrinsics = (
        np.concatenate([getattr(one, name).double().numpy() for one in params])
        for name in PER_FRAME
    )
    return Track(
        pose=pose[:, 0],
        betas=betas[:, 0],
        transl=transl[:, 0],
        intrinsics=intrinsics,
        image_size=params[0].image_size,
        beta_space=params[0].beta_space,
        notes=notes,
    )


FORMATS = (
    Format(name="sam-3d-body", title="SAM 3D Body", matches=is_mhr, read=_read_mhr),
    Format(name="nlf-joints", title="NLF's free joints", matches=is_nlf, read=_read_nlf),
)
