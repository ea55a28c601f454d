"""SAM 3D Body's and NLF's joints, which are not of an SMPL body: the body is fitted to them."""

from collections.abc import Callable

import numpy as np

from ..errors import KeypointsError, ParamsError
from ..fit.fit import FitResult, fit_people
from ..fit.search import IN_SPACE
from ..keypoints.joint_files import JointFrames
from ..keypoints.rig_joints import is_mhr, is_nlf, mhr_image_size
from .track import PER_FRAME, Format, Source, Track


def _read_mhr(source: Source) -> list[Track]:
    frames = JointFrames.of_mhr(source.content, source.path.name)
    return fit_joints(frames, mhr_image_size(source.content, source.image_size), source, [])


def _read_nlf(source: Source) -> list[Track]:
    notes: list[str] = []
    size = source.size_or_default(notes, "its lens depends on")
    return fit_joints(JointFrames.of_nlf(source.content, source.path.name), size, source, notes)


def fit_joints(
    joints: JointFrames,
    size: tuple[int, int],
    source: Source,
    notes: list[str],
    fit: Callable[..., list[FitResult]] = fit_people,
) -> list[Track]:
    """Fit every person over the frames that have one of that number.

    Args:
        joints: of everyone.
        size: height and width of the image, pixels.
        source: the file.
        notes: what had to be assumed.
        fit: `fit_people`, each frame by itself; `fit_motion`, all frames with one shape.
    """
    frames = [joints.observations(frame, size) for frame in range(len(joints))]
    tracks = []
    try:
        for person in range(max(len(frame.people) for frame in frames)):
            seen = [frame.person(person) for frame in frames if person < len(frame.people)]
            tracks.append(_track(fit(seen, body=source.body, plan=IN_SPACE), notes))
    except KeypointsError as error:
        raise ParamsError(str(error)) from error
    return tracks


def _track(results: list[FitResult], notes: list[str]) -> Track:
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
        notes=notes,
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
