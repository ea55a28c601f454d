"""What is known of one person in each frame of a video."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..body.model import BodyModel
from ..errors import KeypointsError, ParamsError
from .keypoints import FAINTEST, Keypoints
from .observation import Observation, usable_keypoints

FARTHEST = 1.0
"""How far a person may have gone since it was seen last, in its own extents."""
TWICE = 0.1
"""Two people who are nearer to each other are one that was found twice."""
COASTING = 3
"""Frames for which a person that is missed is taken to go on as it went."""


class People(NamedTuple):
    """Those of whom something is known in one frame."""

    number: int
    look: Callable[[int], Observation]
    """Tells what is known of a person by its number, or raises."""


class Follower:
    """Looks at one person frame by frame, whatever number it has in each.

    Detectors number the people of each image anew. Where the person was seen before, it is the
    one whose keypoints are nearest to where those seen last would be by now, unless they are nearer
    still to those of somebody who was beside it. Frames are to be looked at in order.
    """

    def __init__(self, people: Callable[[int], People], person: int) -> None:
        """Follow a person.

        Args:
            people: of a frame.
            person: its number in the first frame that shows so many.
        """
        self._people, self._person = people, person
        self._last: tuple[int, Keypoints] | None = None
        self._speed = np.zeros(2)
        self._others: list[Keypoints] = []

    def __call__(self, frame: int) -> Observation:
        """Look at a frame.

        Raises:
            KeypointsError, ParamsError: nobody is where the person was.
        """
        people = self._people(frame)
        seen = _seen(people)
        if self._last is None:
            sight = people.look(self._person)
        else:
            when, last = self._last
            gone = self._speed * min(frame - when, COASTING)
            sight = self._nearest(replace(last, xy=last.xy + gone), seen)
            self._speed = _moves(last, sight.keypoints).mean(0) / (frame - when)
        self._last = frame, sight.keypoints
        everyone = [one.keypoints for one in seen]
        self._others = [other for other in everyone if _way(sight.keypoints, other) > TWICE]
        return sight

    def _nearest(self, expected: Keypoints, people: list[Observation]) -> Observation:
        gone = [_way(expected, one.keypoints) for one in people]
        best = int(np.argmin(gone)) if gone else -1
        if not gone or gone[best] > FARTHEST:
            raise KeypointsError("nobody is near where the person was seen last")
        if any(_way(other, people[best].keypoints) < gone[best] for other in self._others):
            raise KeypointsError("only somebody else is near where the person was seen last")
        return people[best]


def every_sight(
    look: Callable[[int], Observation], frames: int, body: BodyModel
) -> list[Observation]:
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
    look: Callable[[int], Observation], frames: int, body: BodyModel
) -> list[Observation | None]:
    """Look at every frame; those that do not show the person are None.

    Args:
        look: as in `every_sight`.
        frames: how many there are.
        body: that will be fitted.

    Raises:
        KeypointsError, ParamsError: as `look` at the first frame, when no frame shows the person.
    """
    sights: list[Observation | None] = []
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


def _checked(look: Callable[[int], Observation], frame: int, body: BodyModel) -> Observation:
    try:
        sight = look(frame)
        usable_keypoints(sight.keypoints, body)
    except (KeypointsError, ParamsError) as error:
        raise type(error)(f"Frame {frame}: {error}") from error
    return sight


def _seen(people: People) -> list[Observation]:
    """List everyone of whom enough is seen."""
    seen = []
    for person in range(people.number):
        with suppress(KeypointsError, ParamsError):
            seen.append(people.look(person))
    return seen


def _way(before: Keypoints, after: Keypoints) -> float:
    """Measure how far the points that are seen both times have gone, in the person's extents."""
    moves = _moves(before, after)
    if not len(moves):
        return float("inf")
    extent = np.ptp(before.xy[before.confidence > FAINTEST], axis=0).max()
    return float(np.linalg.norm(moves, axis=1).mean() / extent)


def _moves(before: Keypoints, after: Keypoints) -> Float[ndarray, "points 2"]:
    """Tell where to the points that are seen both times have gone, pixels."""
    old, new = _seen_points(before), _seen_points(after)
    both = sorted(old.keys() & new.keys())
    return np.array([new[name] - old[name] for name in both]).reshape(-1, 2)


def _seen_points(one: Keypoints) -> dict[str, Float[ndarray, "2"]]:
    return {
        name: xy
        for name, xy, sure in zip(one.names, one.xy, one.confidence, strict=True)
        if sure > FAINTEST
    }
