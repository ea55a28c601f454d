from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from posexfer_core.errors import KeypointsError
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.layouts import COCO17
from posexfer_core.keypoints.observation import Observation
from posexfer_core.keypoints.tracking import Follower, People, sights_with_gaps

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


def follower(frames: Sequence[Sequence[Observation | None]], person: int) -> Follower:
    def people(frame: int) -> People:
        def look(number: int) -> Observation:
            if number >= len(frames[frame]):
                raise KeypointsError("there is no such person")
            sight = frames[frame][number]
            if sight is None:
                raise KeypointsError("too little is seen")
            return sight

        return People(len(frames[frame]), look)

    return Follower(people, person)


def test_a_person_is_followed_whatever_its_number():
    """Two walk towards each other, and the detector lists them anew in every frame."""
    frames, true = [], []
    for step in range(12):
        pair = [standing((10.0 * step, 0.0), 1), standing((200.0 - 10.0 * step, 5.0), 2)]
        swap = step % 3 == 1
        frames.append([pair[1], None, pair[0]] if swap else pair)
        true.append(pair[0])
    follow = follower(frames, 0)
    assert [follow(step) for step in range(12)] == true


def test_people_who_pass_each_other_go_on_as_they_went():
    """Alike and in step, they are where the other was one frame before."""
    ways = 20.0 * np.arange(12), 220.0 - 20.0 * np.arange(12)
    pairs = [[standing((way[step], 0.0), 1) for way in ways] for step in range(12)]
    follow = follower([pair[:: (-1) ** step] for step, pair in enumerate(pairs)], 0)
    assert [follow(step) for step in range(12)] == [mine for mine, _ in pairs]


def test_who_stops_while_missed_is_found_again(body):
    mine = [standing((30.0 * step, 0.0), 1) for step in range(3)]
    follow = follower([[one] for one in mine] + [[]] * 8 + [[mine[-1]]], 0)
    assert sights_with_gaps(follow, 12, body) == [*mine, *[None] * 8, mine[-1]]


def test_the_number_counts_in_the_first_frame_that_has_it(body):
    first, second = standing((0.0, 0.0), 1), standing((150.0, 0.0), 2)
    sights = sights_with_gaps(follower([[first], [first, second], [second]], 1), 3, body)
    assert sights == [None, second, second]


def test_who_is_elsewhere_is_somebody_else(body):
    """The person leaves; another one stays; the person comes back a step from where it left."""
    mine, other, back = (standing(at, 1) for at in ((0.0, 0.0), (250.0, 0.0), (20.0, 5.0)))
    follow = follower([[mine, other], [other], [], [other, back]], 0)
    assert sights_with_gaps(follow, 4, body) == [mine, None, None, back]


def test_who_stands_beside_is_not_taken_for_a_person_that_is_missed(body):
    mine, beside = standing((0.0, 0.0), 1), standing((50.0, 0.0), 2)
    later = standing((3.0, 0.0), 1)
    follow = follower([[beside, mine], [beside], [beside, later]], 1)
    assert sights_with_gaps(follow, 3, body) == [mine, None, later]


def test_who_is_found_twice_is_nobody_else():
    frames = [[standing((5.0 * step + off, 0.0), 1) for off in (0.0, 2.0)] for step in range(6)]
    follow = follower(frames, 0)
    for step, pair in enumerate(frames):
        assert follow(step) in pair


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
    follow = follower([[mine, other], [other, half], [mine, other]], 0)
    assert [follow(0), follow(1), follow(2)] == [mine, half, mine]


def test_nobody_near_is_said():
    follow = follower([[standing((0.0, 0.0), 1)], [standing((900.0, 0.0), 1)]], 0)
    follow(0)
    with pytest.raises(KeypointsError, match="nobody is near"):
        follow(1)
