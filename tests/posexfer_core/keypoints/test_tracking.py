from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from posexfer_core.errors import KeypointsError
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.layouts import COCO17
from posexfer_core.keypoints.observation import FrameObservations, Observation
from posexfer_core.keypoints.tracking import PersonTracker, observe_all, observe_with_gaps

NOWHERE = np.array([1e4, 1e4])


def standing(at: tuple[float, float] | np.ndarray, seed: int) -> Observation:
    """See somebody 100 px tall; the seed tells people apart."""
    places = np.random.default_rng(seed).uniform(0.0, 100.0, (len(COCO17), 2))
    return Observation(
        keypoints=Keypoints(
            xy=places + at,
            confidence=np.ones(len(COCO17)),
            names=COCO17,
            image_size=(400, 400),
        )
    )


def tracker(frames: Sequence[Sequence[Observation | None]], person: int) -> PersonTracker:
    """Track somebody in frames of people; None is one who cannot be used."""

    def people(frame: int) -> FrameObservations:
        found = [one or KeypointsError("too little is seen") for one in frames[frame]]
        return FrameObservations(people=found, name="the test")

    return PersonTracker(people, person)


def test_a_person_is_followed_whatever_its_number():
    """Two walk towards each other, and the detector lists them anew in every frame."""
    frames, true = [], []
    for step in range(12):
        pair = [standing((10.0 * step, 0.0), 1), standing((200.0 - 10.0 * step, 5.0), 2)]
        swap = step % 3 == 1
        frames.append([pair[1], None, pair[0]] if swap else pair)
        true.append(pair[0])
    track = tracker(frames, 0)
    assert [track(step) for step in range(12)] == true


def test_people_who_pass_each_other_go_on_as_they_went():
    """Alike and in step, they are where the other was one frame before."""
    ways = 20.0 * np.arange(12), 220.0 - 20.0 * np.arange(12)
    pairs = [[standing((way[step], 0.0), 1) for way in ways] for step in range(12)]
    track = tracker([pair[:: (-1) ** step] for step, pair in enumerate(pairs)], 0)
    assert [track(step) for step in range(12)] == [mine for mine, _ in pairs]


def test_who_stops_while_missed_is_found_again(body):
    mine = [standing((30.0 * step, 0.0), 1) for step in range(3)]
    track = tracker([[one] for one in mine] + [[]] * 8 + [[mine[-1]]], 0)
    assert observe_with_gaps(track, range(12), body) == [*mine, *[None] * 8, mine[-1]]


def test_the_number_counts_in_the_first_frame_that_has_it(body):
    first, second = standing((0.0, 0.0), 1), standing((150.0, 0.0), 2)
    found = observe_with_gaps(tracker([[first], [first, second], [second]], 1), range(3), body)
    assert found == [None, second, second]


def test_who_is_elsewhere_is_somebody_else(body):
    """The person leaves; another one stays; the person comes back a step from where it left."""
    mine, other, back = (standing(at, 1) for at in ((0.0, 0.0), (250.0, 0.0), (20.0, 5.0)))
    track = tracker([[mine, other], [other], [], [other, back]], 0)
    assert observe_with_gaps(track, range(4), body) == [mine, None, None, back]


def test_who_stands_beside_is_not_taken_for_a_person_that_is_missed(body):
    mine, beside = standing((0.0, 0.0), 1), standing((50.0, 0.0), 2)
    later = standing((3.0, 0.0), 1)
    track = tracker([[beside, mine], [beside], [beside, later]], 1)
    assert observe_with_gaps(track, range(3), body) == [mine, None, later]


def test_who_is_found_twice_is_nobody_else():
    frames = [[standing((5.0 * step + off, 0.0), 1) for off in (0.0, 2.0)] for step in range(6)]
    track = tracker(frames, 0)
    for step, pair in enumerate(frames):
        assert track(step) in pair


def test_points_that_are_not_seen_do_not_count():
    mine, other = standing((0.0, 0.0), 1), standing((40.0, 0.0), 2)
    hidden = mine.keypoints.confidence.copy()
    hidden[5:] = 0.0
    spoilt = replace(
        mine.keypoints,
        xy=np.where(hidden[:, None] > 0.0, mine.keypoints.xy, NOWHERE),
        confidence=hidden,
    )
    half = replace(mine, keypoints=spoilt)
    track = tracker([[mine, other], [other, half], [mine, other]], 0)
    assert [track(0), track(1), track(2)] == [mine, half, mine]


def test_nobody_near_is_said():
    track = tracker([[standing((0.0, 0.0), 1)], [standing((900.0, 0.0), 1)]], 0)
    track(0)
    with pytest.raises(KeypointsError, match="nobody is near"):
        track(1)


def test_a_frame_without_the_person_is_named(body):
    frames = [[standing((0.0, 0.0), 1)], []]
    with pytest.raises(KeypointsError, match="Frame 1: nobody is near"):
        observe_all(tracker(frames, 0), range(2), body)


def test_no_frame_with_the_person_is_an_error(body):
    with pytest.raises(KeypointsError, match="Frame 0: person 1 was asked for, but there are 1"):
        observe_with_gaps(tracker([[standing((0.0, 0.0), 1)], []], 1), range(2), body)
