"""One person's body in every frame of a sequence: fitted to observations, or regressed."""

from collections.abc import Iterable, Sequence

from jaxtyping import Float
from torch import Tensor

from ...body.model import BodyModel
from ...body.motion import join_frames
from ...body.params import HumanParams
from ...keypoints.input_sequence import InputSequence
from ...keypoints.tracking import PersonTracker, observe_all, observe_with_gaps
from ...pose_networks.find_body import MOST_SPREAD, FoundBody, find_body
from ..fit import FitResult, Progress, fit_people
from ..search import IN_SPACE, SearchPlan
from .fit_motion import fit_motion
from .smooth_bodies import smooth_bodies
from .smoothing import Smoothing


def fit_sequence(
    sequence: InputSequence,
    frames: Sequence[int],
    *,
    person: int,
    body: BodyModel,
    strength: float,
    progress: Progress | None = None,
) -> list[FitResult]:
    """Fit one person in some frames: all together, or each as if alone.

    Args:
        sequence: what is known of the people in each frame.
        frames: numbers of the frames, in order.
        person: number of the person in the first of the frames that has so many; from there it is
            tracked. Without smoothing, its number in every frame.
        body: the model to fit.
        strength: of the smoothing; at 0 each frame is fitted alone, and each must show the person.
        progress: as in `fit_motion`.

    Raises:
        KeypointsError: a frame cannot be used; with smoothing, the person is seen in too few.
        ImageError: a mask cannot be used.
    """
    plan = SearchPlan() if sequence.joints is None else IN_SPACE
    if not strength or len(frames) == 1:
        alone = observe_all(lambda frame: sequence.people(frame).person(person), frames, body)
        return fit_people(alone, body=body, plan=plan, progress=progress)
    return fit_motion(
        observe_with_gaps(PersonTracker(sequence.people, person), frames, body),
        body=body,
        plan=plan,
        smoothing=Smoothing.of_strength(strength),
        progress=progress,
    )


def regress_sequence(
    images: Iterable[Float[Tensor, "3 height width"]],
    *,
    body: BodyModel,
    focal_px: float | None,
    strength: float,
    progress: Progress,
) -> HumanParams:
    """Regress one person's body from each image alone, then smooth it over time.

    Args:
        images: RGB in [-1, 1], at least one.
        body: the model that the parameters are of.
        focal_px: focal length of the images; their diagonal when left out.
        strength: of the smoothing; none at 0.
        progress: called after each image, and with 0 while smoothing.
    """
    found = find_in_sequence(images, body=body, focal_px=focal_px, progress=progress)
    return smooth_found(found, body=body, strength=strength, progress=progress)


def find_in_sequence(
    images: Iterable[Float[Tensor, "3 height width"]],
    *,
    body: BodyModel,
    focal_px: float | None,
    progress: Progress,
) -> list[FoundBody]:
    """Find one person in the first image, then around where the image before has it.

    Args are those of `regress_sequence`.
    """
    found: list[FoundBody] = []
    for image in images:
        near = found[-1].prediction.joints_px if found else None
        one = find_body(image, body=body, focal_px=focal_px, near=near)
        if near is not None and one.spread > MOST_SPREAD:  # lost
            one = find_body(image, body=body, focal_px=focal_px)
        found.append(one)
        progress(1)
    return found


def smooth_found(
    found: Sequence[FoundBody], *, body: BodyModel, strength: float, progress: Progress
) -> HumanParams:
    """Join the bodies of all frames and smooth them; args are those of `regress_sequence`."""
    params = join_frames([one.prediction.params for one in found])
    if not strength or params.frames == 1:
        return params
    return smooth_bodies(
        params, body, Smoothing.of_strength(strength), progress=lambda done: progress(0)
    )
