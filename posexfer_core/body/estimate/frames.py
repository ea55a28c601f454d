"""What is known of one person in each frame of a video."""

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from ...errors import KeypointsError, ParamsError
from ..model import BodyModel
from .fit import Sight, usable_keypoints
from .keypoints import FAINTEST, Keypoints

FARTHEST = 1.0
"""How far a person may have gone since it was seen last, in its own extents."""
TWICE = 0.1
"""Two people who are nearer to each other are one that was found twice."""


class People(NamedTuple):
    """Those of whom something is known in one frame."""

    number: int
    look: Callable[[int], Sight]
    """Tells what is known of a person by its number, or raises."""


class Follower:
    """Looks at one person frame by frame, whatever number it has in each.

    Detectors number the people of each picture anew. Where the person was seen before, it is the
    one whose keypoints are nearest to those seen last, unless they are nearer still to those of
    somebody who was beside it. Frames are to be looked at in order.
    """

    def __init__(self, people: Callable[[int], People], person: int) -> None:
        """Follow a person.

        Args:
            people: of a frame.
            person: its number in the first frame that shows so many.
        """
        self._people, self._person = people, person
        self._last: Keypoints | None = None
        self._others: list[Keypoints] = []

    def __call__(self, frame: int) -> Sight:
        """Look at a frame.

        Raises:
            KeypointsError, ParamsError: nobody is where the person was.
        """
        people = self._people(frame)
        seen, last = _seen(people), self._last
        sight = people.look(self._person) if last is None else self._nearest(last, seen)
        self._last = sight.keypoints
        everyone = [one.keypoints for one in seen]
        self._others = [other for other in everyone if _way(sight.keypoints, other) > TWICE]
        return sight

    def _nearest(self, last: Keypoints, people: list[Sight]) -> Sight:
        gone = [_way(last, one.keypoints) for one in people]
        best = int(np.argmin(gone)) if gone else -1
        if not gone or gone[best] > FARTHEST:
            raise KeypointsError("nobody is near where the person was seen last")
        if any(_way(other, people[best].keypoints) < gone[best] for other in self._others):
            raise KeypointsError("only somebody else is near where the person was seen last")
        return people[best]


def every_sight(look: Callable[[int], Sight], frames: int, body: BodyModel) -> list[Sight]:
    """Look at every frame; each must show the person.

    Args:
        look: tells what is known of the person in a frame, or raises.
        frames: how many there are.
        body: that will be fitted.

    Raises:
        KeypointsError, ParamsError: as `look`; says which frame.
    """
    return [_checked(look, frame, body) for frame in range(frames)]


def sights_with_gaps(
    look: Callable[[int], Sight], frames: int, body: BodyModel
) -> list[Sight | None]:
    """Look at every frame; those that do not show the person are None.

    Args:
        look: as in `every_sight`.
        frames: how many there are.
        body: that will be fitted.

    Raises:
        KeypointsError, ParamsError: as `look` at the first frame, when no frame shows the person.
    """
    sights: list[Sight | None] = []
    first: KeypointsError | ParamsError | None = None
    for frame in range(frames):
        try:
            sights.append(_checked(look, frame, body))
        except (KeypointsError, ParamsError) as error:
            sights.append(None)
            first = first or error
    if first is not None and not any(sights):
        raise first
    return sights


def _checked(look: Callable[[int], Sight], frame: int, body: BodyModel) -> Sight:
    try:
        sight = look(frame)
        usable_keypoints(sight.keypoints, body)
    except (KeypointsError, ParamsError) as error:
        raise type(error)(f"Frame {frame}: {error}") from error
    return sight


def _seen(people: People) -> list[Sight]:
    """List everyone of whom enough is seen."""
    seen = []
    for person in range(people.number):
        with suppress(KeypointsError, ParamsError):
            seen.append(people.look(person))
    return seen


def _way(before: Keypoints, after: Keypoints) -> float:
    """Measure how far the points that are seen both times have gone, in the person's extents."""
    seen = [
        {
            name: xy
            for name, xy, sure in zip(one.names, one.xy, one.confidence, strict=True)
            if sure > FAINTEST
        }
        for one in (before, after)
    ]
    both = sorted(seen[0].keys() & seen[1].keys())
    if not both:
        return float("inf")
    old, new = (np.array([points[name] for name in both]) for points in seen)
    extent = np.ptp(np.array(list(seen[0].values())), axis=0).max()
    return float(np.linalg.norm(new - old, axis=1).mean() / extent)
