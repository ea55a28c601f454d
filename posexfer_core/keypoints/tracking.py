"""Tracking of one person through the frames of a video, by the positions of its keypoints."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..body.model import BodyModel
from ..errors import KeypointsError
from .keypoints import FAINTEST, Keypoints
from .observation import FrameObservations, Observation, usable_keypoints

FARTHEST = 1.0
"""Largest distance to the expected position at which a detection is the person, in its extents."""
DUPLICATE = 0.1
"""Distance in extents below which two detections are one person that was found twice."""
COASTING = 3
"""Frames for which a person that is not found is expected to keep its velocity."""


class PersonTracker:
    """Finds one person in each frame, whatever its number there.

    Detectors number the people of each image anew. The person is the detection whose keypoints
    are nearest to those expected from its last position and velocity, unless another person of the
    last frame was nearer to that detection. Frames are to be asked for in order.
    """

    def __init__(self, people: Callable[[int], FrameObservations], person: int) -> None:
        """Start a track.

        Args:
            people: of a frame.
            person: its number in the first frame that has so many.
        """
        self._people, self._person = people, person
        self._last: tuple[int, Keypoints] | None = None
        self._velocity_px = np.zeros(2)
        self._others: list[Keypoints] = []

    def __call__(self, frame: int) -> Observation:
        """Return the observation of a frame.

        Raises:
            KeypointsError: nobody is at the expected position.
        """
        people = self._people(frame)
        if self._last is None:
            found = people.person(self._person)
        else:
            when, last = self._last
            shift = self._velocity_px * min(frame - when, COASTING)
            found = self._nearest(replace(last, xy=last.xy + shift), people.usable())
            self._velocity_px = _shifts(last, found.keypoints).mean(0) / (frame - when)
        self._last = frame, found.keypoints
        everyone = [one.keypoints for one in people.usable()]
        self._others = [one for one in everyone if _distance(found.keypoints, one) > DUPLICATE]
        return found

    def _nearest(self, expected: Keypoints, people: list[Observation]) -> Observation:
        distances = [_distance(expected, one.keypoints) for one in people]
        best = int(np.argmin(distances)) if distances else -1
        if not distances or distances[best] > FARTHEST:
            raise KeypointsError("nobody is near where the person was seen last")
        if any(_distance(one, people[best].keypoints) < distances[best] for one in self._others):
            raise KeypointsError("only somebody else is near where the person was seen last")
        return people[best]


def observe_all(
    observe: Callable[[int], Observation], frames: Sequence[int], body: BodyModel
) -> list[Observation]:
    """Observe every frame; each must show the person.

    Args:
        observe: returns the observation of a frame, or raises.
        frames: their numbers.
        body: that will be fitted.

    Raises:
        KeypointsError: as `observe`; says which frame.
    """
    return [_observe(observe, frame, body) for frame in frames]


def observe_with_gaps(
    observe: Callable[[int], Observation], frames: Sequence[int], body: BodyModel
) -> list[Observation | None]:
    """Observe every frame; None for those that do not show the person.

    Args:
        observe: as in `observe_all`.
        frames: their numbers.
        body: that will be fitted.

    Raises:
        KeypointsError: as `observe` at the first frame, when no frame shows the person.
    """
    found: list[Observation | None] = []
    errors: list[KeypointsError] = []
    for frame in frames:
        try:
            found.append(_observe(observe, frame, body))
        except KeypointsError as error:
            found.append(None)
            errors.append(error)
    if len(errors) == len(found):
        raise errors[0]
    return found


def _observe(observe: Callable[[int], Observation], frame: int, body: BodyModel) -> Observation:
    try:
        observation = observe(frame)
        usable_keypoints(observation.keypoints, body)
    except KeypointsError as error:
        raise KeypointsError(f"Frame {frame}: {error}") from error
    return observation


def _distance(before: Keypoints, after: Keypoints) -> float:
    """Return the mean distance of keypoints that are seen both times, in the person's extents."""
    shifts = _shifts(before, after)
    if not len(shifts):
        return float("inf")
    extent = np.ptp(before.xy[before.confidence > FAINTEST], axis=0).max()
    return float(np.linalg.norm(shifts, axis=1).mean() / extent)


def _shifts(before: Keypoints, after: Keypoints) -> Float[ndarray, "points 2"]:
    """Return the shifts in pixels of keypoints that are seen both times."""
    old, new = _seen_points(before), _seen_points(after)
    both = sorted(old.keys() & new.keys())
    return np.array([new[name] - old[name] for name in both]).reshape(-1, 2)


def _seen_points(keypoints: Keypoints) -> dict[str, Float[ndarray, "2"]]:
    columns = zip(keypoints.names, keypoints.xy, keypoints.confidence, strict=True)
    return {name: xy for name, xy, confidence in columns if confidence > FAINTEST}
